internal import LeatCore

/// Why something could not be fetched.
struct FetchFailure: Error { let reason: String }

/// A secret that is fetched when it is first needed, kept until shortly before it ends, and then fetched again.
///
/// Whoever asks while it is fetched waits for the same answer.
final class RenewedValue<Value> {
    typealias Completion = (Result<Value, FetchFailure>) -> Void
    /// A value and how long it is good; `nil`: for good.
    typealias Fetched = (value: Value, life: Duration?)
    /// Calls its argument once, at once or later.
    typealias Fetch = (_ received: @escaping (Result<Fetched, FetchFailure>) -> Void) -> Void

    private let loop: EventLoop
    private let skew: Duration
    private let fetch: Fetch
    /// The value, and the monotonic nanoseconds from which on it is fetched again.
    private var kept: (value: Value, until: UInt64)?
    private var waiters: [Completion] = []

    /// `skew`: how long before its end a value is fetched again.
    init(loop: EventLoop, skew: Duration, fetch: @escaping Fetch) {
        self.loop = loop
        self.skew = skew
        self.fetch = fetch
    }

    /// Calls `body` with a value that is good, at once or later.
    func with(_ body: @escaping Completion) {
        if let kept, self.loop.time.monotonicNanoseconds() < kept.until { return body(.success(kept.value)) }
        self.waiters.append(body)
        if self.waiters.count == 1 { self.fetch { [weak self] in self?.received($0) } }
    }

    /// Forgets a value that a server does not accept, unless there is a newer one.
    func forget(where isRefused: (Value) -> Bool) {
        if let kept, isRefused(kept.value) { self.kept = nil }
    }

    private func received(_ result: Result<Fetched, FetchFailure>) {
        if case .success(let fetched) = result { self.keep(fetched) }
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter(result.map(\.value)) }
    }

    private func keep(_ fetched: Fetched) {
        guard let life = fetched.life else {
            self.kept = (fetched.value, .max)
            return
        }
        // One that would end at once is used while it lasts.
        let time = life > self.skew ? life - self.skew : life / 2
        self.kept = (fetched.value, self.loop.time.monotonicNanoseconds() + time.wholeNanoseconds)
    }
}
