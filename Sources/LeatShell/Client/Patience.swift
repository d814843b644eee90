internal import LeatCore

/// How long a command waits for a server that is not there, as it may be restarting.
struct Patience {
    private let deadline: UInt64
    private let clock = SystemTime()
    private var backoff = Backoff(milliseconds: 100...1_000)
    private var hasSpoken = false

    /// Patience for so many seconds from now on.
    init(seconds: Int) {
        self.deadline = self.clock.monotonicNanoseconds() + UInt64(max(0, seconds)) * 1_000_000_000
    }

    /// Runs `body`, again and again while the server cannot be reached; `body` must have had no effect when it fails so.
    ///
    /// - Throws: What `body` has thrown last.
    static func run<Success>(seconds: Int, _ body: () async throws -> Success) async throws -> Success {
        var patience = Patience(seconds: seconds)
        while true {
            do {
                return try await body()
            } catch let error as CommandError where error.status == .serverUnreachable && error.mayPass {
                guard try await patience.waits(after: error) else { throw error }
            }
        }
    }

    /// Waits a while, and says so the first time; `false` when there was enough of it.
    private mutating func waits(after error: CommandError) async throws -> Bool {
        let now = self.clock.monotonicNanoseconds()
        guard now < self.deadline else { return false }
        if !self.hasSpoken {
            self.hasSpoken = true
            let seconds = (self.deadline - now + 999_999_999) / 1_000_000_000
            Notes.write("leat: \(error.reason); trying again for \(seconds) s")
        }
        try await Task.sleep(for: min(self.backoff.next(), .nanoseconds(self.deadline - now)))
        return true
    }
}
