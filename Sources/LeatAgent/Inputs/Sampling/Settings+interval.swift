extension Settings {
    /// The time between two events of `interval_sec` and `interval_nsec` together: a second when they say nothing that can
    /// be meant.
    var interval: Duration {
        let (seconds, rest) = (self.integer("interval_sec") ?? 1, self.integer("interval_nsec") ?? 0)
        guard seconds > 0 || rest > 0 else { return .seconds(1) }
        // Shorter intervals would keep the loop from everything else.
        return max(.milliseconds(1), .seconds(max(0, seconds)) + .nanoseconds(max(0, rest)))
    }
}
