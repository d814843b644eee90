internal import LeatCore

/// A worker of a scan that finds the rows that pass and keeps them, in some form, until they are taken.
final class MatchWorker<Found>: ScanWorker {
    private let execution: QueryExecution
    private let sequence: @Sendable (Int) -> Int
    private let form: @Sendable (EventRows) throws(QueryFailure) -> Found
    private let found = Guarded<[Found]>([])

    /// A worker that keeps rows as `form` gives them; `sequence` says of a block of the list how late it arrived.
    init(
        _ execution: QueryExecution,
        sequence: @escaping @Sendable (Int) -> Int,
        as form: @escaping @Sendable (EventRows) throws(QueryFailure) -> Found
    ) {
        self.execution = execution
        self.sequence = sequence
        self.form = form
    }

    func decide(_ block: any BlockSource, block index: Int) -> BlockFate {
        self.execution.plan.overlaps(block.timeRange) ? .read : .outOfTime
    }

    func consume(_ batch: Batch, block index: Int) throws(DamagedBlock) -> ScanStep {
        self.execution.guarded { () throws(QueryFailure) in
            let sequence = self.sequence(index)
            let clock = SystemTime()
            let start = clock.monotonicNanoseconds()
            defer { self.execution.note(stages: clock.monotonicNanoseconds() - start) }
            for rows in try self.execution.plan.matching(batch, sequence: sequence, self.execution.context) {
                let part = try self.form(rows)
                self.found.withLock { $0.append(part) }
            }
        }
    }

    /// What was found since the last call, block after block.
    func takeFound() -> [Found] {
        self.found.withLock { found in
            defer { found = [] }
            return found
        }
    }
}
