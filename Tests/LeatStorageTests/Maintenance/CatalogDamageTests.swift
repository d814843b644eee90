import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// A byte that changes in the catalog's file is noticed, or changes nothing.
struct CatalogDamageTests {
    private static let series = BatchSeries(repositoryID: 1, credential: "token", series: 77)

    private static func fill(_ path: String) throws {
        let catalog = try SQLiteCatalog(path: path)
        var change = CatalogChange()
        change.putRepositories = [(1, "web"), (2, "db")].map { CatalogConformanceTests.repository($0.0, $0.1) }
        change.addedSegments = (1...40).map { CatalogConformanceTests.segment($0) }
        change.sealedThrough = [1: [CatalogConformanceTests.tags[1]: 4_711]]
        change.storedNumbers = [Self.series: [1...7, 9...1_000]]
        let refused = RefusedItem(position: 3, status: 400, type: "t", reason: "r")
        change.batches = [
            Self.series: [BatchRecord(number: 9, hash: 99, arrivedAtMilliseconds: 5, refused: [refused])]
        ]
        _ = try catalog.publish(change, expecting: 0)
        try catalog.setDocument(Array("a document of some length".utf8), kind: "kind", name: "name")
        try catalog.close()
    }

    /// All that a catalog says.
    private struct Everything: Equatable {
        var contents: String
        var numbers: [ClosedRange<UInt64>]
        var outcome: BatchRecord?
        var documents: [String: [UInt8]]

        init(_ path: String) throws {
            let catalog = try SQLiteCatalog(readOnly: path)
            defer { try? catalog.close() }
            let contents = try catalog.contents()
            let sealed = contents.sealedThrough.mapValues { $0.map { "\($0)=\($1)" }.sorted() }
            self.contents =
                "\(contents.version) \(contents.nextSegment) \(contents.nextRepository) \(contents.repositories) "
                + "\(contents.journalRemovedThrough) \(contents.segments) \(sealed)"
            self.numbers = try catalog.storedNumbers(of: CatalogDamageTests.series)
            self.outcome = try catalog.outcome(of: CatalogDamageTests.series, number: 9)
            self.documents = try catalog.documents(kind: "kind")
        }
    }

    private static func faults(_ path: String) throws -> [String] {
        let catalog = try SQLiteCatalog(readOnly: path)
        defer { try? catalog.close() }
        return try catalog.faults()
    }

    @Test func everyByteThatChangesIsNoticedOrOfNoMeaning() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("catalog.sqlite")
        try Self.fill(path)
        let disk = PosixFileSystem()
        let bytes = try disk.contents(path).array
        let whole = try Everything(path)
        #expect(try Self.faults(path) == [])
        // The bytes that are used, in steps that have nothing in common with the sizes of rows.
        let used = bytes.indices.filter { bytes[$0] != 0 }
        var noticed = 0
        var random = SeededRandom(seed: 3)
        for offset in stride(from: 0, to: used.count, by: 7).map({ used[$0] }) {
            let file = try disk.open(path, .readWrite)
            let flipped = bytes[offset] ^ (1 << UInt8.random(in: 0..<8, using: &random))
            try file.write([ByteSlice([flipped])], at: UInt64(offset))
            do {
                if try Self.faults(path).isEmpty {
                    #expect(try Everything(path) == whole, "byte \(offset) changed and nobody noticed")
                } else {
                    noticed += 1
                }
            } catch is StorageError {
                noticed += 1
            }
            try file.write([ByteSlice([bytes[offset]])], at: UInt64(offset))
            file.close()
        }
        #expect(noticed * 2 > used.count / 7, "\(noticed)")
        #expect(try Self.faults(path) == [])
    }

    /// A damaged byte of the write-ahead log would silently end what SQLite reads of it.
    @Test func nothingStaysInTheWriteAheadLog() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("catalog.sqlite")
        let catalog = try SQLiteCatalog(path: path)
        var version: Int64 = 0
        for number in Int64(1)...5 {
            var change = CatalogChange()
            change.putRepositories = [CatalogConformanceTests.repository(1, "web")]
            change.addedSegments = [CatalogConformanceTests.segment(number)]
            version = try catalog.publish(change, expecting: version)
            try catalog.setDocument(Array("text".utf8), kind: "kind", name: "\(number)")
            // As if the process had been killed here: the main file alone has it all.
            let copy = folder.path("copy-\(number).sqlite")
            let file = try PosixFileSystem().open(copy, .createNew)
            try file.write([try PosixFileSystem().contents(path)], at: 0)
            file.close()
            let alone = try SQLiteCatalog(path: copy)
            #expect(try alone.contents().segments.count == Int(number))
            #expect(try alone.documents(kind: "kind").count == Int(number))
            try alone.close()
        }
        try catalog.close()
    }

    @Test func verifyNamesTheTableAndTheServerDoesNotStart() async throws {
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let store = try Store.open(options)
        try store.createRepository("a-name-to-be-found")
        _ = try await store.append(
            IngestBatch(repository: "a-name-to-be-found", batch: .rows([["n": "1"]]), arrivedAt: arrival)
        )
        try store.close()
        let path = "\(options.path)/\(StorageFileNames.catalog)"
        let bytes = try PosixFileSystem().contents(path).array
        let name = Array("a-name-to-be-found".utf8)
        for offset in bytes.indices where bytes[offset...].starts(with: name) {
            let file = try PosixFileSystem().open(path, .readWrite)
            try file.write([ByteSlice("b")], at: UInt64(offset))
            file.close()
        }
        let check = try Store.verify(options)
        #expect(check.damaged.contains { $0.contains("repositories") && $0.contains("checksum") }, "\(check.damaged)")
        let error = #expect(throws: StorageError.self) { try Store.open(options) }
        #expect(error?.description.contains("rebuild-catalog") ?? false)
        #expect(try Store.rebuildCatalog(options).rowCount == 1)
        #expect(try Store.verify(options).damaged == [])
    }
}
