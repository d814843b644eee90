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
    /// The values as long as there is one group only; then `keys` is empty.
    private var values = DistinctTexts()
    private var isGrouped = false
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
        if groups.ofRow == nil, !self.isGrouped {
            if let column = try rows.column(self.plan.field) {
                self.values.insert(column, within: rows.batch.selection)
            }
        } else {
            self.group()
            var rows = rows
            let all = Groups(ofRow: [UInt32](repeating: 0, count: rows.rowCount), count: 1)
            _ = try self.keys.groups(of: &rows, outer: groups.ofRow == nil ? all : groups)
            self.countNew()
        }
        if self.values.byteCount + self.keys.byteCount > self.context.options.limits.stateBytes {
            throw .outOfMemory(limit: self.context.options.limits.stateBytes)
        }
    }

    /// From now on there is more than one group.
    private func group() {
        guard !self.isGrouped else { return }
        self.isGrouped = true
        self.values.forEach { self.keys.insert($0, outer: 0) }
        self.values = DistinctTexts()
        self.countNew()
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
        let other = self.sibling(other)
        if !self.isGrouped, !other.isGrouped, groups == [0] { return self.values.formUnion(other.values) }
        self.group()
        if let group = groups.first { other.values.forEach { self.keys.insert($0, outer: group) } }
        _ = self.keys.merge(other.keys, outer: groups)
        self.countNew()
    }

    private func value(of group: Int) -> Int {
        if !self.isGrouped { return group == 0 ? self.values.count : 0 }
        return group < self.counts.count ? self.counts[group] : 0
    }

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
