public import LeatCore
internal import Synchronization

/// How far a run has come.
public struct QueryProgress: Hashable, Sendable {
    /// Events looked at, those of skipped blocks included.
    public var eventCount = 0
    /// Uncompressed bytes of the blocks that were done, skipped ones included.
    public var byteCount = 0
    /// Uncompressed bytes of all blocks.
    public var byteCountTotal = 0
    /// Blocks that were done, and of these the ones that were not read.
    public var blockCount = 0
    public var skippedBlockCount = 0
}

/// One run of a plan over stored blocks: workers take blocks from a shared cursor, newest first.
///
/// `run` blocks its thread; everything else may be called from any thread meanwhile.
public final class QueryRun: Sendable {
    private let execution: QueryExecution
    private let blocks: Guarded<[any BlockSource]>
    private let cursor = Atomic<Int>(0)
    private let progressState: Mutex<QueryProgress>
    private let failure = Mutex<QueryFailure?>(nil)
    private let isStopped = Atomic<Bool>(false)

    /// A run over `blocks`, which must be in the order newest first.
    public init(_ plan: QueryPlan, over blocks: [any BlockSource]) {
        self.blocks = Guarded(blocks)
        self.execution = QueryExecution(plan, dataRange: Self.dataRange(of: blocks), blocks: blocks)
        var progress = QueryProgress()
        for block in blocks { progress.byteCountTotal += block.byteCount }
        self.progressState = Mutex(progress)
    }

    private static func dataRange(of blocks: [any BlockSource]) -> ClosedRange<Int64>? {
        guard var range = blocks.first?.timeRange else { return nil }
        for block in blocks {
            let own = block.timeRange
            range = min(range.lowerBound, own.lowerBound)...max(range.upperBound, own.upperBound)
        }
        return range
    }

    /// How far the run has come.
    public var progress: QueryProgress { self.progressState.withLock { $0 } }

    /// The answer to the blocks that are done.
    public func partialResult() throws(QueryFailure) -> QueryResult { try self.execution.partialResult() }

    /// Makes `run` throw `cancelled`, mostly within one block.
    public func cancel() { self.execution.cancel() }

    /// Makes `run` take no further blocks, so that its answer is to what was scanned.
    public func stop() {
        self.isStopped.store(true, ordering: .relaxed)
        self.execution.context.stop()
    }

    /// Scans the blocks with `threads` threads, this one included, and gives the answer.
    public func run(threads: Int) throws(QueryFailure) -> QueryResult {
        if let source = self.execution.plan.program.source {
            let made = try self.execution.context.batches(of: source)
            self.blocks.withLock { $0 = made.reversed().map { MemoryBlock($0) } }
        }
        let blocks = self.blocks.withLock { $0 }
        let count = max(1, min(threads, blocks.count))
        let helpers = (1..<count).map { _ in WorkerThread(name: "leat-query") { self.workUntilFailure(blocks) } }
        self.workUntilFailure(blocks)
        for helper in helpers { helper.join() }
        if let failure = self.failure.withLock({ $0 }) { throw failure }
        return try self.execution.finalResult()
    }

    /// Takes blocks until there are none; the first failure of any worker ends them all.
    private func workUntilFailure(_ blocks: [any BlockSource]) {
        do throws(QueryFailure) {
            try self.work(blocks)
        } catch {
            self.failure.withLock { if $0 == nil { $0 = error } }
            self.execution.cancel()
        }
    }

    /// Takes blocks until there are none.
    private func work(_ blocks: [any BlockSource]) throws(QueryFailure) {
        let worker = self.execution.makeWorker()
        while true {
            let index = self.cursor.add(1, ordering: .relaxed).oldValue
            guard index < blocks.count, !self.isStopped.load(ordering: .relaxed) else { return }
            let block = blocks[index]
            var isSkipped = true
            do {
                if worker.needs(block.timeRange), try block.mayMatch(self.execution.plan.prefilter) {
                    isSkipped = false
                    try worker.consume(try block.read(), sequence: blocks.count - index)
                }
            } catch let damage as DamagedBlock {
                self.execution.report(damage)
            } catch let failure as QueryFailure {
                throw failure
            } catch {
                throw .damaged("\(error)")
            }
            self.note(block, isSkipped: isSkipped)
        }
    }

    private func note(_ block: any BlockSource, isSkipped: Bool) {
        self.progressState.withLock { progress in
            progress.eventCount += block.rowCount
            progress.byteCount += block.byteCount
            progress.blockCount += 1
            if isSkipped { progress.skippedBlockCount += 1 }
        }
    }
}

