public import LeatCore
internal import Synchronization

/// A clock that stands still until a test moves it.
public final class ManualTime: TimeSource {
    private struct State {
        var now: Timestamp
        var monotonic: UInt64
    }

    private let state: Mutex<State>

    /// A clock that shows `now`, by default 2023-11-14T22:13:20Z.
    public init(now: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        self.state = Mutex(State(now: now, monotonic: 1_000_000_000))
    }

    public func now() -> Timestamp { self.state.withLock { $0.now } }

    public func monotonicNanoseconds() -> UInt64 { self.state.withLock { $0.monotonic } }

    /// Lets time pass on both clocks.
    public func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        precondition(nanoseconds >= 0, "time does not go back; use setNow for the time of day")
        self.state.withLock {
            $0.now.nanoseconds += nanoseconds
            $0.monotonic += UInt64(nanoseconds)
        }
    }

    /// Sets the time of day, as an administrator would, in either direction; the other clock stays.
    public func setNow(_ now: Timestamp) { self.state.withLock { $0.now = now } }
}
