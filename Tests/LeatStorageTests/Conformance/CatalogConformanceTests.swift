import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// What every catalog must do, run against each of them.
struct CatalogConformanceTests {
    /// The implementations; each call makes a fresh one, and `reopened` the same one as a new process sees it.
    enum Implementation: CaseIterable, CustomTestStringConvertible {
        case sqlite, memory

        var testDescription: String { "\(self)" }

        func open(_ folder: TemporaryFolder) throws -> any Catalog {
            switch self {
            case .sqlite: try SQLiteCatalog(path: folder.path("catalog.sqlite"))
            case .memory: MemoryCatalog()
            }
        }

        /// What a catalog says after it was closed and opened again.
        func reopened(_ catalog: any Catalog, _ folder: TemporaryFolder) throws -> any Catalog {
            try catalog.close()
            return self == .sqlite ? try SQLiteCatalog(path: folder.path("catalog.sqlite")) : catalog
        }
    }

    static let tags = [
        DatasourceTags.none,
        DatasourceTags([.init(name: "#a", value: "1"), .init(name: "#b", value: "")]),
    ]

    static func repository(_ id: Int64, _ name: String) -> RepositoryRecord {
        let retention = Retention(ageSeconds: id == 1 ? nil : 60, byteCount: id == 1 ? .max : nil)
        let repository = Repository(name: name, createdAt: Timestamp(nanoseconds: id * 7), retention: retention)
        return RepositoryRecord(id: id, repository: repository, nextRow: id * 100)
    }

    static func segment(_ number: Int64, repository: Int64 = 1) -> SegmentRecord {
        SegmentRecord(
            number: number,
            repositoryID: repository,
            byteCount: number * 10,
            rowCount: number,
            plainByteCount: .max,
            times: .min ... .max,
            arrivals: -5...number
        )
    }

    private static func change(_ body: (inout CatalogChange) -> Void) -> CatalogChange {
        var change = CatalogChange()
        body(&change)
        return change
    }

    @Test(arguments: Implementation.allCases)
    func whatIsPublishedStays(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        var catalog = try implementation.open(folder)
        let empty = try catalog.contents()
        #expect(empty.version == 0 && empty.nextSegment == 1 && empty.nextRepository == 1)
        #expect(empty.repositories.isEmpty && empty.segments.isEmpty)
        let first = Self.change { change in
            change.putRepositories = [Self.repository(1, "a"), Self.repository(2, "b")]
            change.addedSegments = [Self.segment(1), Self.segment(4), Self.segment(5, repository: 2)]
            change.sealedThrough = [1: [Self.tags[0]: 9, Self.tags[1]: 12], 2: [Self.tags[0]: 1]]
            change.journalRemovedThrough = 77
        }
        #expect(try catalog.publish(first, expecting: 0) == 1)
        let second = Self.change { change in
            change.addedSegments = [Self.segment(6)]
            change.removedSegments = [1, 4]
            // Never lowered, whoever comes late.
            change.sealedThrough = [1: [Self.tags[0]: 3, Self.tags[1]: 40]]
            change.journalRemovedThrough = 12
        }
        #expect(try catalog.publish(second, expecting: 1) == 2)
        for round in 0..<2 {
            let contents = try catalog.contents()
            #expect(contents.version == 2 && contents.journalRemovedThrough == 77)
            #expect(contents.nextSegment == 7 && contents.nextRepository == 3)
            #expect(contents.segments == [Self.segment(5, repository: 2), Self.segment(6)])
            #expect(contents.repositories == [Self.repository(1, "a"), Self.repository(2, "b")])
            #expect(contents.sealedThrough == [1: [Self.tags[0]: 9, Self.tags[1]: 40], 2: [Self.tags[0]: 1]])
            if round == 0 { catalog = try implementation.reopened(catalog, folder) }
        }
        try catalog.close()
    }

    @Test(arguments: Implementation.allCases)
    func aSecondWriterIsRefused(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        let catalog = try implementation.open(folder)
        let change = Self.change { $0.putRepositories = [Self.repository(1, "a")] }
        _ = try catalog.publish(change, expecting: 0)
        for version in [0, 2, -1] as [Int64] {
            let other = Self.change { $0.putRepositories = [Self.repository(2, "b")] }
            #expect(throws: StorageError.self) { try catalog.publish(other, expecting: version) }
        }
        let contents = try catalog.contents()
        #expect(contents.version == 1 && contents.repositories.map(\.id) == [1])
        try catalog.close()
    }

