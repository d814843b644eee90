internal import LeatCore

/// How long to wait before the next try: doubled each time, up to a limit, with full jitter.
///
/// Full jitter spreads clients evenly that all lost the same server (Brooker: Exponential Backoff And Jitter, 2015).
struct RetryPolicy: Sendable {
    var first = Duration.milliseconds(200)
    var longest = Duration.seconds(5)

    /// The wait after `failureCount` failures in a row, at least 1.
    func delay(failureCount: Int, random: inout some RandomNumberGenerator) -> Duration {
        let doublings = UInt64(min(max(0, failureCount - 1), 20))
        let ceiling = min(self.first.wholeNanoseconds << doublings, self.longest.wholeNanoseconds)
        return .nanoseconds(Int64(UInt64.random(in: 0...max(1, ceiling), using: &random)))
    }
}

/// `Retry_Limit`: how often a batch is tried after the first time.
enum RetryLimit: Hashable, Sendable {
    case unlimited
    case tries(Int)

    /// Reads a number, `no_retries`, or `no_limits`, `false` or `off`; `nil` when a text is none of these.
    init?(_ text: String) {
        switch text.lowercased() {
        case "no_limits", "false", "off": self = .unlimited
        case "no_retries": self = .tries(0)
        default:
            guard let count = Int(text), count >= 0 else { return nil }
            self = .tries(count)
        }
    }

    /// `nil`: without end.
    var count: Int? { if case .tries(let count) = self { count } else { nil } }
}
