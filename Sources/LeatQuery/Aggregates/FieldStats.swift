internal import LeatCore

/// `fieldset` and `fieldstats`: the names of all fields, and how many events and different values each has.
struct FieldStatsPlan: AggregatePlan {
    /// Whether counts are wanted too.
    var hasCounts: Bool
    var limit: Int

    var columns: [String]? { self.hasCounts ? ["field", "_count", "_distinct"] : ["field"] }

    func makeState(_ context: StageContext) -> any AggregateState { FieldStatsState(self) }
}

/// See `FieldStatsPlan`.
final class FieldStatsState: AggregateState {
    private struct Field {
        let name: String
        var count = 0
        var values = ByteStringTable()
    }

    private let plan: FieldStatsPlan
    /// Per group.
    private var fields: [[Field]] = []

    init(_ plan: FieldStatsPlan) { self.plan = plan }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.fields.grow(to: groups.count, with: [])
        for name in rows.fieldNames {
            guard let column = try rows.column(name) else { continue }
            var present = rows.selection
            if let presence = column.presence { present.formIntersection(presence) }
            var rowsOfGroup: [Int: [Int]] = [:]
            present.forEachSet { rowsOfGroup[groups[$0], default: []].append($0) }
            for (group, own) in rowsOfGroup {
                let index = self.index(of: name, in: group)
                self.fields[group][index].count += own.count
                guard self.plan.hasCounts else { continue }
                for row in own {
                    column.withBytes(at: row) { _ = self.fields[group][index].values.index(of: $0) }
                }
            }
        }
    }

    private func index(of name: String, in group: Int) -> Int {
        if let known = self.fields[group].firstIndex(where: { $0.name == name }) { return known }
        self.fields[group].append(Field(name: name))
        return self.fields[group].count - 1
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        self.fields.grow(to: groupCount, with: [])
        for (group, fields) in self.sibling(other).fields.enumerated() {
            for field in fields {
                let own = Int(groups[group])
                let index = self.index(of: field.name, in: own)
                self.fields[own][index].count += field.count
                for value in 0..<field.values.count {
                    field.values.withString(value) { _ = self.fields[own][index].values.index(of: $0) }
                }
            }
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard group < self.fields.count else { return }
        let sorted = self.fields[group].sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        for field in sorted.prefix(self.plan.limit) {
            try writer.scoped { () throws(QueryFailure) in
                try writer.set(writer.column("field"), to: Array(field.name.utf8))
                if self.plan.hasCounts {
                    try writer.set(writer.column("_count"), to: field.count)
                    try writer.set(writer.column("_distinct"), to: field.values.count)
                }
                try next()
            }
        }
    }
}
