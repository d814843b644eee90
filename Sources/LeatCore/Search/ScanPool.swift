internal import Synchronization

/// Threads that work on the scans of all queries of a process, piece by piece in turn.
///
/// Each scan is a run of numbered pieces of work, mostly a block each. A thread that is free takes the next piece of the
/// scan that has waited longest, and those of queries that have used little come before those that have used much; so a
/// long query does not hold up a short one for longer than a piece takes. Threads of our own, as scans read files and
/// compute for long.
public final class ScanPool: Sendable {
    /// The pool of this process, with a thread per processor.
    public static let shared = ScanPool(threadCount: WorkerThread.processorCount)

    private let queue = Monitor(ScanQueue())
    /// Pieces that are worked on at a time.
    public let threadCount: Int

    public init(threadCount: Int) {
        self.threadCount = max(1, threadCount)
        let queue = self.queue
        for _ in 0..<self.threadCount {
            _ = WorkerThread(name: "leat-scan") { Self.work(queue) }
        }
    }

    deinit { self.queue.update { $0.isClosed = true } }

    /// Scans that are not done.
    var scanCount: Int { self.queue.read { $0.scans.count } }

    /// Does the pieces 0 ..< `count` in ascending order, several at a time, and blocks the caller until all are done or
    /// one said that it is enough.
    ///
    /// At most `workers` pieces are worked on at a time; `work` gets a number below that, which no other piece has
    /// meanwhile. One worker is the caller's own thread, so that a scan within a scan never waits for the pool.
    /// `account` is the query's, whose scans may be many.
    public func run(
        count: Int,
        workers: Int,
        account: ScanAccount = ScanAccount(),
        _ work: @escaping @Sendable (_ worker: Int, _ index: Int) -> ScanStep
    ) {
        let workerCount = min(workers, count)
        guard workerCount > 1 else {
            for index in 0..<max(0, count) where work(0, index) == .enough { return }
            return
        }
        let scan = PooledScan(count: count, workers: workerCount, account: account, work: work)
        self.queue.update { $0.scans.append(scan) }
        scan.isDone.wait { $0 ? () : nil }
    }

    /// What a thread does until the pool is closed.
    private static func work(_ queue: Monitor<ScanQueue>) {
        let clock = SystemTime()
        while let piece = queue.wait({ $0.take() }) {
            let start = clock.monotonicNanoseconds()
            let step = piece.scan.work(piece.worker, piece.index)
            piece.scan.account.add(clock.monotonicNanoseconds() - start)
            // Whoever ends a piece takes the next one itself; nobody waits in the queue for that.
            if queue.wait({ $0.finish(piece, step) }) { piece.scan.isDone.update { $0 = true } }
        }
    }
}

/// What the scans of one query have used of a pool's threads.
public final class ScanAccount: Sendable {
    /// A query that has used more lets all others go first: nobody waits for it with a hand on the keyboard.
    public static let interactiveNanoseconds: UInt64 = 1_000_000_000

    private let used = Atomic<UInt64>(0)

    /// The account of a query; one that shall always let others go first has used enough from the start.
    public init(isBackground: Bool = false) {
        if isBackground { self.add(Self.interactiveNanoseconds) }
    }

    /// Whether others go first.
    var isBackground: Bool { self.used.load(ordering: .relaxed) >= Self.interactiveNanoseconds }

    func add(_ nanoseconds: UInt64) { self.used.add(nanoseconds, ordering: .relaxed) }
}

/// A scan whose pieces the threads of a pool take.
private final class PooledScan: @unchecked Sendable {
    // Sound as Sendable: what changes is used under the pool's lock only.
    /// What the caller waits for.
    let isDone = Monitor(false)
    let work: @Sendable (Int, Int) -> ScanStep
    let account: ScanAccount
    private let count: Int
    private var next = 0
    private var runningCount = 0
    private var freeWorkers: [Int]

    init(count: Int, workers: Int, account: ScanAccount, work: @escaping @Sendable (Int, Int) -> ScanStep) {
        self.count = count
        self.account = account
        self.work = work
        self.freeWorkers = (0..<workers).reversed()
    }

    /// Whether nothing is left to do; under the pool's lock.
    var isEmpty: Bool { self.next >= self.count && self.runningCount == 0 }

    /// The next piece, if there is one and a worker for it.
    func take() -> (worker: Int, index: Int)? {
        guard self.next < self.count, let worker = self.freeWorkers.popLast() else { return nil }
        self.runningCount += 1
        self.next += 1
        return (worker, self.next - 1)
    }

    func finish(worker: Int, _ step: ScanStep) {
        self.runningCount -= 1
        self.freeWorkers.append(worker)
        if step == .enough { self.next = self.count }
    }
}

/// The scans of a pool, the one that has waited longest first.
private struct ScanQueue {
    struct Piece {
        let scan: PooledScan
        let worker: Int
        let index: Int
    }

    var scans: [PooledScan] = []
    var isClosed = false

    /// A piece; `.some(nil)` when the pool is closed, `nil` when there is nothing to do now.
    mutating func take() -> Piece?? {
        for isBackground in [false, true] {
            for place in self.scans.indices where self.scans[place].account.isBackground == isBackground {
                guard let piece = self.scans[place].take() else { continue }
                let scan = self.scans.remove(at: place)
                self.scans.append(scan)
                return Piece(scan: scan, worker: piece.worker, index: piece.index)
            }
        }
        return self.isClosed ? .some(nil) : nil
    }

    /// Notes the end of a piece, and says whether it was the scan's last.
    mutating func finish(_ piece: Piece, _ step: ScanStep) -> Bool? {
        piece.scan.finish(worker: piece.worker, step)
        guard piece.scan.isEmpty else { return false }
        self.scans.removeAll { $0 === piece.scan }
        return true
    }
}
