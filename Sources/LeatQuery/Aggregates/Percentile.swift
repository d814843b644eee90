internal import Glibc
internal import LeatCore

/// `percentile`: values below which given shares of the numbers lie, within a relative error.
struct PercentilePlan: AggregatePlan {
    var field: String
    /// Shares in percent, with the column of each.
    var percentiles: [(percent: Double, name: String)]
    /// The largest relative error, above 0 and below 1.
    var accuracy: Double

    var columns: [String]? { self.percentiles.map(\.name) }

    func makeState(_ context: StageContext) -> any AggregateState { PercentileState(self) }
}

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

    mutating func merge(_ other: NumberSketch) {
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
        return upper > lower ? min(lower * (gamma + 1) / 2 * gamma, upper) : lower
    }

    /// The middle of the bucket of the number that is at `rank`, from 1, in ascending order.
    private func value(rank: UInt64, gamma: Double) -> Double {
        var seen = self.zeroCount
        if rank <= seen { return 0 }
        for (index, count) in self.counts.enumerated() {
            seen += count
            if seen >= rank { return 2 * pow(gamma, Double(self.first + index)) / (gamma + 1) }
        }
        return 0
    }
}

/// See `PercentilePlan`.
final class PercentileState: AggregateState {
    private let plan: PercentilePlan
    private let gamma: Double
    private let inverseLogGamma: Double
    private var sketches: [NumberSketch] = []
    /// The buckets of small integers, which are the most frequent numbers in logs.
    private let bucketOfInteger: [Int32]

    private static let tableSize = 65_536

    init(_ plan: PercentilePlan) {
        self.plan = plan
        let gamma = (1 + plan.accuracy) / (1 - plan.accuracy)
        let inverse = 1 / log(gamma)
        self.gamma = gamma
        self.inverseLogGamma = inverse
        self.bucketOfInteger = (0..<Self.tableSize).map { value in
            Int32(NumberSketch.bucket(of: Double(value), inverseLogGamma: inverse) ?? 0)
        }
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.sketches.grow(to: groups.count, with: NumberSketch())
        guard let column = try rows.column(self.plan.field) else { return }
        let (values, valid) = column.numbers()
        var selection = rows.selection
        if let valid { selection.formIntersection(valid) }
        selection.forEachSet { row in
            let value = values[row]
            // Only numbers that are not negative have a place in the sketch (12).
            if value >= 0 { self.sketches[groups[row]].add(bucket: self.bucket(of: value)) }
        }
    }

    @inline(__always)
    private func bucket(of value: Double) -> Int? {
        if value < Double(Self.tableSize) {
            let integer = Int(value)
            if Double(integer) == value { return integer == 0 ? nil : Int(self.bucketOfInteger[integer]) }
        }
        return NumberSketch.bucket(of: value, inverseLogGamma: self.inverseLogGamma)
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        self.sketches.grow(to: groupCount, with: NumberSketch())
        for (index, sketch) in self.sibling(other).sketches.enumerated() {
            self.sketches[Int(groups[index])].merge(sketch)
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard group < self.sketches.count, self.sketches[group].count > 0 else { return }
        try writer.scoped { () throws(QueryFailure) in
            for (percent, name) in self.plan.percentiles {
                if let value = self.sketches[group].value(percent: percent, gamma: self.gamma) {
                    try writer.set(writer.column(name), to: value)
                }
            }
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        guard group < self.sketches.count, let first = self.plan.percentiles.first else { return nil }
        return self.sketches[group].value(percent: first.percent, gamma: self.gamma)
    }
}
