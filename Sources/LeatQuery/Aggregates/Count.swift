internal import LeatCore

/// `count()`: events, or events that have a field.
struct CountPlan: AggregatePlan {
    var field: String?
    var name: String

    var columns: [String]? { [self.name] }

    func makeState(_ context: StageContext) -> any AggregateState { CountState(self) }
}

/// See `CountPlan`.
final class CountState: AggregateState {
    private let plan: CountPlan
    private var counts: [Int] = []

    init(_ plan: CountPlan) { self.plan = plan }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.counts.grow(to: groups.count, with: 0)
        var selection = rows.batch.selection
        if let field = self.plan.field {
            guard let column = try rows.column(field) else { return }
            selection = Bitmap.intersection(selection, column.presence)
        }
        guard let ofRow = groups.ofRow else {
            self.counts[0] += selection?.setCount ?? rows.rowCount
            return
        }
        let all = selection ?? Bitmap(repeating: true, count: rows.rowCount)
        self.counts.withUnsafeMutableBufferPointer { counts in
            ofRow.withUnsafeBufferPointer { ofRow in
                all.forEachSet { counts[Int(ofRow[$0])] &+= 1 }
            }
        }
    }

    func canAnswer(from block: any BlockSource) -> Bool { self.count(in: block) != nil }

    func answer(from block: any BlockSource) {
        self.counts.grow(to: 1, with: 0)
        self.counts[0] += self.count(in: block) ?? 0
    }

    /// Counts events of a group; only for a plan without a field.
    func add(_ count: Int, to group: Int) {
        self.counts.grow(to: group + 1, with: 0)
        self.counts[group] += count
    }

    /// Counts events of many groups, of which those from `limit` on, and those without a group (`UInt32.max`), do not count.
    func add(_ counts: [UInt32], to groups: [UInt32], below limit: Int) {
        self.counts.grow(to: limit, with: 0)
        self.counts.withUnsafeMutableBufferPointer { own in
            for (index, group) in groups.enumerated() where group < limit { own[Int(group)] &+= Int(counts[index]) }
        }
    }

    /// Whether every event counts.
    var countsAll: Bool { self.plan.field == nil }

    private func count(in block: any BlockSource) -> Int? {
        guard let rowCount = block.exactRowCount else { return nil }
        guard let field = self.plan.field else { return rowCount }
        return block.statistics(of: field)?.presentCount
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        let other = self.sibling(other)
        self.counts.grow(to: groupCount, with: 0)
        for (index, count) in other.counts.enumerated() { self.counts[Int(groups[index])] += count }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let column = writer.column(self.plan.name)
        try writer.scoped { () throws(QueryFailure) in
            try writer.set(column, to: group < self.counts.count ? self.counts[group] : 0)
            try next()
        }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        guard column == nil || column == self.plan.name else { return nil }
        return group < self.counts.count ? Double(self.counts[group]) : 0
    }
}
