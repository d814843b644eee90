/// How long events took, counted by the bounds that Fluent Bit uses, so that its dashboards go on working.
struct LatencyHistogram: Hashable, Sendable {
    /// Upper bounds in seconds; a last, unbounded bucket follows.
    static let bounds = [0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 30.0]

    /// How many of the durations lie at or below each bound, not counting those of the bounds before.
    private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    private(set) var sumNanoseconds: UInt64 = 0

    /// All durations that were counted.
    var count: UInt64 { self.counts.reduce(0, +) }

    mutating func add(nanoseconds: UInt64) {
        let seconds = Double(nanoseconds) / 1e9
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        self.counts[bucket] += 1
        self.sumNanoseconds &+= nanoseconds
    }
}
