internal import LeatCore

/// Keeps the best rows of all that it sees: references to batches, not copies, until there are too many batches.
///
/// The order is by `orders`, then by time and arrival; it is total, so the answer does not depend on how rows were
/// split into batches or shared among workers.
struct RowKeeper {
    /// Which rows are best when `orders` leave it open.
    enum Preference: Sendable {
        case newest
        case oldest
    }

    private struct Candidate {
        var keys: [SortKey]
        var time: Int64
        var arrival: UInt64
        var batch: Int
        var row: Int32
    }

    /// Batches that are referred to before their rows are copied out.
    private static let batchCountMax = 32

    let orders: [SortOrder]
    let preference: Preference
    let limit: Int
    /// The fields that will be asked for; `nil`: all.
    let names: [String]?

    private var candidates: [Candidate] = []
    private var batches: [EventRows] = []
    private var isCompact: [Bool] = []
    /// The worst row that is kept, once `limit` are.
    private var worst: Candidate?
    /// The time of `worst`; `nil` while fewer than `limit` rows are kept.
    private(set) var worstTime: Int64?
    private var worstKey = SortKey.missing

    init(orders: [SortOrder] = [], preference: Preference, limit: Int, names: [String]? = nil) {
        self.orders = orders
        self.preference = preference
        self.limit = limit
        self.names = names
    }

    var count: Int { min(self.limit, self.candidates.count) }

    /// Considers the selected rows.
    mutating func add(_ rows: EventRows) throws(QueryFailure) {
        guard self.limit > 0 else { return }
        let keys = try self.keys(of: rows)
        var hasNew = false
        if keys.isEmpty, self.limit < rows.rowCount {
            hasNew = self.considerBestFirst(rows)
        } else {
            rows.selection.forEachSet { if self.consider($0, rows, keys) { hasNew = true } }
        }
        if hasNew { try self.keep(rows) }
    }

    /// Considers the selected rows by age; in a batch in order of time it ends at the first that is refused for its time.
    private mutating func considerBestFirst(_ rows: EventRows) -> Bool {
        let times = rows.batch.timestamps
        let isAscending = rows.isInOrderOfTime
        let selected = rows.selection.rows
        var hasNew = false
        var considered = 0
        for index in selected.indices {
            let row = Int(selected[self.preference == .newest ? selected.count - 1 - index : index])
            if self.consider(row, rows, []) {
                hasNew = true
                considered += 1
                // Of one batch no more rows than the limit can be kept, and the best came first.
                if isAscending, considered >= self.limit { break }
            } else if isAscending, let worst = self.worstTime, times[row] != worst {
                break
            }
        }
        return hasNew
    }

    /// Considers some rows.
    mutating func add(_ rows: EventRows, rows wanted: [Int]) throws(QueryFailure) {
        guard self.limit > 0 else { return }
        let keys = try self.keys(of: rows)
        var hasNew = false
        for row in wanted where self.consider(row, rows, keys) { hasNew = true }
        if hasNew { try self.keep(rows) }
    }

    private func keys(of rows: EventRows) throws(QueryFailure) -> [SortKeys] {
        var keys: [SortKeys] = []
        for order in self.orders { keys.append(order.keys(of: try rows.column(order.field))) }
        return keys
    }

    /// Takes a row in if it may be among the best.
    private mutating func consider(_ row: Int, _ rows: EventRows, _ keys: [SortKeys]) -> Bool {
        let time = rows.batch.timestamps[row]
        if let worstTime = self.worstTime {
            // Fast path: most rows are worse than the worst by their first key alone.
            if keys.isEmpty {
                if self.preference == .newest ? time < worstTime : time > worstTime { return false }
            } else if keys[0][row].compare(self.worstKey, isDescending: self.orders[0].isDescending) > 0 {
                return false
            }
        }
        let candidate = Candidate(
            keys: keys.map { $0[row] },
            time: time,
            arrival: rows.arrivalKey(row),
            batch: self.batches.count,
            row: Int32(row)
        )
        if let worst = self.worst, !self.precedes(candidate, worst) { return false }
        self.candidates.append(candidate)
        if self.candidates.count >= self.cutCount { self.cut() }
        return true
    }

