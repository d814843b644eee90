public import LeatCore

/// A plan that is fed events as they arrive.
///
/// A filter query answers each batch with the rows that pass. An aggregate keeps one state per slice of time, so that
/// a window that moves with the clock forgets what has left it; the answer counts whole slices.
public final class LiveExecution: Sendable {
    private struct Slice {
        let number: Int64
        let aggregate: any AggregateState
    }

    private struct State {
        var slices: [Slice] = []
        var sequence = 1
    }

    /// How many slices a window has.
    private static let slicesPerWindow: Int64 = 60

    public let plan: QueryPlan
    private let context: StageContext
    /// Length of the window in nanoseconds; `nil`: nothing is forgotten.
    private let windowNanoseconds: Int64?
    private let state: Guarded<State>

    /// A live run of `plan`, whose interval ends at the present; `window` is how far back it reaches, in nanoseconds,
    /// and `nil` means from the first batch on.
    public init(_ plan: QueryPlan, window: Int64? = nil) {
        self.plan = plan
        self.context = StageContext(options: plan.options)
        self.windowNanoseconds = window.map { max($0, Self.slicesPerWindow) }
        self.state = Guarded(State())
    }

    /// The rows of a batch that pass, newest first; for an aggregate query they are counted and none is returned.
    public func consume(_ batch: Batch) throws(QueryFailure) -> QueryRows {
        try self.state.withLock { (state) throws(QueryFailure) -> QueryRows in
            let sequence = state.sequence
            state.sequence = sequence % 0xFF_FFFE + 1
            let parts = try self.plan.matching(batch, sequence: sequence, self.context)
            guard self.plan.isAggregate else {
                var keeper = RowKeeper(preference: .newest, limit: .max)
                for rows in parts { try keeper.add(rows) }
                return try keeper.rows().queryRows()
            }
            for rows in parts { try self.aggregate(rows, in: &state) }
            return QueryRows()
        }
    }

    /// Gives each row to the slice of its time.
    private func aggregate(_ rows: EventRows, in state: inout State) throws(QueryFailure) {
        guard let window = self.windowNanoseconds else { return try self.update(rows, slice: 0, in: &state) }
        let length = window / Self.slicesPerWindow
        let times = rows.batch.timestamps
        var rowsOfSlice: [Int64: Bitmap] = [:]
        let empty = Bitmap(repeating: false, count: rows.rowCount)
        rows.selection.forEachSet { row in
            rowsOfSlice[Self.floorDivide(times[row], length), default: empty].set(row)
        }
        for (slice, selection) in rowsOfSlice {
            var part = rows
            part.selection = selection
            try self.update(part, slice: slice, in: &state)
        }
    }

    private func update(_ rows: EventRows, slice: Int64, in state: inout State) throws(QueryFailure) {
        let aggregate: any AggregateState
        if let known = state.slices.first(where: { $0.number == slice }) {
            aggregate = known.aggregate
        } else {
            aggregate = self.plan.program.makeState(self.context)
            state.slices.append(Slice(number: slice, aggregate: aggregate))
        }
        try aggregate.update(rows, .one)
    }

    /// The answer of an aggregate query for the window that ends at `now`; what has left the window is forgotten.
    public func currentResult(now: Timestamp) throws(QueryFailure) -> QueryResult {
        try self.state.withLock { (state) throws(QueryFailure) -> QueryResult in
            if let window = self.windowNanoseconds {
                let length = window / Self.slicesPerWindow
                let first = Self.floorDivide(now.nanoseconds - window, length)
                state.slices.removeAll { $0.number < first }
                self.context.interval = now.nanoseconds - window..<now.nanoseconds
            }
            let total = self.plan.program.makeState(self.context)
            for slice in state.slices { try total.merge(slice.aggregate, groups: [0], groupCount: 1) }
            var result = try self.plan.program.finish(total, self.context)
            result.warnings += self.plan.warnings
            return result
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
