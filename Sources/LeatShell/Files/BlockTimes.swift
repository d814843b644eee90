internal import LeatCore
internal import Synchronization

/// Measures the times of blocks before a query that needs to know the first and the last of them.
enum BlockTimes {
    /// Bytes of files up to which the rows that are read for it are kept for the query itself.
    private static let keptByteCountMax = 128 << 20

    /// The same blocks with their times; blocks without rows are left out.
    static func measure(_ blocks: [FileBlock], threads: Int) -> [FileBlock] {
        let keepsRows = blocks.reduce(0) { $0 + $1.byteCount } <= Self.keptByteCountMax
        let work = Work(blocks)
        let workers = (1..<max(1, min(threads, blocks.count))).map { number in
            WorkerThread(name: "leat-times-\(number)") { work.run(keepsRows: keepsRows) }
        }
        work.run(keepsRows: keepsRows)
        for worker in workers { worker.join() }
        return work.measured
    }

    private final class Work: Sendable {
        private let blocks: [FileBlock]
        private let cursor = Atomic<Int>(0)
        private let results: Mutex<[FileBlock?]>

        init(_ blocks: [FileBlock]) {
            self.blocks = blocks
            self.results = Mutex(Array(repeating: nil, count: blocks.count))
        }

        var measured: [FileBlock] { self.results.withLock { $0.compactMap { $0 } } }

        func run(keepsRows: Bool) {
            while true {
                let index = self.cursor.add(1, ordering: .relaxed).oldValue
                guard index < self.blocks.count else { return }
                let measured = Self.measured(self.blocks[index], keepsRows: keepsRows)
                self.results.withLock { $0[index] = measured }
            }
        }

        private static func measured(_ block: FileBlock, keepsRows: Bool) -> FileBlock? {
            var block = block
            do throws(DamagedBlock) {
                let batch = try block.read()
                guard let first = batch.timestamps.min(), let last = batch.timestamps.max() else { return nil }
                block.timeRange = first...last
                if keepsRows { block.rows = batch }
            } catch {
                // The query meets the same damage and tells it.
            }
            return block
        }
    }
}
