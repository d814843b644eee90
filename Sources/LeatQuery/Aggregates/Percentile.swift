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

    /// The buckets; made once, as they are the same for all workers.
    private let scale: SketchScale

    init(field: String, percentiles: [(percent: Double, name: String)], accuracy: Double) {
        self.field = field
        self.percentiles = percentiles
        self.accuracy = accuracy
        self.scale = SketchScale(accuracy: accuracy)
    }

    func makeState(_ context: StageContext) -> any AggregateState { PercentileState(self, self.scale) }
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

/// The buckets of a sketch for one accuracy, found without a logarithm per number.
///
/// The first bits of a number as it lies in memory choose a cell; a cell knows its first bucket, and the borders of
/// buckets say whether the number lies in that or in one of the next.
struct SketchScale: Sendable {
    let gamma: Double
    private let inverseLogGamma: Double
    /// Per cell the bucket of its least number; empty for accuracies that would need large tables.
    private let firstBuckets: [Int32]
    /// Per bucket from `bordersStart` on the largest number in it.
    private let borders: [Double]
    private let bordersStart: Int

    /// Bits of a number that are not part of its cell: all but sign, exponent and eight of the fraction.
    private static let cellShift: UInt64 = 44
    private static let cells = (0x1p-20).bitPattern >> Self.cellShift..<(0x1p44).bitPattern >> Self.cellShift
    /// Finer scales compute each logarithm.
    private static let accuracyMin = 0.000_5

    init(accuracy: Double) {
        let gamma = (1 + accuracy) / (1 - accuracy)
        let inverse = 1 / log(gamma)
        self.gamma = gamma
        self.inverseLogGamma = inverse
        guard accuracy >= Self.accuracyMin else {
            self.firstBuckets = []
            self.borders = []
            self.bordersStart = 0
            return
        }
        self.firstBuckets = Self.cells.map { cell in
            let least = Double(bitPattern: cell << Self.cellShift)
            // One less, as the logarithm may be a rounding too large.
            return Int32((log(least) * inverse).rounded(.up)) - 1
        }
        let start = Int(self.firstBuckets[0])
        let end = Int((log(0x1p44) * inverse).rounded(.up)) + 2
        self.bordersStart = start
        self.borders = (start..<end).map { pow(gamma, Double($0)) }
    }

    /// Marks of rows beside buckets: no number that has a place in a sketch, and 0.
    static let noBucket = Int32.min
    static let zeroBucket = Int32.min + 1

    /// The buckets of some rows' numbers, or marks, and a range that holds the buckets.
    ///
    /// Only numbers that are not negative have a place in a sketch (12).
    func buckets(of values: [Double], at rows: Bitmap) -> (buckets: [Int32], range: ClosedRange<Int32>) {
        var buckets = [Int32](repeating: Self.noBucket, count: values.count)
        var (least, most) = (Int32.max, Int32.min)
        let cells = self.firstBuckets.isEmpty ? 0..<0 : Self.cells
        let start = self.bordersStart
        values.withUnsafeBufferPointer { values in
            self.firstBuckets.withUnsafeBufferPointer { firstBuckets in
                self.borders.withUnsafeBufferPointer { borders in
                    buckets.withUnsafeMutableBufferPointer { buckets in
                        rows.forEachSet { row in
                            let value = values[row]
                            let cell = value.bitPattern >> Self.cellShift
                            let own: Int32
                            if cells.contains(cell) {
                                var bucket = Int(firstBuckets[Int(cell &- cells.lowerBound)])
                                while value > borders[bucket &- start] { bucket &+= 1 }
                                own = Int32(truncatingIfNeeded: bucket)
                            } else {
                                own = self.rareBucket(of: value)
                                if own <= Self.zeroBucket { return buckets[row] = own }
                            }
                            buckets[row] = own
                            if own < least { least = own }
                            if own > most { most = own }
                        }
                    }
                }
            }
        }
        return (buckets, least <= most ? least...most : 0...0)
    }

    /// Slow path: numbers that are 0, negative, very small or very large, and none at all.
    private func rareBucket(of value: Double) -> Int32 {
        guard value >= 0, value < .infinity else { return Self.noBucket }
        guard let bucket = NumberSketch.bucket(of: value, inverseLogGamma: self.inverseLogGamma) else {
            return Self.zeroBucket
        }
        return Int32(clamping: bucket)
    }
}

/// See `PercentilePlan`.
final class PercentileState: AggregateState {
    private let plan: PercentilePlan
    private let scale: SketchScale
    private var sketches: [NumberSketch] = []

    init(_ plan: PercentilePlan, _ scale: SketchScale) {
        self.plan = plan
        self.scale = scale
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.sketches.grow(to: groups.count, with: NumberSketch())
        guard let column = try rows.column(self.plan.field) else { return }
        let (values, valid) = column.numbers()
        var selection = rows.selection
        if let valid { selection.formIntersection(valid) }
        let (buckets, range) = self.scale.buckets(of: values, at: selection)
        self.count(buckets, range, selection, groups)
        self.noteExtremes(of: values, buckets, selection, groups)
    }

    private func noteExtremes(of values: [Double], _ buckets: [Int32], _ selection: Bitmap, _ groups: Groups) {
        self.sketches.withUnsafeMutableBufferPointer { sketches in
            values.withUnsafeBufferPointer { values in
                buckets.withUnsafeBufferPointer { buckets in
                    selection.forEachSet { row in
                        if buckets[row] != SketchScale.noBucket { sketches[groups[row]].note(values[row]) }
                    }
                }
            }
        }
    }

    /// Cells of a table of groups and buckets that is worth making for a batch.
    private static let tableSizeMax = 1 << 18

    private func count(_ buckets: [Int32], _ range: ClosedRange<Int32>, _ selection: Bitmap, _ groups: Groups) {
        let width = Int(range.upperBound) - Int(range.lowerBound) + 2
        let (size, isTooMuch) = width.multipliedReportingOverflow(by: groups.count)
        guard !isTooMuch, size <= Self.tableSizeMax, size <= 4 * buckets.count + 4_096 else {
            selection.forEachSet { row in
                guard buckets[row] != SketchScale.noBucket else { return }
                let bucket = buckets[row] == SketchScale.zeroBucket ? nil : Int(buckets[row])
                self.sketches[groups[row]].add(bucket: bucket)
            }
            return
        }
        // Fast path: counted in one table; of each group the first cell is for 0.
        var table = [UInt32](repeating: 0, count: size)
        let first = Int(range.lowerBound) - 1
        table.withUnsafeMutableBufferPointer { table in
            buckets.withUnsafeBufferPointer { buckets in
                selection.forEachSet { row in
                    let bucket = buckets[row]
                    guard bucket != SketchScale.noBucket else { return }
                    table[groups[row] * width + (bucket == SketchScale.zeroBucket ? 0 : Int(bucket) - first)] &+= 1
                }
            }
        }
        for (cell, count) in table.enumerated() where count > 0 {
            let bucket = cell % width
            self.sketches[cell / width].add(bucket: bucket == 0 ? nil : bucket + first, count: UInt64(count))
        }
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
                if let value = self.sketches[group].value(percent: percent, gamma: self.scale.gamma) {
                    try writer.set(writer.column(name), to: value)
                }
            }
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        guard group < self.sketches.count, let first = self.plan.percentiles.first else { return nil }
        return self.sketches[group].value(percent: first.percent, gamma: self.scale.gamma)
    }
}
