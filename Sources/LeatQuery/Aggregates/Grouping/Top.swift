internal import LeatCore

/// `top`: the tuples of values with the largest count, sum or maximum, in descending order.
struct TopPlan: AggregatePlan {
    var fields: [String]
    /// What ranks: a count, a sum or a maximum, under `name`.
    var measure: any AggregatePlan
    var name: String
    var limit: Int
    /// Whether a column says each share of the total in percent.
    var hasPercent = false
    /// What stands in the first field of a last row for all other tuples.
    var rest: String?

    var columns: [String]? {
        self.fields.adding([self.name]).adding(self.hasPercent ? ["percent"] : [])
    }

    func makeState(_ context: StageContext) -> any AggregateState { TopState(self, context) }
}

/// See `TopPlan`.
final class TopState: AggregateState {
    private let plan: TopPlan
    private let grouping: Grouping
    private var groupsByOuter: [[Int]]?

    init(_ plan: TopPlan, _ context: StageContext) {
        self.plan = plan
        self.grouping = Grouping(
            plan.fields.map { .field($0) },
            function: plan.measure.makeState(context),
            context
        )
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.groupsByOuter = nil
        try self.grouping.update(rows, groups)
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        self.groupsByOuter = nil
        try self.grouping.merge(self.sibling(other).grouping, outer: groups)
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let byOuter = self.groupsByOuter ?? self.grouping.groupsByOuter()
        self.groupsByOuter = byOuter
        guard group < byOuter.count else { return }
        // What comes behind the limit counts only in sums.
        let sorted = self.grouping.sorted(byOuter[group], by: nil, limit: self.plan.limit)
        let needsTotal = self.plan.hasPercent || self.plan.rest != nil
        let total = needsTotal ? byOuter[group].reduce(0.0) { $0 + self.value(of: $1) } : 0
        let keyColumns = self.plan.fields.enumerated().map { (key: $0.offset, column: writer.column($0.element)) }
        for inner in sorted {
            try writer.scoped { () throws(QueryFailure) in
                try self.grouping.emit(inner, keyColumns: keyColumns, into: writer) { () throws(QueryFailure) in
                    try self.setPercent(self.value(of: inner), of: total, writer)
                    try next()
                }
            }
        }
        guard let rest = self.plan.rest, byOuter[group].count > self.plan.limit else { return }
        let shown = Set(sorted)
        let value = byOuter[group].reduce(0.0) { shown.contains($1) ? $0 : $0 + self.value(of: $1) }
        try writer.scoped { () throws(QueryFailure) in
            for column in keyColumns { try writer.set(column.column, to: Array(rest.utf8)) }
            try writer.set(writer.column(self.plan.name), to: value)
            try self.setPercent(value, of: total, writer)
            try next()
        }
    }

    private func setPercent(_ value: Double, of total: Double, _ writer: RowWriter) throws(QueryFailure) {
        guard self.plan.hasPercent, total > 0 else { return }
        let column = writer.column("percent")
        writer.clear(column)
        try writer.set(column, to: value * 100 / total)
    }

    private func value(of group: Int) -> Double { self.grouping.function?.rank(of: group, by: nil) ?? 0 }
}
