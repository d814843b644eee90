internal import LeatCore

/// `percentage`: the share of events for which a condition is true, from 0 to 100.
struct PercentagePlan: AggregatePlan {
    var condition: ExpressionProgram
    var name: String

    var columns: [String]? { [self.name] }

    func makeState(_ context: StageContext) -> any AggregateState { PercentageState(self, context) }
}

/// See `PercentagePlan`.
final class PercentageState: AggregateState {
    private let plan: PercentagePlan
    private let context: StageContext
    private var counts: [(all: Int, passing: Int)] = []

    init(_ plan: PercentagePlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.counts.grow(to: groups.count, with: (0, 0))
        let selection = rows.selection
        let values = try self.plan.condition.evaluate(rows, within: selection, self.context)
        let truth = try values.truth(rowCount: rows.rowCount)
        selection.forEachSet { row in
            self.counts[groups[row]].all += 1
            if truth[row] { self.counts[groups[row]].passing += 1 }
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        self.counts.grow(to: groupCount, with: (0, 0))
        for (index, counts) in self.sibling(other).counts.enumerated() {
            self.counts[Int(groups[index])].all += counts.all
            self.counts[Int(groups[index])].passing += counts.passing
        }
    }

    private func value(of group: Int) -> Double? {
        guard group < self.counts.count, self.counts[group].all > 0 else { return nil }
        return Double(self.counts[group].passing) * 100 / Double(self.counts[group].all)
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard let value = self.value(of: group) else { return }
        try writer.scoped { () throws(QueryFailure) in
            try writer.set(writer.column(self.plan.name), to: value)
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        column == nil || column == self.plan.name ? self.value(of: group) : nil
    }
}
