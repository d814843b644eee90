internal import LeatCore

extension QueryRun {
    /// Whether rows can be handed out before all blocks are done, which those of aggregates cannot.
    public var canBeSplit: Bool { !self.execution.plan.isAggregate && self.execution.plan.program.source == nil }

    /// Scans blocks whose times nobody knows, group by group from the last that arrived, and hands the rows of each group
    /// to `sink`, newest first; with `rowCountMax` only the newest rows of all, at the end.
    ///
    /// Memory holds the rows of one group, or `rowCountMax`. Only where `canBeSplit`; not to be mixed with `run`. The
    /// result that is returned has the columns and warnings, and no rows.
    public func runGroups(
        threads: Int,
        rowCountMax: Int?,
        to sink: (QueryRows) throws(QueryFailure) -> Void
    ) throws(QueryFailure) -> QueryResult {
        precondition(self.canBeSplit, "the rows of an aggregate cannot be split")
        let scan = self.scan
        let count = max(1, min(threads, scan.blocks.count))
        let workers = (0..<count).map { [sequences] _ in CollectingWorker(self.execution) { sequences[$0] } }
        var kept = RowKeeper(preference: .newest, limit: rowCountMax ?? .max)
        var start = 0
        while start < scan.blocks.count, !scan.wasStopped {
            let end = min(start + count * 2, scan.blocks.count)
            let outcome = scan.run(workers, range: start..<end)
            self.execution.report(outcome.damage)
            try self.execution.checkFailure()
            for worker in workers { for rows in worker.takeFound() { try kept.add(rows) } }
            start = end
            guard rowCountMax == nil else { continue }
            let rows = try kept.rows().queryRows()
            if rows.count > 0 { try sink(rows) }
            kept = RowKeeper(preference: .newest, limit: .max)
        }
        try self.execution.context.check()
        if rowCountMax != nil { try sink(try kept.rows().queryRows()) }
        return try self.execution.partialResult()
    }
}

/// Finds the rows that pass.
private final class CollectingWorker: ScanWorker {
    private let execution: QueryExecution
    private let sequence: @Sendable (Int) -> Int
    private let found = Guarded<[EventRows]>([])

    init(_ execution: QueryExecution, sequence: @escaping @Sendable (Int) -> Int) {
        self.execution = execution
        self.sequence = sequence
    }

    func decide(_ block: any BlockSource, block index: Int) -> BlockFate {
        self.execution.plan.overlaps(block.timeRange) ? .read : .outOfTime
    }

    func consume(_ batch: Batch, block index: Int) throws(DamagedBlock) -> ScanStep {
        self.execution.guarded { () throws(QueryFailure) in
            let rows = try self.execution.plan.matching(
                batch,
                sequence: self.sequence(index),
                self.execution.context
            )
            self.found.withLock { $0 += rows }
        }
    }

    /// What was found since the last call.
    func takeFound() -> [EventRows] {
        self.found.withLock { found in
            defer { found = [] }
            return found
        }
    }
}
