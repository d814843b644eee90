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

/// See `PercentilePlan`.
final class PercentileState: AggregateState {
    private let plan: PercentilePlan
    private let scale: SketchScale
    private var sketches: [NumberSketch] = []
    /// Per group and place of `scale` how many numbers its sketch does not have yet.
    private var table: [UInt32] = []
    /// Numbers that may be in `table`; far from what one of its cells can count.
    private var tableCount = 0

    init(_ plan: PercentilePlan, _ scale: SketchScale) {
        self.plan = plan
        self.scale = scale
    }

    /// Cells of `table`, beyond which sketches are added to directly: 4 MiB.
    private static let tableSizeMax = 1 << 20
    private static let tableCountMax = 1 << 31

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.sketches.grow(to: groups.count, with: NumberSketch())
        guard let column = try rows.column(self.plan.field) else { return }
        self.makeRoom(for: rows.rowCount)
        if let numbers = column.wholeNumbers {
            self.add(numbers, within: rows.selection, groups)
            return
        }
        let (values, valid) = column.numbers()
        var selection = rows.selection
        if let valid { selection.formIntersection(valid) }
        self.withTally(groups) { tally in selection.forEachSet { tally.add(values[$0], at: $0) } }
    }

    private func add(_ numbers: WholeNumbers, within selection: Bitmap, _ groups: Groups) {
        let divisor = numbers.divisor
        numbers.values.withUnsafeBufferPointer { values in
            self.withTally(groups) { tally in
                numbers.forEach(within: selection) { row, index in tally.add(Double(values[index]) / divisor, at: row) }
            }
        }
    }

    /// What counts the numbers of a batch; valid while its state lends its memory.
    private struct Tally {
        let scale: SketchScale
        let sketches: UnsafeMutableBufferPointer<NumberSketch>
        let table: UnsafeMutableBufferPointer<UInt32>
        let ofRow: UnsafeBufferPointer<UInt32>?

        @inline(__always)
        func add(_ value: Double, at row: Int) {
            let group = self.ofRow.map { Int($0[row]) } ?? 0
            if let place = self.scale.place(of: value), !self.table.isEmpty {
                self.table[group &* self.scale.bucketCount &+ place] &+= 1
                self.sketches[group].note(value)
            } else {
                self.addRare(value, to: group)
            }
        }

        /// Slow path: numbers that are 0, negative, very small or very large, and those of many groups.
        private func addRare(_ value: Double, to group: Int) {
            switch self.scale.bucket(of: value) {
            case .none: return
            case .zero: self.sketches[group].add(bucket: nil)
            case .number(let bucket): self.sketches[group].add(bucket: bucket)
            }
            self.sketches[group].note(value)
        }
    }

    private func withTally(_ groups: Groups, _ body: (Tally) -> Void) {
        let scale = self.scale
        self.sketches.withUnsafeMutableBufferPointer { sketches in
            self.table.withUnsafeMutableBufferPointer { table in
                guard let ofRow = groups.ofRow else {
                    return body(Tally(scale: scale, sketches: sketches, table: table, ofRow: nil))
                }
                ofRow.withUnsafeBufferPointer {
                    body(Tally(scale: scale, sketches: sketches, table: table, ofRow: $0))
                }
            }
        }
    }

    /// Makes the table as large as all groups need; none when that is too much.
    private func makeRoom(for rowCount: Int) {
        let (size, isTooMuch) = self.scale.bucketCount.multipliedReportingOverflow(by: self.sketches.count)
        if isTooMuch || size > Self.tableSizeMax || self.tableCount > Self.tableCountMax { self.takeTable() }
        guard !isTooMuch, size <= Self.tableSizeMax else { return }
        self.table.grow(to: size, with: 0)
        self.tableCount += rowCount
    }

    /// Adds what the table has to the sketches.
    private func takeTable() {
        let width = self.scale.bucketCount
        for (cell, count) in self.table.enumerated() where count > 0 {
            self.sketches[cell / width].add(bucket: self.scale.firstBucket + cell % width, count: UInt64(count))
        }
        self.table = []
        self.tableCount = 0
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        let other = self.sibling(other)
        other.takeTable()
        self.takeTable()
        self.sketches.grow(to: groupCount, with: NumberSketch())
        for (index, sketch) in other.sketches.enumerated() { self.sketches[Int(groups[index])].merge(sketch) }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        self.takeTable()
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
        self.takeTable()
        guard group < self.sketches.count, let first = self.plan.percentiles.first else { return nil }
        return self.sketches[group].value(percent: first.percent, gamma: self.scale.gamma)
    }
}
