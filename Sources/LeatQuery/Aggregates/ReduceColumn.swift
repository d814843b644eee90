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

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        var isEmpty = true
        try writer.scoped { () throws(QueryFailure) in
            for (index, state) in self.states.enumerated() {
                let own = RowWriter()
                try state.emit(group, into: own) { () throws(QueryFailure) in if own.rowCount == 0 { own.endRow() } }
                guard let batch = own.finish().first else { continue }
                let output = EventRows(batch, sequence: 0)
                for (place, name) in own.columns.enumerated() {
                    guard let value = try output.column(name)?.bytes(at: 0) else { continue }
                    let element = "\(self.plan.target)[\(index)]"
                    if place == 0 { try writer.set(writer.column(element), to: value) }
                    try writer.set(writer.column("\(element).\(name)"), to: value)
                    isEmpty = false
                }
            }
            if !isEmpty { try next() }
        }
    }
}
