internal import Synchronization

/// What a worker of a scan says after a block.
public enum ScanStep: Hashable, Sendable {
    /// Give me the next block.
    case more
    /// Nobody needs any further block: the whole scan ends.
    case enough
}

/// The state of one worker of a scan; used by one thread at a time.
public protocol ScanWorker: AnyObject, Sendable {
    /// What is to become of the block at `index` of the list, from what is known without reading it: `.read`, or why
    /// not; the prefilter is asked afterwards.
    func decide(_ block: any BlockSource, block index: Int) -> BlockFate

    /// Takes the rows of the block at `index` of the list.
    ///
    /// - Throws: When bytes turn out to be damaged; what was taken of the block stays.
    func consume(_ batch: Batch, block index: Int) throws(DamagedBlock) -> ScanStep
}

extension ScanWorker {
    public func decide(_ block: any BlockSource, block index: Int) -> BlockFate { .read }
}

/// The loop that scans blocks: workers take one block after the other from a shared cursor, in the order of the list
/// (newest first), each with its own state, until the blocks are done, a worker has enough, or somebody cancels.
///
/// A damaged block is noted and skipped; the others are scanned all the same. A long list may be scanned in parts, each
/// with a call of `run`.
public final class BlockScan: Sendable {
    /// What a scan has seen and not seen.
    public struct Outcome: Sendable {
        public let progress: ScanProgress
        /// Blocks whose rows are missing from the answer.
        public let damage: [DamagedBlock]
        public let wasCancelled: Bool
    }

    /// Damaged blocks beyond this many are counted in `progress` only.
    public static let damageCountMax = 1000

    public let blocks: [any BlockSource]
    /// What the scan and its query have used of the threads.
    public let account: ScanAccount
    private let prefilter: Prefilter
    private let isStopped = Atomic<Bool>(false)
    private let isCancelled = Atomic<Bool>(false)
    private let state: Mutex<ScanProgress>
    private let damage = Mutex<[DamagedBlock]>([])

    /// A scan of `blocks`, in this order, of those that pass `prefilter`.
    public init(
        _ blocks: [any BlockSource],
        prefilter: Prefilter = .all,
        account: ScanAccount = ScanAccount()
    ) {
        self.blocks = blocks
        self.account = account
        self.prefilter = prefilter
        var progress = ScanProgress()
        progress.bytesTotal = blocks.reduce(0) { $0 + $1.byteCount }
        progress.blocksTotal = blocks.count
        self.state = Mutex(progress)
    }

    /// How far the scan is by now; from any thread.
    public var progress: ScanProgress { self.state.withLock { $0 } }

    /// Ends the scan after the blocks that are being read; from any thread.
    public func cancel() {
        self.isCancelled.store(true, ordering: .relaxed)
        self.stop()
    }

    /// Ends the scan after the blocks that are being read, as nobody needs more.
    public func stop() { self.isStopped.store(true, ordering: .relaxed) }

    /// Whether no further blocks are taken.
    public var wasStopped: Bool { self.isStopped.load(ordering: .relaxed) }

    /// Whether somebody cancelled; long-running workers ask between batches of rows.
    public var wasCancelled: Bool { self.isCancelled.load(ordering: .relaxed) }

    /// Scans `range` of the list, or all of it, and blocks the caller until that is done; a single worker runs on the
    /// caller's own thread, several on those of `pool`.
    @discardableResult
    public func run<Worker: ScanWorker>(
        _ workers: [Worker],
        range: Range<Int>? = nil,
        on pool: ScanPool = .shared
    ) -> Outcome {
        precondition(!workers.isEmpty, "a scan needs a worker")
        let range = range ?? self.blocks.indices
        pool.run(count: range.count, workers: workers.count, account: self.account) { worker, index in
            self.scan(range.lowerBound + index, workers[worker])
        }
        return Outcome(
            progress: self.progress,
            damage: self.damage.withLock { $0 },
            wasCancelled: self.wasCancelled
        )
    }

    private func scan(_ index: Int, _ worker: some ScanWorker) -> ScanStep {
        if self.isStopped.load(ordering: .relaxed) { return .enough }
        let block = self.blocks[index]
        let clock = SystemTime()
        let start = clock.monotonicNanoseconds()
        var (decided, isRead, end) = (start, start, start)
        var fate = worker.decide(block, block: index)
        var step = ScanStep.more
        var batch: Batch?
        do throws(DamagedBlock) {
            if fate == .read, !(try block.mayMatch(self.prefilter)) { fate = .pruned }
            decided = clock.monotonicNanoseconds()
            (isRead, end) = (decided, decided)
            if fate == .read {
                let rows = try block.read()
                batch = rows
                isRead = clock.monotonicNanoseconds()
                step = try worker.consume(rows, block: index)
                end = clock.monotonicNanoseconds()
            }
        } catch {
            fate = .damaged
            self.damage.withLock { damage in
                if damage.count < Self.damageCountMax { damage.append(error) }
            }
        }
        if step == .enough { self.stop() }
        let storedBytesRead = batch?.storedBytesRead ?? 0
        self.state.withLock { progress in
            progress.note(block, fate)
            progress.storedBytesRead += storedBytesRead
            progress.decideNanoseconds += decided - start
            progress.readNanoseconds += isRead - decided
            progress.consumeNanoseconds += end >= isRead ? end - isRead : 0
        }
        return step
    }
}
