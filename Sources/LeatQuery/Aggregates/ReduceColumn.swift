internal import LeatCore

/// `array:reduceColumn`: an aggregate over the elements of all events that stand in the same place.
struct ReduceColumnPlan: AggregatePlan {
    let elements: ArrayElements
    let function: any AggregatePlan
    /// The array that is written, one element per place.
    let target: String

    var columns: [String]? { nil }

    func makeState(_ context: StageContext) -> any AggregateState { ReduceColumnState(self, context) }
}

/// See `ReduceColumnPlan`.
final class ReduceColumnState: AggregateState {
    private let plan: ReduceColumnPlan
    private let context: StageContext
    /// A state for each place.
    private var states: [any AggregateState] = []

    init(_ plan: ReduceColumnPlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
    }

    private func state(_ index: Int) -> any AggregateState {
        while self.states.count <= index { self.states.append(self.plan.function.makeState(self.context)) }
        return self.states[index]
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        var left = rows.selection
        var index = 0
        while index < self.context.options.limits.arrayElements,
            let bound = try self.plan.elements.bound(index, rows, within: left)
        {
            left = bound.selection
            try self.state(index).update(bound, groups)
            index += 1
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        for (index, state) in self.sibling(other).states.enumerated() {
            try self.state(index).merge(state, groups: groups, groupCount: groupCount)
        }
    }

    /// Row `n` holds row `n` of each place: the only field of the aggregate as the element, or each of several below it.
    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        var places: [(names: [String], rows: [EventRows])] = []
        for state in self.states {
            let own = RowWriter()
            try state.emit(group, into: own) { () throws(QueryFailure) in own.endRow() }
            let names = own.columns
            places.append((names, own.finish().map { EventRows($0, sequence: 0) }))
        }
        let rowCount = places.map { $0.rows.reduce(0) { $0 + $1.rowCount } }.max() ?? 0
        for row in 0..<rowCount {
            try writer.scoped { () throws(QueryFailure) in
                for (index, place) in places.enumerated() {
                    try self.write(place.names, of: place.rows, row: row, as: "\(self.plan.target)[\(index)]", writer)
                }
                try next()
            }
        }
    }

    private func write(
        _ names: [String],
        of batches: [EventRows],
        row: Int,
        as element: String,
        _ writer: RowWriter
    ) throws(QueryFailure) {
        var row = row
        for batch in batches {
            guard row < batch.rowCount else {
                row -= batch.rowCount
                continue
            }
            for name in names {
                guard let value = try batch.column(name)?.bytes(at: row) else { continue }
                let field = names.count == 1 ? element : "\(element).\(name)"
                try writer.set(writer.column(field), to: value)
            }
            return
        }
    }
}
