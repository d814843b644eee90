internal import LeatCore

/// `{ filter | aggregate() | transform }` where an aggregate may stand.
struct SubpipelinePlan: AggregatePlan {
    let program: Program

    /// Known only when nothing follows the aggregate.
    var columns: [String]? { self.program.rest.isEmpty ? self.program.aggregate?.columns : nil }

    func makeState(_ context: StageContext) -> any AggregateState { SubpipelineState(self.program, context) }
}

/// See `SubpipelinePlan`.
final class SubpipelineState: AggregateState {
    private let program: Program
    private let context: StageContext
    private let inner: any AggregateState

    init(_ program: Program, _ context: StageContext) {
        self.program = program
        self.context = context
        self.inner = program.makeState(context)
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        for part in try self.program.stages.run(rows, self.context) {
            try self.inner.update(part, part.lineage.map { groups.picked($0) } ?? groups)
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        try self.inner.merge(self.sibling(other).inner, groups: groups, groupCount: groupCount)
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        if self.program.rest.isEmpty { return try self.inner.emit(group, into: writer, then: next) }
        let own = RowWriter(columns: self.program.aggregate?.columns ?? [])
        try self.inner.emit(group, into: own) { () throws(QueryFailure) in own.endRow() }
        let result = try self.program.finish(own.finish(), columns: own.columns, self.context)
        try result.kept.emit(names: result.columns, into: writer, then: next)
    }

    func rank(of group: Int, by column: String?) -> Double? {
        self.program.rest.isEmpty ? self.inner.rank(of: group, by: column) : nil
    }
}
