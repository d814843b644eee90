internal import LeatCore

/// `groupBy`: one row, or those of an aggregate, for each distinct tuple of values.
struct GroupByPlan: AggregatePlan {
    var fields: [String]
    /// What is computed per group; `nil`: only the tuples.
    var function: (any AggregatePlan)?
    var limit: Int

    var columns: [String]? {
        guard let function = self.function else { return self.fields }
        return function.columns.map { self.fields.adding($0) }
    }

    func makeState(_ context: StageContext) -> any AggregateState { GroupByState(self, context) }
}

/// Rows grouped by keys, with an aggregate per group: what `groupBy`, `top`, `bucket` and `timeChart` share.
final class Grouping {
    private(set) var keys: GroupKeys
    let function: (any AggregateState)?
    private let context: StageContext
    /// Per group the time and arrival of its newest row.
    private var newest: [Seen] = []

    private struct Seen {
        var time = Int64.min
        var arrival: UInt64 = 0

        func isAfter(_ other: Seen) -> Bool { (self.time, self.arrival) > (other.time, other.arrival) }
    }

    init(_ keys: [GroupKey], function: (any AggregateState)?, _ context: StageContext) {
        self.keys = GroupKeys(keys)
        self.function = function
        self.context = context
    }

    var count: Int { self.keys.count }

    func update(_ rows: EventRows, _ outer: Groups) throws(QueryFailure) {
        if try self.updateByTally(rows, outer) { return }
        var rows = rows
        let groups = try self.keys.groups(of: &rows, outer: outer)
        if self.keys.hasTimesBeyond { self.context.warn("times outside of the years 1678 to 2261 lie in no bucket") }
        if groups.count > self.context.options.limits.groupsMax { self.dropGroups(beyond: groups, &rows) }
        if rows.isEmpty { return }
        self.noteNewest(rows, groups)
        try self.function?.update(rows, groups)
        try self.checkMemory()
    }

    /// Fast path: events counted by a field with few distinct texts, each of which is looked up once per batch.
    ///
    /// - Returns: Whether it applied; if not, nothing was taken in.
    private func updateByTally(_ rows: EventRows, _ outer: Groups) throws(QueryFailure) -> Bool {
        guard outer.ofRow == nil, let field = self.keys.onlyField, rows.isInOrderOfTime else { return false }
        let counter = self.function as? CountState
        guard self.function == nil || counter?.countsAll == true else { return false }
        // Rows without the field belong to no group.
        guard let column = try rows.column(field) else { return true }
        if case .dictionary(let dictionary) = column {
            self.update(byTextsOf: dictionary, of: rows, counter)
            try self.checkMemory()
            return true
        }
        let limit = self.context.options.limits.groupsMax
        let isDone = column.tally(within: rows.batch.selection) { text, tally in
            let group = self.keys.group(of: text)
            guard group < limit else {
                self.warnOfGroups()
                return
            }
            counter?.add(tally.count, to: group)
            self.newest.grow(to: group + 1, with: Seen())
            self.note(tally.lastRow, of: rows, in: group)
        }
        if isDone { try self.checkMemory() }
        return isDone
    }

    /// Counts the rows of each text of a dictionary, which may be as many as rows.
    private func update(byTextsOf column: DictionaryColumn, of rows: EventRows, _ counter: CountState?) {
        let tally = column.tally(within: rows.batch.selection)
        let groups = self.keys.groups(of: column.values, where: tally.counts)
        let limit = min(self.keys.count, self.context.options.limits.groupsMax)
        if self.keys.count > limit, groups.contains(where: { $0 != .max && $0 >= limit }) { self.warnOfGroups() }
        counter?.add(tally.counts, to: groups, below: limit)
        self.newest.grow(to: limit, with: Seen())
        let times = rows.batch.timestamps
        self.newest.withUnsafeMutableBufferPointer { newest in
            for (code, group) in groups.enumerated() where group < limit {
                let row = Int(tally.lastRows[code])
                if times[row] < newest[Int(group)].time { continue }
                let seen = Seen(time: times[row], arrival: rows.arrivalKey(row))
                if seen.isAfter(newest[Int(group)]) { newest[Int(group)] = seen }
            }
        }
    }

    private func warnOfGroups() {
        let limit = self.context.options.limits.groupsMax
        self.context.warn("more than \(limit) groups: events of further groups are not counted")
    }

    /// Notes a row that may be the newest of its group.
    private func note(_ row: Int, of rows: EventRows, in group: Int) {
        let seen = Seen(time: rows.batch.timestamps[row], arrival: rows.arrivalKey(row))
        if seen.isAfter(self.newest[group]) { self.newest[group] = seen }
    }

    private func checkMemory() throws(QueryFailure) {
        if self.keys.byteCount > self.context.options.limits.stateBytes {
            throw .outOfMemory(limit: self.context.options.limits.stateBytes)
        }
    }

