import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatStorage

struct DeletionTests {
    /// A store with rows 0..<60 of two datasources in three segments, and rows 60..<70 that are open.
    private static func filled(_ folder: TemporaryFolder) async throws -> Store {
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("r")
        for index in 0..<70 {
            let tags = DatasourceTags([.init(name: "#k", value: "\(index % 2)")])
            let row: Row = ["n": "\(index)", "user": "u\(index % 7)"]
            let batch = Batch.rows([row], time: Int64(index) * 1_000_000)
            _ = try await store.append(IngestBatch(repository: "r", tags: tags, batch: batch, arrivedAt: arrival))
            if index == 20 || index == 40 || index == 59 { try store.seal() }
        }
        return store
    }

    private static func delete(_ user: String, from store: Store, below bound: Int64) throws -> DeletionOutcome {
        try store.deleteRows(of: "r", below: bound, times: .min ... .max, shouldStop: { false }) { block in
            let batch = try block.read()
            let rows = try batch.rows()
            return Bitmap.rows(of: batch) { rows[$0]["user"] == user }
        }
    }

    private static func numbers(_ store: Store) throws -> [Int] {
        try store.snapshot(repository: "r").rows().compactMap { $0["n"].flatMap(Int.init) }
    }

    @Test(arguments: [false, true])
    func deletedRowsNeverComeBack(isKilled: Bool) async throws {
        let folder = try TemporaryFolder()
        var store = try await Self.filled(folder)
        let before = try store.snapshot(repository: "r")
        let bound = try store.sealedRowBound(of: "r")
        #expect(bound == 70)
        // Rows that come later stay, whatever they hold.
        _ = try await store.append(
            IngestBatch(repository: "r", batch: .rows([["n": "100", "user": "u3"]]), arrivedAt: arrival)
        )
        try store.seal()
        let outcome = try Self.delete("u3", from: store, below: bound)
        #expect(outcome.rowCount == 10 && outcome.damaged.isEmpty && !outcome.isStopped)
        let expected = (0..<70).filter { $0 % 7 != 3 } + [100]
        #expect(try Self.numbers(store) == expected)
        #expect(try before.rows().count == 70, "a query that runs already sees what it saw")
        #expect(store.status().counters.deletedRowCount == 10)
        #expect(store.status().repositories[0].rowCount == expected.count)
        #expect(try Self.delete("u3", from: store, below: bound).rowCount == 0, "once more finds nothing")

        if isKilled { store.abandon() } else { try store.close() }
        store = try Store.open(testOptions(folder.path))
        #expect(try Self.numbers(store) == expected)
        try store.compact()
        #expect(try Self.numbers(store) == expected)
        #expect(store.verify().damaged == [])
        try store.close()
        // A catalog that is made again from the files does not know them either.
        _ = try Store.rebuildCatalog(testOptions(folder.path))
        store = try Store.open(testOptions(folder.path))
        #expect(try Self.numbers(store) == expected)
        try store.close()
    }

    @Test func aDatasourceMayLoseAllItsRows() async throws {
        let folder = try TemporaryFolder()
        let store = try await Self.filled(folder)
        let bound = try store.sealedRowBound(of: "r")
        let outcome = try store.deleteRows(of: "r", below: bound, times: .min ... .max, shouldStop: { false }) {
            Bitmap(repeating: true, count: $0.rowCount)
        }
        #expect(outcome.rowCount == 70 && outcome.segmentCount == 4)
        #expect(try Self.numbers(store) == [])
        #expect(try store.objects.list().isEmpty)
        try store.close()
    }

    @Test func itStopsBetweenSegmentsAndGoesOn() async throws {
        let folder = try TemporaryFolder()
        let store = try await Self.filled(folder)
        let bound = try store.sealedRowBound(of: "r")
        var asked = 0
        let outcome = try store.deleteRows(of: "r", below: bound, times: .min ... .max) {
            asked += 1
            return asked > 2
        } choose: {
            Bitmap(repeating: true, count: $0.rowCount)
        }
        #expect(outcome.isStopped && outcome.segmentCount == 2)
        #expect(try Self.delete("u1", from: store, below: bound).rowCount > 0)
        #expect(try Self.numbers(store).allSatisfy { $0 > 40 && $0 % 7 != 1 })
        try store.close()
    }

    @Test func blocksOfOtherTimesAreNotRead() async throws {
        let folder = try TemporaryFolder()
        let store = try await Self.filled(folder)
        let bound = try store.sealedRowBound(of: "r")
        var seen = 0
        _ = try store.deleteRows(of: "r", below: bound, times: 1...2_000_000, shouldStop: { false }) { block in
            seen += 1
            #expect(block.timeRange.lowerBound <= 2_000_000)
            return nil
        }
        #expect(seen == 2)
        try store.close()
    }

    @Test func damageIsReportedAndTheRestIsDeleted() async throws {
        let disk = CrashDisk()
        let catalog = MemoryCatalog()
        var options = testOptions("/data", fileSystem: disk)
        options.locksFolder = false
        var store = try Store.open(options, catalog: catalog)
        try store.createRepository("r")
        for index in 0..<3 {
            let batch = Batch.rows([["n": "\(index)", "user": "u\(index)"], ["n": "\(index + 10)", "user": "u9"]])
            _ = try await store.append(IngestBatch(repository: "r", batch: batch, arrivedAt: arrival))
            try store.seal()
        }
        store.abandon()
        let path = try #require(disk.state.withLock { $0.entries.keys.filter { $0.hasSuffix(".segment") }.min() })
        disk.state.withLock { state in
            guard let inode = state.entries[path] else { return }
            for byte in 8..<120 { state.inodes[inode].current[byte] ^= 0x55 }
        }
        store = try Store.open(options, catalog: catalog)
        let outcome = try Self.delete("u9", from: store, below: 100)
        #expect(outcome.rowCount == 2)
        #expect(outcome.damaged.count == 1 && outcome.damaged[0].contains(path))
        store.abandon()
    }
}
