internal import LeatCore
internal import Synchronization

/// Some rows of an answer in order, ready to be written.
public struct RowSlice: Sendable {
    fileprivate let renderers: [RowRenderer]
    fileprivate let rows: ArraySlice<StreamedRow>

    /// Number of rows.
    public var count: Int { self.rows.count }

    /// The rows after the first `count`.
    public func dropFirst(_ count: Int) -> RowSlice {
        RowSlice(renderers: self.renderers, rows: self.rows.dropFirst(count))
    }

    /// Calls `body` with each row until it returns `false`, and says how many rows it took.
    ///
    /// The memory that `body` needs to write the rows was asked for some rows before.
    func forEach(as form: LineForm, _ body: (_ renderer: RowRenderer, _ row: Int) -> Bool) -> Int {
        let rows = self.rows
        var count = 0
        var start = rows.startIndex
        while start < rows.endIndex {
            let group = start..<min(start + Self.groupRowCount, rows.endIndex)
            for index in group { self.renderers[Int(rows[index].source)].prefetch(row: Int(rows[index].row), as: form) }
            for index in group {
                self.renderers[Int(rows[index].source)].prefetchText(row: Int(rows[index].row), as: form)
            }
            for index in group {
                guard body(self.renderers[Int(rows[index].source)], Int(rows[index].row)) else { return count }
                count += 1
            }
            start = group.upperBound
        }
        return count
    }

    /// Rows whose memory is asked for at a time: what they touch fits the second cache.
    private static let groupRowCount = 32
}

/// A row that passed, with what its place in the answer depends on.
struct StreamedRow: Hashable, Sendable {
    var time: Int64
    var arrival: UInt64
    /// Which batch holds it.
    var source: UInt32
    var row: UInt32

    /// Whether it comes before `other`: it is newer, or arrived later.
    @inline(__always)
    func precedes(_ other: StreamedRow) -> Bool {
        self.time != other.time ? self.time > other.time : self.arrival > other.arrival
    }
}

extension QueryPlan {
    /// Whether the rows of the answer can be given one after the other while the scan goes on: events, newest first.
    public var isStreamable: Bool {
        guard self.program.source == nil else { return false }
        return self.program.aggregate == nil || self.streamLimit != nil
    }

    /// How many rows are wanted of a plan that ends in `tail`; `nil` when it does not.
    var streamLimit: Int? {
        guard let keep = self.program.aggregate as? KeepRowsPlan, self.program.rest.isEmpty, keep.columns == nil,
            keep.orders.isEmpty, keep.preference == .newest, keep.newestFirst
        else { return nil }
        return keep.limit
    }
}

extension QueryRun {
    /// Rows that are written together.
    private static let sliceRowCount = 1_024

    /// Scans the blocks with `threads` workers and hands rows on as soon as no newer one can come, newest first.
    ///
    /// Memory holds the rows of as many blocks as there are workers, and some slices that are written.
    ///
    /// - Parameters:
    ///   - threads: How many workers.
    ///   - render: Writes the first rows of a slice, and says how many; called by the workers.
    ///   - sink: Takes what was written, in order, and says whether more is wanted; called by this thread, which may
    ///     wait there.
    /// - Returns: The columns and warnings of the answer, without rows.
    /// - Throws: When the query fails. Only for plans that are `isStreamable`; not to be mixed with `run`.
    public func stream<Piece: Sendable>(
        threads: Int,
        render: @escaping @Sendable (RowSlice) -> (piece: Piece, rowCount: Int),
        to sink: (Piece) throws(QueryFailure) -> Bool
    ) throws(QueryFailure) -> QueryResult {
        precondition(self.execution.plan.isStreamable, "the plan's rows cannot be streamed")
        let scan = self.scan
        let count = max(1, min(threads, scan.blocks.count))
        let plan = self.execution.plan
        let workers = (0..<count).map { [sequences] _ in
            MatchWorker(self.execution, sequence: { sequences[$0] }) { (rows) throws(QueryFailure) in
                try FoundRows(rows, of: plan)
            }
        }
        var pending = PendingRows()
        var left = self.execution.plan.streamLimit ?? .max
        var start = 0
        var width = count
        while start < scan.blocks.count, left > 0, !scan.wasStopped {
            let selection = scan.select(width, from: start, for: workers[0])
            scan.read(selection, workers)
            self.execution.report(scan.outcome.damage)
            try self.execution.checkFailure()
            var found = 0
            for worker in workers { found += pending.add(worker.takeFound()) }
            // Blocks without rows cost no memory: look at more of them at a time.
            width = found == 0 ? min(width * 2, 64 * count) : count
            start = selection.end
            let bound = start < scan.blocks.count ? scan.blocks[start].timeRange.upperBound : nil
            let slices = pending.take(newerThan: bound, limit: left, sliceRowCount: Self.sliceRowCount)
            left -= slices.reduce(0) { $0 + $1.count }
            if !(try self.write(slices, threads: threads, render, to: sink)) { break }
        }
        try self.execution.context.check()
        return try self.execution.partialResult()
    }

