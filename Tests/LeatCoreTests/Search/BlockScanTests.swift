import LeatCore
import LeatTesting
import Synchronization
import Testing

/// A block of rows that are numbers, which refuses a prefilter of `.none`, and may be damaged.
private struct NumberBlock: BlockSource {
    let numbers: Range<Int>
    var isDamaged = false

    var rowCount: Int { self.numbers.count }
    var timeRange: ClosedRange<Int64> { Int64(self.numbers.lowerBound)...Int64(self.numbers.upperBound) }
    var byteCount: Int { self.numbers.count * 10 }

    func mayMatch(_ prefilter: Prefilter) throws(DamagedBlock) -> Bool {
        switch prefilter {
        case .none: false
        case .numeric(_, let range):
            range.overlaps(Double(self.numbers.lowerBound)...Double(self.numbers.upperBound - 1))
        default: true
        }
    }

    func read() throws(DamagedBlock) -> Batch {
        if self.isDamaged { throw DamagedBlock(path: "block", offset: UInt64(self.numbers.lowerBound), reason: "test") }
        return Batch(timestamps: self.numbers.map { Int64($0) }, source: MemoryColumns([]))
    }
}

/// Adds up the times of rows.
private final class Summer: ScanWorker, @unchecked Sendable {
    // Sound as Sendable: read only after the scan has ended.
    var sum: Int64 = 0
    var blocks: [Int] = []
    var enoughAfter = Int.max
    var onBlock: () -> Void = {}
    var fate: (Int) -> BlockFate = { _ in .read }

    func decide(_ block: any BlockSource, block index: Int) -> BlockFate { self.fate(index) }

    func consume(_ batch: Batch, block index: Int) -> ScanStep {
        self.onBlock()
        self.sum += batch.timestamps.reduce(0, +)
        self.blocks.append(index)
        return self.blocks.count >= self.enoughAfter ? .enough : .more
    }
}

@Suite struct BlockScanTests {
    private static func blocks(_ count: Int) -> [NumberBlock] {
        (0..<count).map { NumberBlock(numbers: $0 * 10..<$0 * 10 + 10) }
    }

    @Test(arguments: [1, 2, 4], [0, 1, 3, 500])
    func everyBlockIsSeenOnce(workerCount: Int, blockCount: Int) {
        let workers = (0..<workerCount).map { _ in Summer() }
        let scan = BlockScan(Self.blocks(blockCount))
        let outcome: BlockScan.Outcome = scan.run(workers)
        #expect(workers.flatMap(\.blocks).sorted() == Array(0..<blockCount))
        #expect(workers.reduce(0) { $0 + $1.sum } == Int64((0..<blockCount * 10).reduce(0, +)))
        #expect(outcome.progress.rowsDone == blockCount * 10)
        #expect(outcome.progress.bytesDone == outcome.progress.bytesTotal)
        #expect(outcome.progress.blocksDone == blockCount)
        #expect(!outcome.wasCancelled)
        // Each worker gets its blocks in the order of the list.
        for worker in workers { #expect(worker.blocks == worker.blocks.sorted()) }
    }

    @Test func enoughStopsTheScan() {
        let worker = Summer()
        worker.enoughAfter = 3
        let outcome: BlockScan.Outcome = BlockScan(Self.blocks(100)).run([worker])
        #expect(worker.blocks == [0, 1, 2])
        #expect(outcome.progress.blocksDone == 3)
    }

    @Test func blocksThatCannotMatchAreNotRead() {
        let worker = Summer()
        let scan = BlockScan(Self.blocks(10), prefilter: .numeric(field: "n", 35...44))
        let outcome: BlockScan.Outcome = scan.run([worker])
        #expect(worker.blocks == [3, 4])
        #expect(outcome.progress.blocksSkipped == 8)
    }

    @Test func damageIsReportedAndTheRestIsScanned() {
        var blocks = Self.blocks(5)
        blocks[2].isDamaged = true
        let worker = Summer()
        let outcome: BlockScan.Outcome = BlockScan(blocks).run([worker])
        #expect(worker.blocks == [0, 1, 3, 4])
        #expect(outcome.damage == [DamagedBlock(path: "block", offset: 20, reason: "test")])
    }

    @Test func cancellingEndsTheScan() {
        let worker = Summer()
        let scan = BlockScan(Self.blocks(100))
        worker.onBlock = { if worker.blocks.count == 4 { scan.cancel() } }
        let outcome: BlockScan.Outcome = scan.run([worker])
        #expect(worker.blocks.count == 5)
        #expect(outcome.wasCancelled)
    }

    @Test func someBlocksAtATimeAreSelectedAndRead() {
        let worker = Summer()
        worker.fate = { $0 % 2 == 0 ? .read : .unneeded }
        let scan = BlockScan(Self.blocks(10))
        let first = scan.select(2, from: 0, for: worker)
        #expect(first.places == [0, 2])
        #expect(first.end == 3)
        #expect(scan.progress.blocksDone == 1)
        scan.read(first, [worker])
        #expect(worker.blocks == [0, 2])
        #expect(scan.progress.blocksDone == 3)
        let rest = scan.select(100, from: first.end, for: worker)
        #expect(rest.end == 10)
        scan.read(rest, [worker])
        #expect(worker.blocks == [0, 2, 4, 6, 8])
        #expect(scan.progress.blocksDone == 10)
        #expect(scan.progress.count(.unneeded) == 5)
    }

    /// What is read can make blocks needless that were selected before.
    @Test func aSelectedBlockIsNotReadWhenNobodyNeedsItAnyMore() {
        let worker = Summer()
        worker.fate = { _ in worker.blocks.count < 2 ? .read : .unneeded }
        let outcome = BlockScan(Self.blocks(6)).run([worker])
        #expect(worker.blocks == [0, 1])
        #expect(outcome.progress.count(.read) == 2)
        #expect(outcome.progress.count(.unneeded) == 4)
    }

    @Test func aWorkerSaysWhatIsNotRead() {
        let worker = Summer()
        worker.fate = { $0 < 3 ? .outOfTime : $0 < 5 ? .answered : .read }
        let outcome = BlockScan(Self.blocks(8)).run([worker])
        #expect(worker.blocks == [5, 6, 7])
        #expect(outcome.progress.count(.outOfTime) == 3)
        #expect(outcome.progress.count(.answered) == 2)
        #expect(outcome.progress.count(.read) == 3)
        #expect(outcome.progress.blocksSkipped == 5)
    }
}
