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
/// What needs not be read is passed over first (`select`), then the rest is read. A damaged block is noted and skipped; the
/// others are scanned all the same. `run` does all; who wants a few blocks at a time calls `select` and `read`.
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

    /// Blocks of a list that are to be read, and where the list goes on behind those that were decided about.
    public struct Selection: Sendable {
        /// Ascending places in the list.
        public fileprivate(set) var places: [Int] = []
        /// The first block about which nothing was decided.
        public fileprivate(set) var end: Int
    }

    /// Blocks about which is decided before any of them is read; each further time twice as many.
    private static let decidedCount = 256

    /// Scans all blocks, and blocks the caller until that is done; a single block and a single worker need no other
    /// thread than the caller's, several run on those of `pool`.
    @discardableResult
    public func run<Worker: ScanWorker>(_ workers: [Worker], on pool: ScanPool = .shared) -> Outcome {
        var end = 0
        var width = Self.decidedCount
        while end < self.blocks.count, !self.wasStopped {
            let selection = self.select(.max, from: end, atMost: width, for: workers[0])
            self.read(selection, workers, on: pool)
            end = selection.end
            width *= 2
        }
        return self.outcome
    }

    /// What was scanned so far.
    public var outcome: Outcome {
        Outcome(
            progress: self.progress,
            damage: self.damage.withLock { $0 },
            wasCancelled: self.wasCancelled
        )
    }

    /// Decides about the blocks from `start` on, in order and on the caller's thread, until `count` are to be read or
    /// `limit` were looked at.
    ///
    /// That takes about a microsecond a block, less than another thread takes to wake up. `worker` may not be at work.
    public func select(
        _ count: Int,
        from start: Int,
        atMost limit: Int = .max,
        for worker: some ScanWorker
    ) -> Selection {
        let clock = SystemTime()
        let began = clock.monotonicNanoseconds()
        var selection = Selection(end: start)
        var decided: [(place: Int, fate: BlockFate)] = []
        while selection.end < self.blocks.count, selection.end - start < limit, selection.places.count < count,
            !self.wasStopped
        {
            let place = selection.end
            selection.end += 1
            switch self.fate(of: place, worker) {
            case .read: selection.places.append(place)
            case let fate: decided.append((place, fate))
            }
        }
        self.state.withLock { progress in
            for (place, fate) in decided { progress.note(self.blocks[place], fate) }
            progress.decideNanoseconds += clock.monotonicNanoseconds() - began
        }
        return selection
    }

    private func fate(of place: Int, _ worker: some ScanWorker) -> BlockFate {
        let block = self.blocks[place]
        let fate = worker.decide(block, block: place)
        guard fate == .read, block.isTestedUnread else { return fate }
        do throws(DamagedBlock) {
            return try block.mayMatch(self.prefilter) ? .read : .pruned
        } catch {
            self.note(error)
            return .damaged
        }
    }

    private func note(_ damaged: DamagedBlock) {
        self.damage.withLock { damage in
            if damage.count < Self.damageCountMax { damage.append(damaged) }
        }
    }

    /// Reads selected blocks and blocks the caller until that is done.
    public func read<Worker: ScanWorker>(_ selection: Selection, _ workers: [Worker], on pool: ScanPool = .shared) {
        precondition(!workers.isEmpty, "a scan needs a worker")
        let places = selection.places
        pool.run(count: places.count, workers: workers.count, account: self.account) { worker, index in
            self.read(places[index], workers[worker])
        }
    }

    private func read(_ place: Int, _ worker: some ScanWorker) -> ScanStep {
        if self.wasStopped { return .enough }
        let block = self.blocks[place]
        let clock = SystemTime()
        let start = clock.monotonicNanoseconds()
        // What was read meanwhile may have made the block needless.
        var fate = worker.decide(block, block: place)
        var (isRead, end) = (start, start)
        var step = ScanStep.more
        var batch: Batch?
        do throws(DamagedBlock) {
            if fate == .read, !block.isTestedUnread, !(try block.mayMatch(self.prefilter)) { fate = .pruned }
            if fate == .read {
                let rows = try block.read(passing: self.prefilter)
                batch = rows
                isRead = clock.monotonicNanoseconds()
                end = isRead
                step = try worker.consume(rows, block: place)
                end = clock.monotonicNanoseconds()
            }
        } catch {
            fate = .damaged
            self.note(error)
        }
        if step == .enough { self.stop() }
        let storedBytesRead = batch?.storedBytesRead ?? 0
        self.state.withLock { progress in
            progress.note(block, fate)
            progress.storedBytesRead += storedBytesRead
            progress.readNanoseconds += isRead - start
            progress.consumeNanoseconds += end - isRead
        }
        return step
    }
}
