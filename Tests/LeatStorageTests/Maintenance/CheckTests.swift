import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// `verify` and `rebuild-catalog` on real files.
struct CheckTests {
    private static func fill(_ options: StoreOptions) async throws -> [Row] {
        let store = try Store.open(options)
        try store.createRepository("web", retention: Retention(ageSeconds: 60, byteCount: nil))
        try store.createRepository("late")
        var rows: [Row] = []
        for index in 0..<12 {
            let row: Row = ["n": "\(index)", "message": "request \(index) done"]
            let batch = IngestBatch(
                repository: "web",
                batch: .rows([row]),
                ids: [ByteSlice("\(index)")],
                arrivedAt: arrival
            )
            _ = try await store.append(batch)
            rows.append(row)
            if index % 4 == 3 { try store.compact() }
        }
        _ = try await store.append(IngestBatch(repository: "web", batch: .rows([["n": "12"]]), arrivedAt: arrival))
        _ = try await store.append(IngestBatch(repository: "late", batch: .rows([["n": "0"]]), arrivedAt: arrival))
        store.abandon()
        return rows + [["n": "12"]]
    }

    private static func flip(_ path: String, at offset: UInt64) throws {
        let file = try PosixFileSystem().open(path, .readWrite)
        defer { file.close() }
        let byte = try PosixFileSystem().contents(path)[Int(offset)..<Int(offset) + 1].array[0]
        try file.write([ByteSlice([byte ^ 0xFF])], at: offset)
    }

    private static func files(_ folder: String) throws -> [String] {
        let names = try PosixFileSystem().list(folder)
        return names.map { "\(folder)/\($0)" }
    }

    @Test func everyKindOfFileIsChecked() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        _ = try await Self.fill(options)
        let clean = try Store.verify(options)
        #expect(clean.damaged == [])
        #expect(clean.rowCount == 12 && clean.frameCount == 2 && clean.unnamedCount == 0)
        let data = options.path
        let segment = try #require(try Self.files(data + "/segments/1").first)
        let journal = try #require(try Self.files(data + "/journal").first)
        let ids = try #require(try Self.files(data + "/ids").first)
        for (path, offset) in [(segment, 40), (journal, 70), (ids, 20)] as [(String, UInt64)] {
            try Self.flip(path, at: offset)
            let check = try Store.verify(options)
            #expect(check.damaged.count >= 1 && check.damaged.allSatisfy { $0.contains(path) }, "\(check.damaged)")
            try Self.flip(path, at: offset)
        }
        #expect(try Store.verify(options).damaged == [])
        try PosixFileSystem().rename(segment, to: segment + ".away")
        let check = try Store.verify(options)
        #expect(check.damaged.contains { $0.contains(segment) } && check.unnamedCount == 1)
    }

    @Test func aFolderInUseCanBeChecked() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path)
        let store = try Store.open(options)
        try store.createRepository("web")
        for _ in 0..<3 {
            _ = try await store.append(IngestBatch(repository: "web", batch: .rows([["n": "1"]]), arrivedAt: arrival))
            try store.seal()
            #expect(try Store.verify(options).damaged == [])
        }
        try store.compact()
        #expect(try Store.verify(options).rowCount == 3)
        try store.close()
        #expect(throws: StorageError.self) { try Store.verify(testOptions(folder.path("nothing"))) }
    }

    @Test func aLostCatalogComesBackWithTheRowsOfTheJournal() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let rows = try await Self.fill(options)
        for name in try PosixFileSystem().list(options.path) where name.hasPrefix(StorageFileNames.catalog) {
            try PosixFileSystem().remove("\(options.path)/\(name)")
        }
        #expect(throws: StorageError.self) { try Store.open(options) }
        let check = try Store.rebuildCatalog(options)
        #expect(check.rowCount == 12 && check.damaged == [])
        let store = try Store.open(options)
        #expect(try store.snapshot(repository: "web").rows() == rows)
        #expect(store.repositories.map(\.name) == ["repository-2", "web"])
        #expect(try store.snapshot(repository: "repository-2").rows() == [["n": "0"]])
        // Nothing goes before somebody has said how long it shall stay.
        #expect(store.repositories.allSatisfy { $0.retention.ageSeconds == nil })
        try store.close()
        #expect(throws: StorageError.self) { try Store.rebuildCatalog(testOptions(folder.path("nothing"))) }
    }
}
