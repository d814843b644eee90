internal import Synchronization

/// What a worker of a scan says after a block.
public enum ScanStep: Hashable, Sendable {
    /// Give me the next block.
    case more
    /// Nobody needs any further block: the whole scan ends.
    case enough
}

/// The state of one worker of a scan; used by one thread at a time.
public protocol ScanWorker: AnyObject, SendableMetatype {
    /// Takes the rows of the block at `index` of the list that is scanned.
    func consume(_ batch: Batch, block index: Int) -> ScanStep
}

/// How far a scan is; read while it runs.
public struct ScanProgress: Hashable, Sendable {
    /// Blocks done, skipped ones included.
    public var blocksDone = 0
    /// Blocks that the prefilter let be skipped.
    public var blocksSkipped = 0
    /// Rows of the blocks done.
    public var rowsDone = 0
    /// Uncompressed bytes of the blocks done.
    public var bytesDone = 0
    /// Uncompressed bytes of all blocks.
    public var bytesTotal = 0
    public var blocksTotal = 0
}

/// The loop that scans blocks: workers on threads of their own take one block after the other from a shared cursor, in
/// the order of the list (newest first), each with its own state, until the blocks are done, a worker has enough, or
/// somebody cancels.
///
/// A damaged block is noted and skipped; the others are scanned all the same. A scan is used once.
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

    private let blocks: [any BlockSource]
    private let prefilter: Prefilter
    private let cursor = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let isCancelled = Atomic<Bool>(false)
    private let skipped = Atomic<Int>(0)
    private let done = Atomic<Int>(0)
    private let rows = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let bytesTotal: Int
    private let damage = Mutex<[DamagedBlock]>([])

    /// A scan of `blocks`, in this order, of those that pass `prefilter`.
    public init(_ blocks: [any BlockSource], prefilter: Prefilter = .all) {
        self.blocks = blocks
        self.prefilter = prefilter
        self.bytesTotal = blocks.reduce(0) { $0 + $1.byteCount }
    }

    /// How far the scan is by now; from any thread.
    public var progress: ScanProgress {
        ScanProgress(
            blocksDone: self.done.load(ordering: .relaxed),
            blocksSkipped: self.skipped.load(ordering: .relaxed),
            rowsDone: self.rows.load(ordering: .relaxed),
            bytesDone: self.bytes.load(ordering: .relaxed),
            bytesTotal: self.bytesTotal,
            blocksTotal: self.blocks.count
        )
    }

    /// Ends the scan after the blocks that are being read; from any thread.
    public func cancel() {
        self.isCancelled.store(true, ordering: .relaxed)
        self.isStopped.store(true, ordering: .relaxed)
    }

    /// Whether somebody cancelled; long-running workers ask between batches of rows.
    public var wasCancelled: Bool { self.isCancelled.load(ordering: .relaxed) }

    /// Scans with one thread per worker and blocks the caller until all have ended; one worker runs on the caller's own.
    public func run<Worker: ScanWorker>(_ workers: [Worker]) -> Outcome {
        guard let first = workers.first else { preconditionFailure("a scan needs a worker") }
        let threads = workers.dropFirst().prefix(max(0, self.blocks.count - 1)).map { worker in
            // Sound: each worker is used by its thread only, until the join below.
            nonisolated(unsafe) let worker = worker
            return WorkerThread(name: "leat-scan") { self.work(worker) }
        }
        self.work(first)
        for thread in threads { thread.join() }
        return Outcome(
            progress: self.progress,
            damage: self.damage.withLock { $0 },
            wasCancelled: self.wasCancelled
        )
    }

    /// Scans on threads of its own; cancelling the task cancels the scan.
    ///
    /// Use the workers again after it returns.
    public func run<Worker: ScanWorker & Sendable>(_ workers: [Worker]) async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                _ = WorkerThread(name: "leat-scan") {
                    let outcome: Outcome = self.run(workers)
                    continuation.resume(returning: outcome)
                }
            }
        } onCancel: {
            self.cancel()
        }
    }

    private func work(_ worker: some ScanWorker) {
        while !self.isStopped.load(ordering: .relaxed) {
            let index = self.cursor.add(1, ordering: .relaxed).oldValue
            guard index < self.blocks.count else { return }
            let block = self.blocks[index]
            do throws(DamagedBlock) {
                if try block.mayMatch(self.prefilter) {
                    if worker.consume(try block.read(), block: index) == .enough {
                        self.isStopped.store(true, ordering: .relaxed)
                    }
                } else {
                    self.skipped.add(1, ordering: .relaxed)
                }
            } catch {
                self.damage.withLock { damage in
                    if damage.count < Self.damageCountMax { damage.append(error) }
                }
            }
            self.done.add(1, ordering: .relaxed)
            self.rows.add(block.rowCount, ordering: .relaxed)
            self.bytes.add(block.byteCount, ordering: .relaxed)
        }
    }
}
