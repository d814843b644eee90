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
