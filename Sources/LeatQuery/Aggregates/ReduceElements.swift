internal import LeatCore

/// `array:reduceAll`: an aggregate over the elements of the arrays of all events.
struct ReduceElementsPlan: AggregatePlan {
    let array: String
    let variable: String
    let function: any AggregatePlan

    var columns: [String]? { self.function.columns }

    func makeState(_ context: StageContext) -> any AggregateState {
        ReduceElementsState(self, self.function.makeState(context))
    }
}

/// See `ReduceElementsPlan`.
final class ReduceElementsState: AggregateState {
    private let plan: ReduceElementsPlan
    private let inner: any AggregateState

    init(_ plan: ReduceElementsPlan, _ inner: any AggregateState) {
        self.plan = plan
        self.inner = inner
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        for part in try ElementRows(of: rows, array: self.plan.array, as: self.plan.variable).batches {
            try self.inner.update(part, part.lineage.map { groups.picked($0) } ?? groups)
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        try self.inner.merge(self.sibling(other).inner, groups: groups, groupCount: groupCount)
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        try self.inner.emit(group, into: writer, then: next)
    }

    func rank(of group: Int, by column: String?) -> Double? { self.inner.rank(of: group, by: column) }
}