    private func dropGroups(beyond groups: Groups, _ rows: inout EventRows) {
        self.warnOfGroups()
        let limit = self.context.options.limits.groupsMax
        rows.selection = Bitmap(within: rows.selection, count: rows.rowCount) { groups[$0] < limit }
    }

    private func noteNewest(_ rows: EventRows, _ groups: Groups) {
        self.newest.grow(to: groups.count, with: Seen())
        let times = rows.batch.timestamps
        if let ofRow = groups.ofRow, groups.count <= rows.rowCount, rows.isInOrderOfTime {
            // Fast path: in a batch in order of time and arrival the last row of a group is its newest.
            var isNoted = [Bool](repeating: false, count: groups.count)
            var missing = groups.count
            rows.selection.forEachSetFromEnd { row in
                let group = Int(ofRow[row])
                if !isNoted[group] {
                    isNoted[group] = true
                    missing -= 1
                    self.note(row, of: rows, in: group)
                }
                return missing > 0
            }
            return
        }
        self.newest.withUnsafeMutableBufferPointer { newest in
            rows.selection.forEachSet { row in
                let group = groups[row]
                if times[row] < newest[group].time { return }
                let arrival = rows.arrivalKey(row)
                if times[row] > newest[group].time || arrival > newest[group].arrival {
                    newest[group] = Seen(time: times[row], arrival: arrival)
                }
            }
        }
    }

    func merge(_ other: Grouping, outer: [UInt32]) throws(QueryFailure) {
        let groups = self.keys.merge(other.keys, outer: outer)
        self.newest.grow(to: self.count, with: Seen())
        for (index, seen) in other.newest.enumerated() where index < groups.count {
            if seen.isAfter(self.newest[Int(groups[index])]) { self.newest[Int(groups[index])] = seen }
        }
        if let function = self.function, let otherFunction = other.function {
            try function.merge(otherFunction, groups: groups, groupCount: self.count)
        }
    }

    /// The groups of each outer group.
    func groupsByOuter() -> [[Int]] {
        var result: [[Int]] = []
        for group in 0..<self.count {
            let outer = self.keys.outer(of: group)
            result.grow(to: outer + 1, with: [])
            result[outer].append(group)
        }
        return result
    }

    /// By descending rank, if there is one, then in the order in which the groups were first seen, newest first; the
    /// first `limit` of them.
    func sorted(_ groups: [Int], by column: String?, ranked: Bool = true, limit: Int = .max) -> [Int] {
        let ranks = groups.map { ranked ? self.function?.rank(of: $0, by: column) ?? -.infinity : 0 }
        // Groups beyond the limit were seen, but none of their rows was noted.
        var newest = self.newest
        newest.grow(to: self.count, with: Seen())
        func precedes(_ left: Int, _ right: Int) -> Bool {
            if ranks[left] != ranks[right] { return ranks[left] > ranks[right] }
            let (one, other) = (newest[groups[left]], newest[groups[right]])
            if one.time != other.time { return one.time > other.time }
            if one.arrival != other.arrival { return one.arrival > other.arrival }
            return groups[left] < groups[right]
        }
        return groups.indices.first(limit, by: precedes).map { groups[$0] }
    }

    /// Writes the rows of a group: its keys `keyColumns`, then those of the function; a group has at least one.
    func emit(
        _ group: Int,
        keyColumns: [(key: Int, column: Int)],
        into writer: RowWriter,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try writer.scoped { () throws(QueryFailure) in
            for (key, column) in keyColumns {
                try self.keys.withText(key, of: group) { (text) throws(QueryFailure) in
                    try writer.set(column, to: text)
                }
            }
            guard let function = self.function else { return try next() }
            var isEmpty = true
            try function.emit(group, into: writer) { () throws(QueryFailure) in
                isEmpty = false
                try next()
            }
            if isEmpty { try next() }
        }
    }
}

/// See `GroupByPlan`.
final class GroupByState: AggregateState {
    private let plan: GroupByPlan
    private let grouping: Grouping
    private let context: StageContext
    private var groupsByOuter: [[Int]]?

    init(_ plan: GroupByPlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
        self.grouping = Grouping(
            plan.fields.map { .field($0) },
            function: plan.function?.makeState(context),
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
        let keyColumns = self.plan.fields.enumerated().map { (key: $0.offset, column: writer.column($0.element)) }
        for inner in self.ordered(byOuter[group]) {
            try self.grouping.emit(inner, keyColumns: keyColumns, into: writer, then: next)
        }
    }

    /// The groups in the order of output, at most `limit`: those with the largest values when there are more.
    private func ordered(_ groups: [Int]) -> [Int] {
        var kept = groups
        if kept.count > self.plan.limit {
            kept = self.grouping.sorted(kept, by: nil, limit: self.plan.limit)
            self.context.warn("groupBy found more than \(self.plan.limit) groups; the largest are shown")
        }
        let hasCount = self.plan.function?.columns?.contains("_count") ?? false
        return self.grouping.sorted(kept, by: "_count", ranked: hasCount)
    }
}
