internal import Glibc

/// The system's clocks.
public struct SystemTime: TimeSource {
    public init() {}

    public func now() -> Timestamp { Timestamp(nanoseconds: Int64(Self.nanoseconds(CLOCK_REALTIME))) }

    public func monotonicNanoseconds() -> UInt64 { Self.nanoseconds(CLOCK_MONOTONIC) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // Cannot fail: both clocks exist on every Linux.
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

extension TimeSource {
    /// The moment `duration` from now on the clock that never goes back, for `hasPassed`.
    public func deadline(in duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds) / 1_000_000_000)
        return Deadline(monotonicNanoseconds: self.monotonicNanoseconds() &+ nanoseconds)
    }

    /// Whether a deadline of this clock has passed.
    public func hasPassed(_ deadline: Deadline) -> Bool {
        self.monotonicNanoseconds() >= deadline.monotonicNanoseconds
    }
}

/// A moment on a clock that never goes back.
public struct Deadline: Hashable, Sendable {
    public let monotonicNanoseconds: UInt64

    public init(monotonicNanoseconds: UInt64) { self.monotonicNanoseconds = monotonicNanoseconds }
}