    @Test(arguments: Implementation.allCases)
    func aRepositoryGoesWithAllThatIsItsOwn(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        let catalog = try implementation.open(folder)
        let series = [1, 2].map { BatchSeries(repositoryID: $0, credential: "c", series: 5) }
        let batch = BatchRecord(number: 3, hash: 1, arrivedAtMilliseconds: 9, refused: [])
        let change = Self.change { change in
            change.putRepositories = [Self.repository(1, "a"), Self.repository(2, "b")]
            change.addedSegments = [Self.segment(1), Self.segment(2, repository: 2)]
            change.sealedThrough = [1: [Self.tags[0]: 9], 2: [Self.tags[0]: 9]]
            for series in series {
                change.storedNumbers[series] = [1...3]
                change.batches[series] = [batch]
            }
        }
        _ = try catalog.publish(change, expecting: 0)
        _ = try catalog.publish(Self.change { $0.removedRepositories = [1] }, expecting: 1)
        let contents = try catalog.contents()
        #expect(contents.repositories.map(\.id) == [2] && contents.segments.map(\.number) == [2])
        #expect(contents.sealedThrough.keys.sorted() == [2] && contents.nextRepository == 3)
        #expect(try catalog.storedNumbers(of: series[0]) == [] && catalog.storedNumbers(of: series[1]) == [1...3])
        #expect(try catalog.outcome(of: series[0], number: 3) == nil)
        #expect(try catalog.outcome(of: series[1], number: 3) == batch)
        try catalog.close()
    }

    @Test(arguments: Implementation.allCases)
    func batchesAreRememberedByNumber(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        var catalog = try implementation.open(folder)
        let series = BatchSeries(repositoryID: 1, credential: "agent", series: .max)
        let refused = [RefusedItem(position: 7, status: 400, type: "t", reason: "r")]
        let batches = [
            BatchRecord(number: 1, hash: .max, arrivedAtMilliseconds: 10, refused: []),
            BatchRecord(number: .max, hash: 0, arrivedAtMilliseconds: 10, refused: refused),
            BatchRecord(number: 9, hash: 5, arrivedAtMilliseconds: 30, refused: []),
        ]
        let change = Self.change { change in
            change.storedNumbers[series] = [1...1, 9...12, .max ... .max]
            change.batches[series] = batches
        }
        _ = try catalog.publish(change, expecting: 0)
        let later = Self.change { change in
            change.storedNumbers[series] = [1...12, .max ... .max]
            change.forgetsBatchesBefore = 20
        }
        _ = try catalog.publish(later, expecting: 1)
        catalog = try implementation.reopened(catalog, folder)
        #expect(try catalog.storedNumbers(of: series) == [1...12, .max ... .max])
        // The hash of an old batch is forgotten, what was refused is not.
        #expect(try catalog.outcome(of: series, number: 1) == nil)
        #expect(try catalog.outcome(of: series, number: .max) == batches[1])
        #expect(try catalog.outcome(of: series, number: 9) == batches[2])
        #expect(try catalog.outcome(of: series, number: 10) == nil)
        var other = series
        other.credential = "another"
        #expect(try catalog.storedNumbers(of: other) == [])
        try catalog.close()
    }

    @Test(arguments: Implementation.allCases)
    func documentsAreKeptByKindAndName(_ implementation: Implementation) throws {
        let folder = try TemporaryFolder()
        var catalog = try implementation.open(folder)
        try catalog.setDocument([1], kind: "token", name: "a")
        try catalog.setDocument([], kind: "token", name: "ü")
        try catalog.setDocument([3], kind: "parser", name: "a")
        try catalog.setDocument([0, 255], kind: "token", name: "a")
        try catalog.setDocument(nil, kind: "parser", name: "a")
        try catalog.setDocument(nil, kind: "parser", name: "absent")
        catalog = try implementation.reopened(catalog, folder)
        #expect(try catalog.documents(kind: "token") == ["a": [0, 255], "ü": []])
        #expect(try catalog.documents(kind: "parser") == [:])
        #expect(try catalog.contents().version == 0, "documents do not disturb writers")
        try catalog.close()
    }

    /// Also what the tests rest on: a fault of the one in memory changes nothing.
    @Test func aFaultChangesNothing() throws {
        let catalog = MemoryCatalog()
        catalog.setFault { .file(FileSystemError(operation: "publish", path: "catalog", code: EIO)) }
        let change = Self.change { $0.putRepositories = [Self.repository(1, "a")] }
        #expect(throws: StorageError.self) { try catalog.publish(change, expecting: 0) }
        #expect(throws: StorageError.self) { try catalog.setDocument([1], kind: "k", name: "n") }
        #expect(catalog.contents().version == 0 && catalog.documents(kind: "k") == [:])
        catalog.setFault(nil)
        #expect(try catalog.publish(change, expecting: 0) == 1)
    }
}
