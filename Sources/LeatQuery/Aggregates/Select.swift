internal import LeatCore

/// `selectLast`, `selectFromMax`, `selectFromMin`: fields of one event, the newest or the one with the extreme value.
struct SelectPlan: AggregatePlan {
    enum Choice: Hashable, Sendable {
        /// For each field the newest event that has it.
        case newest
        /// The event with the largest number in this field, of equals the newest.
        case largest(String)
        case smallest(String)
    }

    var choice: Choice
    var fields: [String]

    var columns: [String]? { self.fields }

    func makeState(_ context: StageContext) -> any AggregateState { SelectState(self) }
}

/// See `SelectPlan`.
final class SelectState: AggregateState {
    /// What is known of one field in one group.
    private struct Best {
        var rank = -Double.infinity
        var time = Int64.min
        var arrival: UInt64 = 0
        var isSet = false
        /// `nil` when the chosen event lacks the field.
        var value: [UInt8]?

        func isBeaten(byRank rank: Double, time: Int64, arrival: UInt64) -> Bool {
            if !self.isSet || rank != self.rank { return !self.isSet || rank > self.rank }
            return (time, arrival) > (self.time, self.arrival)
        }
    }

    private let plan: SelectPlan
    /// Per field and group.
    private var best: [[Best]]

    init(_ plan: SelectPlan) {
        self.plan = plan
        self.best = plan.fields.map { _ in [] }
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        var selection = rows.selection
        var ranks: (values: [Double], sign: Double)?
        switch self.plan.choice {
        case .newest: break
        case .largest(let field), .smallest(let field):
            guard let (values, valid) = try rows.column(field)?.numbers() else { return }
            if let valid { selection.formIntersection(valid) }
            if case .largest = self.plan.choice { ranks = (values, 1) } else { ranks = (values, -1) }
        }
        for (index, field) in self.plan.fields.enumerated() {
            self.best[index].grow(to: groups.count, with: Best())
            let column = try rows.column(field)
            var candidates = selection
            if ranks == nil {
                guard let column else { continue }
                if let presence = column.presence { candidates.formIntersection(presence) }
            }
            self.consider(index, column, rows, candidates, groups, ranks)
        }
    }

    /// Looks for the best row of each group first, and copies values afterwards.
    private func consider(
        _ index: Int,
        _ column: Column?,
        _ rows: EventRows,
        _ candidates: Bitmap,
        _ groups: Groups,
        _ ranks: (values: [Double], sign: Double)?
    ) {
        var rowOfGroup: [Int: Int] = [:]
        candidates.forEachSet { row in
            let group = groups[row]
            let rank = ranks.map { $0.values[row] * $0.sign } ?? 0
            let time = rows.batch.timestamps[row]
            let arrival = rows.arrivalKey(row)
            guard self.best[index][group].isBeaten(byRank: rank, time: time, arrival: arrival) else { return }
            self.best[index][group] = Best(rank: rank, time: time, arrival: arrival, isSet: true, value: nil)
            rowOfGroup[group] = row
        }
        for (group, row) in rowOfGroup { self.best[index][group].value = column?.bytes(at: row) }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) {
        for (index, fields) in self.sibling(other).best.enumerated() {
            self.best[index].grow(to: groupCount, with: Best())
            for (group, found) in fields.enumerated() where found.isSet {
                let own = Int(groups[group])
                if self.best[index][own].isBeaten(byRank: found.rank, time: found.time, arrival: found.arrival) {
                    self.best[index][own] = found
                }
            }
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        guard self.best.contains(where: { group < $0.count && $0[group].isSet }) else { return }
        try writer.scoped { () throws(QueryFailure) in
            for (index, field) in self.plan.fields.enumerated() {
                guard group < self.best[index].count, let value = self.best[index][group].value else { continue }
                try writer.set(writer.column(field), to: value)
            }
            try next()
        }
    }
}
