internal import LeatCore

/// `stats([f(), g()])`: several aggregates side by side, whose rows are combined (9.3).
struct CombinedPlan: AggregatePlan {
    let parts: [any AggregatePlan]

    var columns: [String]? {
        var result: [String] = []
        for part in self.parts {
            guard let columns = part.columns else { return nil }
            result = result.adding(columns)
        }
        return result
    }

    func makeState(_ context: StageContext) -> any AggregateState {
        CombinedState(self.parts.map { $0.makeState(context) })
    }
}

/// See `CombinedPlan`.
final class CombinedState: AggregateState {
    private let parts: [any AggregateState]

    init(_ parts: [any AggregateState]) { self.parts = parts }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        for part in self.parts { try part.update(rows, groups) }
    }

    func canAnswer(from block: any BlockSource) -> Bool { self.parts.allSatisfy { $0.canAnswer(from: block) } }

    func answer(from block: any BlockSource) { for part in self.parts { part.answer(from: block) } }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        let other = self.sibling(other)
        for (part, otherPart) in zip(self.parts, other.parts) {
            try part.merge(otherPart, groups: groups, groupCount: groupCount)
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        try self.emit(from: 0, group, into: writer, then: next)
    }

    /// Every row of one part with every row of the next; a part without rows counts as one empty row.
    private func emit(
        from index: Int,
        _ group: Int,
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        guard index < self.parts.count else { return try next() }
        var isEmpty = true
        try self.parts[index].emit(group, into: writer) { () throws(QueryFailure) in
            isEmpty = false
            try self.emit(from: index + 1, group, into: writer, then: next)
        }
        if isEmpty { try self.emit(from: index + 1, group, into: writer, then: next) }
    }

    func rank(of group: Int, by column: String?) -> Double? {
        let ranks = self.parts.compactMap { $0.rank(of: group, by: column) }
        // Without a column all that the functions give counts.
        return ranks.isEmpty ? nil : column == nil ? ranks.reduce(0, +) : ranks[0]
    }
}
