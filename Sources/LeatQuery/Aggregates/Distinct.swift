internal import LeatCore

/// `count(field, distinct=true)`: how many different values a field has; exact.
struct DistinctPlan: AggregatePlan {
    var field: String
    var name: String

    var columns: [String]? { [self.name] }

    func makeState(_ context: StageContext) -> any AggregateState { DistinctState(self, context) }
}

/// See `DistinctPlan`.
final class DistinctState: AggregateState {
    private let plan: DistinctPlan
    private let context: StageContext
    private var keys: GroupKeys
    /// How many values each group has.
    private var counts: [Int] = []
    private var counted = 0

    init(_ plan: DistinctPlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
        self.keys = GroupKeys([.field(plan.field)])
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        var rows = rows
        _ = try self.keys.groups(of: &rows, outer: groups)
        self.countNew()
        if self.keys.byteCount > self.context.options.limits.stateBytes {
            throw .outOfMemory(limit: self.context.options.limits.stateBytes)
        }
    }

    private func countNew() {
        while self.counted < self.keys.count {
            let outer = self.keys.outer(of: self.counted)
            self.counts.grow(to: outer + 1, with: 0)
            self.counts[outer] += 1
            self.counted += 1
        }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        _ = self.keys.merge(self.sibling(other).keys, outer: groups)
        self.countNew()
    }

    private func value(of group: Int) -> Int { group < self.counts.count ? self.counts[group] : 0 }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let column = writer.column(self.plan.name)
        try writer.scoped { () throws(QueryFailure) in
            try writer.set(column, to: self.value(of: group))
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        column == nil || column == self.plan.name ? Double(self.value(of: group)) : nil
    }
}