    /// Rows at which those beyond the limit are forgotten: twice the limit, so that sorting costs a constant per row.
    private var cutCount: Int { self.limit < Int.max / 2 ? max(2 * self.limit, 1_000) : .max }

    private mutating func keep(_ rows: EventRows) throws(QueryFailure) {
        self.batches.append(rows)
        self.isCompact.append(false)
        // Blocks come best first: as soon as there are enough rows, it is known which of the others are still wanted.
        if self.worst == nil, self.candidates.count >= self.limit { self.cut() }
        try self.shrink()
    }

    /// Takes over what another keeper of the same kind keeps.
    mutating func merge(_ other: RowKeeper) throws(QueryFailure) {
        let offset = self.batches.count
        self.batches += other.batches
        self.isCompact += other.isCompact
        self.candidates += other.candidates.map { candidate in
            var moved = candidate
            moved.batch += offset
            return moved
        }
        try self.shrink()
    }

    private func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
        for index in self.orders.indices {
            let result = left.keys[index].compare(right.keys[index], isDescending: self.orders[index].isDescending)
            if result != 0 { return result < 0 }
        }
        return self.isPreferred(left, to: right)
    }

    private func isPreferred(_ left: Candidate, to right: Candidate) -> Bool {
        switch self.preference {
        case .newest: (left.time, left.arrival) > (right.time, right.arrival)
        case .oldest: (left.time, left.arrival) < (right.time, right.arrival)
        }
    }

    /// Forgets rows beyond the limit and batches without rows, and copies rows out of too many batches.
    private mutating func shrink() throws(QueryFailure) {
        if self.isCompact.count(where: { !$0 }) > Self.batchCountMax {
            self.cut()
            try self.compact()
        }
    }

    private mutating func cut() {
        guard self.candidates.count > self.limit || self.worst == nil && self.candidates.count == self.limit else {
            return
        }
        self.candidates = self.candidates.sorted { self.precedes($0, $1) }
        self.candidates.removeLast(self.candidates.count - self.limit)
        guard let worst = self.candidates.last else { return }
        self.worst = worst
        self.worstTime = worst.time
        self.worstKey = worst.keys.first ?? .missing
    }

    private mutating func compact() throws(QueryFailure) {
        var rowsOfBatch = [[Int32]](repeating: [], count: self.batches.count)
        for index in self.candidates.indices {
            let batch = self.candidates[index].batch
            if self.isCompact[batch] { continue }
            rowsOfBatch[batch].append(self.candidates[index].row)
            self.candidates[index].row = Int32(rowsOfBatch[batch].count - 1)
        }
        let used = Set(self.candidates.map(\.batch))
        var newIndex: [Int: Int] = [:]
        var kept: [EventRows] = []
        for batch in self.batches.indices where used.contains(batch) {
            newIndex[batch] = kept.count
            kept.append(
                self.isCompact[batch]
                    ? self.batches[batch]
                    : try self.batches[batch].materialized(rowsOfBatch[batch], names: self.names)
            )
        }
        for index in self.candidates.indices {
            self.candidates[index].batch = newIndex[self.candidates[index].batch] ?? 0
        }
        self.batches = kept
        self.isCompact = [Bool](repeating: true, count: kept.count)
    }

    /// What is kept, in order; `newestFirst` overrides the order of times when there are no sort orders.
    func rows(newestFirst: Bool? = nil) -> KeptRows {
        var sorted = self.candidates.sorted { self.precedes($0, $1) }
        if sorted.count > self.limit { sorted.removeLast(sorted.count - self.limit) }
        if let newestFirst, newestFirst != (self.preference == .newest) { sorted.reverse() }
        return KeptRows(batches: self.batches, order: sorted.map { ($0.batch, Int($0.row)) })
    }
}

/// Rows in order, as references to the batches that hold them.
struct KeptRows {
    var batches: [EventRows] = []
    var order: [(batch: Int, row: Int)] = []
}
