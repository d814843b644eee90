import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

struct BackupTests {
    private static func append(_ store: Store, _ range: Range<Int>) async throws {
        for index in range {
            let batch = Batch.rows([["n": "\(index)", "message": "request \(index) done"]])
            _ = try await store.append(
                IngestBatch(repository: "web", batch: batch, ids: [ByteSlice("id-\(index)")], arrivedAt: arrival)
            )
        }
    }

    private static func numbers(_ store: Store) throws -> [Int] {
        try store.snapshot(repository: "web").rows().compactMap { $0["n"].flatMap(Int.init) }
    }

    @Test func aBackupOfARunningStoreIsAStore() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let store = try Store.open(options)
        try store.createRepository("web", retention: Retention(ageSeconds: 99, byteCount: nil))
        try store.setDocument([1, 2, 3], kind: "token", name: "a")
        try await Self.append(store, 0..<10)
        try store.seal()
        try await Self.append(store, 10..<15)
        try store.compact()
        try await Self.append(store, 15..<20)

        let target = folder.path("backup")
        let backup = try Store.backup(options, to: target)
        #expect(backup.segmentCount == 1 && backup.rowCount == 15 && backup.copiedCount == 0)
        try await Self.append(store, 20..<25)
        try store.compact()

        let copy = try Store.open(testOptions(target))
        #expect(try Self.numbers(copy) == Array(0..<20))
        #expect(copy.repositories.map(\.retention.ageSeconds) == [99])
        #expect(try copy.documents(kind: "token") == ["a": [1, 2, 3]])
        #expect(try Store.verify(testOptions(target)).damaged == [])
        // What was sent before is a repeat there, too.
        let batch = IngestBatch(
            repository: "web",
            batch: .rows([["n": "3"]]),
            ids: [ByteSlice("id-3")],
            arrivedAt: arrival
        )
        #expect(try await copy.append(batch).repeatedIDs == [[0]])
        try copy.compact()
        #expect(try Self.numbers(copy) == Array(0..<20))
        #expect(try Self.numbers(store) == Array(0..<25), "the copy shares no changing file with the original")
        try copy.close()
        try store.close()
    }

    @Test func mergesInBetweenDoNoHarm() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let store = try Store.open(options)
        try store.createRepository("web")
        for start in 0..<6 {
            try await Self.append(store, start * 5..<start * 5 + 5)
            try store.seal()
        }
        // The merge comes when the catalog has been read and the segments have not been linked.
        var mergeCount = 0
        let writer = BackupWriter(fileSystem: options.fileSystem, source: options.path, target: folder.path("backup"))
        let backup = try writer.run { (path) throws(StorageError) in
            let source = try SQLiteCatalog(readOnly: "\(options.path)/\(StorageFileNames.catalog)")
            try source.copy(to: path)
            let contents = try source.contents()
            try source.close()
            if mergeCount == 0 { try store.compact() }
            mergeCount += 1
            return contents
        }
        #expect(mergeCount == 2 && backup.segmentCount == 1)
        let copy = try Store.open(testOptions(folder.path("backup")))
        #expect(try Self.numbers(copy) == Array(0..<30))
        try copy.close()
        try store.close()
    }

    @Test func aBackupThatWasCutShortIsNone() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let store = try Store.open(options)
        try store.createRepository("web")
        try await Self.append(store, 0..<5)
        try store.close()
        let target = folder.path("backup")
        _ = try Store.backup(options, to: target)
        #expect(throws: StorageError.self) { try Store.backup(options, to: target) }
        try PosixFileSystem().rename(
            "\(target)/\(StorageFileNames.catalog)",
            to: "\(target)/\(StorageFileNames.incompleteCatalog)"
        )
        #expect(throws: StorageError.self) { try Store.open(testOptions(target)) }
        #expect(throws: StorageError.self) { try Store.backup(testOptions(folder.path("nothing")), to: target + "2") }
    }
}