    /// Writes slices, several at a time, and hands them on in order.
    private func write<Piece: Sendable>(
        _ slices: [RowSlice],
        threads: Int,
        _ render: @escaping @Sendable (RowSlice) -> (piece: Piece, rowCount: Int),
        to sink: (Piece) throws(QueryFailure) -> Bool
    ) throws(QueryFailure) -> Bool {
        let clock = SystemTime()
        var start = 0
        while start < slices.count {
            try self.execution.context.check()
            let group = Array(slices[start..<min(start + 4 * max(1, threads), slices.count)])
            let pieces = Guarded<[(piece: Piece, rowCount: Int)?]>(group.map { _ in nil })
            let workers = threads > 1 && group.count > 1 ? threads : 1
            ScanPool.shared.run(count: group.count, workers: workers, account: self.scan.account) { _, index in
                let began = clock.monotonicNanoseconds()
                let rendered = render(group[index])
                pieces.withLock { $0[index] = rendered }
                self.note(render: clock.monotonicNanoseconds() - began)
                return .more
            }
            for (slice, written) in zip(group, pieces.withLock({ $0 })) {
                guard var written else { preconditionFailure("a slice was not written") }
                if !(try sink(written.piece)) { return false }
                // Rows so large that one piece did not take them all.
                var rest = slice.dropFirst(written.rowCount)
                while rest.count > 0 {
                    written = render(rest)
                    precondition(written.rowCount > 0, "a row was not written")
                    if !(try sink(written.piece)) { return false }
                    rest = rest.dropFirst(written.rowCount)
                }
            }
            start += group.count
        }
        return true
    }
}

/// Rows that passed and that newer ones may still precede.
private struct PendingRows {
    private var renderers: [RowRenderer] = []
    private var rows: [StreamedRow] = []

    /// Adds what workers found, and returns how many rows that is.
    mutating func add(_ found: [FoundRows]) -> Int {
        var count = 0
        for part in found {
            let source = UInt32(self.renderers.count)
            self.renderers.append(part.renderer)
            count += part.rows.count
            for var row in part.rows {
                row.source = source
                self.rows.append(row)
            }
        }
        return count
    }

    /// Takes at most `limit` rows that are newer than `bound` (`nil`: all), in order, in slices.
    mutating func take(newerThan bound: Int64?, limit: Int, sliceRowCount: Int) -> [RowSlice] {
        if !zip(self.rows, self.rows.dropFirst()).allSatisfy({ $0.precedes($1) }) {
            self.rows.sort { $0.precedes($1) }
        }
        var end = self.rows.count
        if let bound {
            // The rows are in order of time: those that are newer come first.
            var (low, high) = (0, self.rows.count)
            while low < high {
                let middle = (low + high) / 2
                if self.rows[middle].time > bound { low = middle + 1 } else { high = middle }
            }
            end = low
        }
        end = min(end, limit)
        let taken = Array(self.rows[..<end])
        let renderers = self.renderers
        self.rows.removeFirst(end)
        self.forgetRenderers()
        return stride(from: 0, to: taken.count, by: sliceRowCount).map { start in
            RowSlice(renderers: renderers, rows: taken[start..<min(start + sliceRowCount, taken.count)])
        }
    }

    /// Forgets batches without rows.
    private mutating func forgetRenderers() {
        var newIndex = [UInt32?](repeating: nil, count: self.renderers.count)
        var kept: [RowRenderer] = []
        for index in self.rows.indices {
            let source = Int(self.rows[index].source)
            let own = newIndex[source] ?? UInt32(kept.count)
            if newIndex[source] == nil {
                newIndex[source] = own
                kept.append(self.renderers[source])
            }
            self.rows[index].source = own
        }
        self.renderers = kept
    }
}

/// The rows of one batch that passed, newest first.
private struct FoundRows {
    let renderer: RowRenderer
    let rows: [StreamedRow]
}

extension FoundRows {
    /// The selected rows in order; few rows of a large batch are copied out, so that it needs not be kept.
    init(_ rows: EventRows, of plan: QueryPlan) throws(QueryFailure) {
        var selected = rows.selection.rows
        if let limit = plan.streamLimit, selected.count > limit {
            selected = rows.newest(limit, of: selected)
        }
        var rows = rows
        if selected.count * Self.sparseness < rows.rowCount {
            rows = try rows.materialized(selected, names: plan.columns)
            selected = (0..<Int32(selected.count)).map { $0 }
        }
        let times = rows.batch.timestamps
        var streamed = selected.reversed().map { row in
            StreamedRow(
                time: times[Int(row)],
                arrival: rows.arrivalKey(Int(row)),
                source: 0,
                row: UInt32(row)
            )
        }
        if !zip(streamed, streamed.dropFirst()).allSatisfy({ $0.precedes($1) }) {
            streamed.sort { $0.precedes($1) }
        }
        let batch = try rows.outgoing()
        do throws(DamagedBlock) {
            self.renderer = try RowRenderer(batch, columns: plan.columns, rowCount: selected.count)
        } catch {
            throw .damaged(error.description)
        }
        self.rows = streamed
    }

    /// A batch with fewer than one selected row in so many is not kept.
    private static let sparseness = 16
}

extension EventRows {
    /// The `count` newest of some rows, which are in ascending order and stay so.
    fileprivate func newest(_ count: Int, of rows: [Int32]) -> [Int32] {
        let times = self.batch.timestamps
        let sorted = rows.sorted { left, right in
            let (one, other) = (Int(left), Int(right))
            return times[one] != times[other]
                ? times[one] > times[other] : self.arrivalKey(one) > self.arrivalKey(other)
        }
        return sorted.prefix(count).sorted()
    }
}
