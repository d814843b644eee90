internal import LeatCore

/// What a sequence function makes of the rows of one group, which come in order: events by ascending time, rows of an
/// aggregate as they stand.
protocol SequenceFunction: Sendable {
    /// The columns of its rows, if they are known.
    var columns: [String]? { get }

    /// Writes rows: sets fields and calls `next` for each.
    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure)
}

/// The rows of a group in order.
struct SequenceRows {
    let batches: [EventRows]
    let order: [(batch: Int, row: Int)]
    /// All names that a row may have.
    let names: [String]

    var count: Int { self.order.count }

    /// The value of a field in a row, `nil` when it is absent.
    func value(_ name: String, _ index: Int) throws(QueryFailure) -> [UInt8]? {
        let (batch, row) = self.order[index]
        return try self.batches[batch].column(name)?.bytes(at: row)
    }

    /// The value of a field in a row as a number.
    func number(_ name: String, _ index: Int) throws(QueryFailure) -> Double? {
        try self.value(name, index).flatMap { text in text.withUnsafeBytes { NumberText.parse($0) } }
    }

    /// Rows `range` as one batch, for an aggregate.
    func rows(_ range: Range<Int>) throws(QueryFailure) -> [EventRows] {
        try KeptRows(batches: self.batches, order: Array(self.order[range])).assembledInOrder()
    }

    /// Sets all fields of a row.
    func set(_ index: Int, in writer: RowWriter) throws(QueryFailure) {
        for name in self.names {
            if let value = try self.value(name, index) { try writer.set(writer.column(name), to: value) }
        }
    }
}

extension SequenceRows {
    /// Writes each row with its fields, after `change` has set or cleared some of them.
    func emitEach(
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void,
        _ change: (Int) throws(QueryFailure) -> Void = { _ in }
    ) throws(QueryFailure) {
        for index in 0..<self.count {
            try writer.scoped { () throws(QueryFailure) in
                try self.set(index, in: writer)
                try change(index)
                try next()
            }
        }
    }
}

extension KeptRows {
    /// The rows in batches of their own, of which a later row counts as the newer.
    func assembledInOrder() throws(QueryFailure) -> [EventRows] {
        try KeptRows(batches: self.batches, order: self.order.reversed()).assembled()
    }
}

/// A function of the ordered rows of a group: `session`, `series`, `accumulate`, `neighbor` and their like.
struct SequencePlan: AggregatePlan {
    let function: any SequenceFunction
    /// Whether the rows come from another aggregate, in its order.
    let isOrdered: Bool

    var columns: [String]? { self.function.columns }

    func makeState(_ context: StageContext) -> any AggregateState {
        SequenceState(self, context)
    }
}

/// See `SequencePlan`: keeps rows until all are there.
final class SequenceState: AggregateState {
    private let plan: SequencePlan
    private let context: StageContext
    private let rows: KeepRowsState

    init(_ plan: SequencePlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
        self.rows = KeepRowsState(
            RowKeeper(
                preference: plan.isOrdered ? .newest : .oldest,
                limit: context.options.limits.rowsMax
            ),
            newestFirst: plan.isOrdered
        )
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) { try self.rows.update(rows, groups) }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        try self.rows.merge(self.sibling(other).rows, groups: groups, groupCount: groupCount)
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard let kept = self.rows.keptRows(of: group), !kept.order.isEmpty else { return }
        if kept.order.count == self.context.options.limits.rowsMax {
            self.context.warn("only \(kept.order.count) rows of a sequence were looked at")
        }
        let batches = try kept.assembled()
        var order: [(batch: Int, row: Int)] = []
        for (index, batch) in batches.enumerated() { order += (0..<batch.rowCount).map { (index, $0) } }
        let rows = SequenceRows(batches: batches, order: order, names: kept.fieldNames)
        try self.plan.function.emit(rows, into: writer, self.context, then: next)
    }
}

extension AggregatePlan {
    /// Writes the rows of this aggregate over rows `range` of a sequence.
    func emit(
        over rows: SequenceRows,
        _ range: Range<Int>,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let state = self.makeState(context)
        for batch in try rows.rows(range) { try state.update(batch, .one) }
        try state.emit(0, into: writer, then: next)
    }
}