extension QueryRun {
    /// Scans the blocks with `threads` threads and hands rows to `sink` as soon as no newer one can come, newest first;
    /// `sink` says whether it wants more.
    ///
    /// For a filter query memory holds the rows of a few blocks and not the whole answer; an aggregate query gives its
    /// rows at the end. The result that is returned has the columns and warnings, and no rows. Not to be mixed with
    /// `run`.
    public func stream(
        threads: Int,
        to sink: (QueryRows) throws(QueryFailure) -> Bool
    ) throws(QueryFailure) -> QueryResult {
        let program = self.execution.plan.program
        guard !program.isAggregate && program.source == nil else {
            var result = try self.run(threads: threads)
            _ = try sink(result.rows)
            result.rows = QueryRows()
            return result
        }
        var pending = RowKeeper(preference: .newest, limit: .max)
        let order = self.newestFirst
        var start = 0
        while start < order.count, !self.isStopped.load(ordering: .relaxed) {
            let end = min(start + max(threads, 1) * 2, order.count)
            for rows in try self.matching(Array(order[start..<end]), threads: threads) { try pending.add(rows) }
            start = end
            let bound = start < order.count ? order[start].newest : Int64.min
            let rows = try pending.takeRows(newerThan: bound).queryRows()
            if rows.count > 0, !(try sink(rows)) { break }
        }
        // What is as old as time itself.
        let rest = try pending.rows().queryRows()
        if rest.count > 0 && start >= order.count { _ = try sink(rest) }
        return try self.execution.partialResult()
    }

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
        let blocks = self.blocks.withLock { $0 }
        let numbered = blocks.enumerated().map { (block: $1, sequence: blocks.count - $0, newest: Int64.max) }
        var kept = RowKeeper(preference: .newest, limit: rowCountMax ?? .max)
        var start = 0
        while start < numbered.count {
            let end = min(start + max(threads, 1) * 2, numbered.count)
            for rows in try self.matching(Array(numbered[start..<end]), threads: threads) { try kept.add(rows) }
            start = end
            guard rowCountMax == nil else { continue }
            let rows = try kept.rows().queryRows()
            if rows.count > 0 { try sink(rows) }
            kept = RowKeeper(preference: .newest, limit: .max)
        }
        if rowCountMax != nil { try sink(try kept.rows().queryRows()) }
        return try self.execution.partialResult()
    }

    /// The blocks by their newest event, each with its place in the order of arrival.
    private var newestFirst: [(block: any BlockSource, sequence: Int, newest: Int64)] {
        let blocks = self.blocks.withLock { $0 }
        return blocks.enumerated().map { ($0.element, blocks.count - $0.offset, $0.element.timeRange.upperBound) }
            .sorted { ($1.newest, $1.sequence) < ($0.newest, $0.sequence) }
    }

    /// The rows of some blocks that pass, each block on one of `threads` threads.
    private func matching(
        _ blocks: [(block: any BlockSource, sequence: Int, newest: Int64)],
        threads: Int
    ) throws(QueryFailure) -> [EventRows] {
        let next = Atomic<Int>(0)
        let found = Guarded<[EventRows]>([])
        let work: @Sendable () -> Void = {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < blocks.count, self.failure.withLock({ $0 == nil }) else { return }
                do throws(QueryFailure) {
                    let rows = try self.matching(blocks[index].block, sequence: blocks[index].sequence)
                    found.withLock { $0 += rows }
                } catch {
                    self.failure.withLock { if $0 == nil { $0 = error } }
                }
            }
        }
        let count = max(1, min(threads, blocks.count))
        let helpers = (1..<count).map { _ in WorkerThread(name: "leat-query", work) }
        work()
        for helper in helpers { helper.join() }
        if let failure = self.failure.withLock({ $0 }) { throw failure }
        return found.withLock { $0 }
    }

    private func matching(_ block: any BlockSource, sequence: Int) throws(QueryFailure) -> [EventRows] {
        let plan = self.execution.plan
        try self.execution.context.check()
        var result: [EventRows] = []
        var isSkipped = true
        do {
            let range = block.timeRange
            if range.upperBound >= plan.startNanoseconds, range.lowerBound < plan.endNanoseconds,
                try block.mayMatch(plan.prefilter)
            {
                isSkipped = false
                result = try plan.matching(try block.read(), sequence: sequence, self.execution.context)
            }
        } catch let damage as DamagedBlock {
            self.execution.report(damage)
        } catch QueryFailure.damaged(let what) {
            self.execution.reportDamage(what)
        } catch let failure as QueryFailure {
            throw failure
        } catch {
            throw .damaged("\(error)")
        }
        self.note(block, isSkipped: isSkipped)
        return result
    }
}

extension QueryPlan {
    /// Runs the plan over `blocks`, newest first, with `threads` threads, and gives the answer.
    public func run(over blocks: [any BlockSource], threads: Int = 1) throws(QueryFailure) -> QueryResult {
        try QueryRun(self, over: blocks).run(threads: threads)
    }
}
