internal import LeatCore

/// `head`, `tail`, `sort`, `table` and the implicit end of a filter query: rows that are kept as they are.
struct KeepRowsPlan: AggregatePlan {
    /// The fields that are kept, in order; `nil`: all.
    var columns: [String]?
    var orders: [SortOrder] = []
    var preference: RowKeeper.Preference = .newest
    var limit: Int
    /// Whether rows without `orders` leave newest first.
    var newestFirst = true

    func makeState(_ context: StageContext) -> any AggregateState {
        KeepRowsState(
            RowKeeper(orders: self.orders, preference: self.preference, limit: self.limit, names: self.columns),
            newestFirst: self.newestFirst
        )
    }
}

/// See `KeepRowsPlan`.
final class KeepRowsState: RowKeepingState {
    private var keepers: [RowKeeper]
    private let empty: RowKeeper
    private let newestFirst: Bool

    init(_ keeper: RowKeeper, newestFirst: Bool) {
        self.keepers = [keeper]
        self.empty = keeper
        self.newestFirst = newestFirst
    }

    /// The keeper of group 0.
    var keeper: RowKeeper { self.keepers[0] }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.keepers.grow(to: groups.count, with: self.empty)
        guard let ofRow = groups.ofRow else { return try self.keepers[0].add(rows) }
        var rowsOfGroup: [UInt32: [Int]] = [:]
        rows.selection.forEachSet { rowsOfGroup[ofRow[$0], default: []].append($0) }
        for (group, own) in rowsOfGroup { try self.keepers[Int(group)].add(rows, rows: own) }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        let other = self.sibling(other)
        self.keepers.grow(to: groupCount, with: self.empty)
        for index in other.keepers.indices where index < groups.count {
            try self.keepers[Int(groups[index])].merge(other.keepers[index])
        }
    }

    func keptRows() -> KeptRows { self.keptRows(of: 0) ?? KeptRows() }

    /// What is kept of a group, in order; `nil` when it never had rows.
    func keptRows(of group: Int) -> KeptRows? {
        guard group < self.keepers.count else { return nil }
        return self.keepers[group].rows(newestFirst: self.empty.orders.isEmpty ? self.newestFirst : nil)
    }

    func emit(
        _ group: Int,
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        guard let kept = self.keptRows(of: group) else { return }
        try kept.emit(names: self.empty.names, into: writer, then: next)
    }
}

extension KeptRows {
    /// Writes the rows one by one.
    func emit(
        names: [String]?,
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let names = names ?? self.fieldNames
        let indexes = names.map { writer.column($0) }
        for (batch, row) in self.order {
            try writer.scoped { () throws(QueryFailure) in
                for (name, index) in zip(names, indexes) {
                    guard let column = try self.batches[batch].column(name), column.isPresent(at: row) else { continue }
                    try column.withBytes(at: row) { (value) throws(QueryFailure) in try writer.set(index, to: value) }
                }
                try next()
            }
        }
    }
}
