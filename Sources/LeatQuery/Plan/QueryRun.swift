public import LeatCore
internal import Synchronization

/// How far a run has come, and what it took.
public struct QueryProgress: Hashable, Sendable {
    /// The scan of the blocks.
    public var scan = ScanProgress()
    /// What the workers did with the rows.
    public var stages = StageTimes()
    /// Nanoseconds of putting the workers' answers together and of what follows the first aggregate.
    public var finishNanoseconds: UInt64 = 0
    /// Nanoseconds of all workers for writing rows, where rows are streamed.
    public var renderNanoseconds: UInt64 = 0

    /// Events looked at, those of skipped blocks included.
    public var eventCount: Int { self.scan.rowsDone }
    /// Uncompressed bytes of the blocks that were done, skipped ones included.
    public var byteCount: Int { self.scan.bytesDone }
    /// Uncompressed bytes of all blocks.
    public var byteCountTotal: Int { self.scan.bytesTotal }
    /// Blocks that were done, and of these the ones that were not read.
    public var blockCount: Int { self.scan.blocksDone }
    public var skippedBlockCount: Int { self.scan.blocksSkipped }
}

/// One run of a plan over stored blocks: the workers of a `BlockScan` take blocks, newest first.
///
/// `run` and `stream` block their thread; everything else may be called from any thread meanwhile.
public final class QueryRun: Sendable {
    let execution: QueryExecution
    /// The scan; another one when the plan has a source of its own.
    private let current: Mutex<BlockScan>
    /// Per block of the scan how late it arrived.
    let sequences: [Int]
    private let extra = Mutex<(finish: UInt64, render: UInt64)>((0, 0))

    /// A run over `blocks`, which must be in the order of arrival, the newest first.
    public init(_ plan: QueryPlan, over blocks: [any BlockSource]) {
        // Of blocks that end at the same time the one that arrived later comes first.
        let order = blocks.enumerated().map { (place: $0.offset, newest: $0.element.timeRange.upperBound) }
            .sorted { ($1.newest, $0.place) < ($0.newest, $1.place) }
        let sorted = order.map { blocks[$0.place] }
        self.sequences = order.map { blocks.count - $0.place }
        self.execution = QueryExecution(plan, dataRange: Self.dataRange(of: blocks), blocks: blocks)
        self.current = Mutex(BlockScan(sorted, prefilter: plan.prefilter))
    }

    private static func dataRange(of blocks: [any BlockSource]) -> ClosedRange<Int64>? {
        guard var range = blocks.first?.timeRange else { return nil }
        for block in blocks {
            let own = block.timeRange
            range = min(range.lowerBound, own.lowerBound)...max(range.upperBound, own.upperBound)
        }
        return range
    }

    /// What is run.
    public var plan: QueryPlan { self.execution.plan }

    var scan: BlockScan { self.current.withLock { $0 } }

    /// How far the run has come.
    public var progress: QueryProgress {
        let extra = self.extra.withLock { $0 }
        return QueryProgress(
            scan: self.scan.progress,
            stages: self.execution.stageTimes,
            finishNanoseconds: extra.finish,
            renderNanoseconds: extra.render
        )
    }

    func note(finish: UInt64 = 0, render: UInt64 = 0) {
        self.extra.withLock { extra in
            extra.finish += finish
            extra.render += render
        }
    }

    /// The answer to the blocks that are done.
    public func partialResult() throws(QueryFailure) -> QueryResult { try self.execution.partialResult() }

    /// Makes `run` throw `cancelled`, mostly within one block.
    public func cancel() {
        self.execution.cancel()
        self.scan.cancel()
    }

    /// Makes `run` and `stream` take no further blocks, so that the answer is to what was scanned.
    public func stop() {
        self.scan.stop()
        self.execution.context.stop()
    }

    /// Scans the blocks with `threads` workers and gives the answer; a single worker is this thread.
    public func run(threads: Int) throws(QueryFailure) -> QueryResult {
        var sequences = self.sequences
        if let source = self.execution.plan.program.source {
            let made = try self.execution.context.batches(of: source)
            let blocks = made.reversed().map { MemoryBlock($0) }
            sequences = blocks.indices.map { blocks.count - $0 }
            self.current.withLock { $0 = BlockScan(blocks) }
        }
        let scan = self.scan
        let count = max(1, min(threads, scan.blocks.count))
        let workers = (0..<count).map { [sequences] _ in self.execution.makeWorker { sequences[$0] } }
        let outcome = scan.run(workers)
        self.execution.report(outcome.damage)
        try self.execution.checkFailure()
        try self.execution.context.check()
        let clock = SystemTime()
        let start = clock.monotonicNanoseconds()
        defer { self.note(finish: clock.monotonicNanoseconds() - start) }
        return try self.execution.finalResult()
    }
}

extension QueryPlan {
    /// Runs the plan over `blocks`, newest first, with `threads` threads, and gives the answer.
    public func run(over blocks: [any BlockSource], threads: Int = 1) throws(QueryFailure) -> QueryResult {
        try QueryRun(self, over: blocks).run(threads: threads)
    }
}
