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
        let workers = (0..<count).map { [sequences] _ in
            MatchWorker(self.execution, sequence: { sequences[$0] }, as: { $0 })
        }
        var kept = RowKeeper(preference: .newest, limit: rowCountMax ?? .max)
        var start = 0
        while start < scan.blocks.count, !scan.wasStopped {
            let selection = scan.select(count * 2, from: start, for: workers[0])
            scan.read(selection, workers)
            self.execution.report(scan.outcome.damage)
            try self.execution.checkFailure()
            for worker in workers { for rows in worker.takeFound() { try kept.add(rows) } }
            start = selection.end
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
