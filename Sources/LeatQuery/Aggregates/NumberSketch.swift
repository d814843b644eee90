internal import Glibc

/// Counts of numbers in buckets whose borders grow by a constant factor.
///
/// DDSketch (Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch, 2019): a number x is in bucket
/// ceil(log(x) / log(gamma)) with gamma = (1 + a) / (1 - a), and its middle is at most a share a off.
struct NumberSketch: Sendable {
    private var counts: [UInt64] = []
    /// The bucket of `counts[0]`.
    private var first = 0
    private var zeroCount: UInt64 = 0
    private(set) var count: UInt64 = 0
    /// The least and the greatest of the numbers, which no percentile passes.
    private var least = Double.infinity
    private var greatest = -Double.infinity

    /// Numbers so small are counted as 0.
    private static let smallest = 1e-9

    /// The bucket of a number; `nil` for 0.
    @inline(__always)
    static func bucket(of value: Double, inverseLogGamma: Double) -> Int? {
        value <= Self.smallest ? nil : Int((log(value) * inverseLogGamma).rounded(.up))
    }

    mutating func add(bucket: Int?, count: UInt64 = 1) {
        self.count += count
        guard let bucket else {
            self.zeroCount += count
            return
        }
        if self.counts.isEmpty { self.first = bucket }
        if bucket < self.first {
            let room = max(self.first - bucket, 16)
            self.counts.insert(contentsOf: repeatElement(0, count: room), at: 0)
            self.first -= room
        }
        self.counts.grow(to: bucket - self.first + 1, with: 0)
        self.counts[bucket - self.first] += count
    }

    /// Notes a number that is counted in some bucket.
    @inline(__always)
    mutating func note(_ value: Double) {
        if value < self.least { self.least = value }
        if value > self.greatest { self.greatest = value }
    }

    mutating func merge(_ other: NumberSketch) {
        self.least = min(self.least, other.least)
        self.greatest = max(self.greatest, other.greatest)
        for (index, count) in other.counts.enumerated() where count > 0 {
            self.add(bucket: other.first + index, count: count)
        }
        if other.zeroCount > 0 { self.add(bucket: nil, count: other.zeroCount) }
    }

    /// The number below which `percent` of the numbers lie.
    ///
    /// When that border falls between two numbers, any number from one to the other is right; it is then the upper end
    /// of the bucket after the lower one, but never beyond the upper one, which is near what LogScale documents (9.7).
    func value(percent: Double, gamma: Double) -> Double? {
        guard self.count > 0 else { return nil }
        let border = percent / 100 * Double(self.count)
        let rank = min(max(UInt64(border.rounded(.up)), 1), self.count)
        let lower = self.value(rank: rank, gamma: gamma)
        guard border == Double(rank), rank < self.count else { return lower }
        let upper = self.value(rank: rank + 1, gamma: gamma)
        return upper > lower ? self.clamped(min(lower * (gamma + 1) / 2 * gamma, upper)) : lower
    }

    private func clamped(_ value: Double) -> Double { min(max(value, self.least), self.greatest) }

    /// The middle of the bucket of the number that is at `rank`, from 1, in ascending order.
    private func value(rank: UInt64, gamma: Double) -> Double {
        var seen = self.zeroCount
        if rank <= seen { return 0 }
        for (index, count) in self.counts.enumerated() {
            seen += count
            if seen >= rank { return self.clamped(2 * pow(gamma, Double(self.first + index)) / (gamma + 1)) }
        }
        return 0
    }
}
