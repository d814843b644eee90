internal import LeatCore

/// `sum`, `avg`, `min`, `max`, `range` and `stdDev` of the numbers of a field; other values are ignored.
struct NumericPlan: AggregatePlan {
    enum Kind: String, Sendable {
        case sum, avg, min, max, range, stdDev
    }

    var kind: Kind
    var field: String
    var name: String

    var columns: [String]? { [self.name] }

    func makeState(_ context: StageContext) -> any AggregateState { NumericState(self) }
}

/// What one group's numbers come to.
private struct Numbers {
    var count = 0
    var sum = ExactSum()
    var squares = ExactSum()
    var min = Double.infinity
    var max = -Double.infinity

    mutating func merge(_ other: Numbers) {
        self.count += other.count
        self.sum.add(other.sum)
        self.squares.add(other.squares)
        self.min = Swift.min(self.min, other.min)
        self.max = Swift.max(self.max, other.max)
    }

    /// The sample's standard deviation: divided by one less than the count; 0 for a single number (12, [L]).
    var standardDeviation: Double {
        guard self.count > 1 else { return 0 }
        let mean = self.sum.value / Double(self.count)
        let variance = (self.squares.value - mean * self.sum.value) / Double(self.count - 1)
        return variance > 0 ? variance.squareRoot() : 0
    }
}

/// A sum of doubles in twice their precision, so that it does not depend on the order of the addends in practice.
///
/// Two-sum after Knuth: the error of each addition is kept and added up separately.
struct ExactSum: Hashable, Sendable {
    private var high = 0.0
    private var low = 0.0

    @inline(__always)
    mutating func add(_ value: Double) {
        let sum = self.high + value
        let part = sum - self.high
        self.low += (self.high - (sum - part)) + (value - part)
        self.high = sum
    }

    mutating func add(_ other: ExactSum) {
        self.add(other.high)
        self.add(other.low)
    }

    var value: Double { self.high + self.low }
}

/// See `NumericPlan`.
final class NumericState: AggregateState {
    private let plan: NumericPlan
    private var groups: [Numbers] = []

    init(_ plan: NumericPlan) { self.plan = plan }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.groups.grow(to: groups.count, with: Numbers())
        guard let column = try rows.column(self.plan.field) else { return }
        let (values, valid) = column.numbers()
        var selection = rows.selection
        if let valid { selection.formIntersection(valid) }
        let kind = self.plan.kind
        self.groups.withUnsafeMutableBufferPointer { target in
            values.withUnsafeBufferPointer { values in
                selection.forEachSet { row in
                    let group = groups[row]
                    let value = values[row]
                    target[group].count &+= 1
                    switch kind {
                    case .sum, .avg: target[group].sum.add(value)
                    case .min, .max, .range:
                        if value < target[group].min { target[group].min = value }
                        if value > target[group].max { target[group].max = value }
                    case .stdDev:
                        target[group].sum.add(value)
                        target[group].squares.add(value * value)
                    }
                }
            }
        }
    }

    func canAnswer(from block: any BlockSource) -> Bool {
        guard block.exactRowCount != nil, let statistics = block.statistics(of: self.plan.field) else { return false }
        switch self.plan.kind {
        case .min, .max, .range: return statistics.presentCount == 0 || statistics.integers != nil
        case .sum, .avg, .stdDev: return statistics.presentCount == 0
        }
    }

    func answer(from block: any BlockSource) {
        self.groups.grow(to: 1, with: Numbers())
        guard let statistics = block.statistics(of: self.plan.field), let integers = statistics.integers,
            statistics.presentCount > 0
        else { return }
        self.groups[0].count += statistics.presentCount
        self.groups[0].min = Swift.min(self.groups[0].min, Double(integers.lowerBound))
        self.groups[0].max = Swift.max(self.groups[0].max, Double(integers.upperBound))
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        let other = self.sibling(other)
        self.groups.grow(to: groupCount, with: Numbers())
        for (index, numbers) in other.groups.enumerated() { self.groups[Int(groups[index])].merge(numbers) }
    }

    /// A sum of nothing is 0; the others have no value then.
    private func value(of group: Int) -> Double? {
        guard group < self.groups.count, self.groups[group].count > 0 else { return self.plan.kind == .sum ? 0 : nil }
        let numbers = self.groups[group]
        return switch self.plan.kind {
        case .sum: numbers.sum.value
        case .avg: numbers.sum.value / Double(numbers.count)
        case .min: numbers.min
        case .max: numbers.max
        case .range: numbers.max - numbers.min
        case .stdDev: numbers.standardDeviation
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard let value = self.value(of: group) else { return }
        let column = writer.column(self.plan.name)
        try writer.scoped { () throws(QueryFailure) in
            try writer.set(column, to: value)
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        column == nil || column == self.plan.name ? self.value(of: group) : nil
    }
}
