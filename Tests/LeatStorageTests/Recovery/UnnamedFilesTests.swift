import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatStorage

/// Segments that the catalog does not name, since it lost what was written last or since a crash came first.
struct UnnamedFilesTests {
    private static func open(_ disk: CrashDisk, _ catalog: MemoryCatalog) throws -> Store {
        var options = StoreOptions(path: "/data", fileSystem: disk, time: ManualTime())
        options.runsInBackground = false
        options.locksFolder = false
        return try Store.open(options, catalog: catalog)
    }

    private static func copy(_ disk: CrashDisk) -> CrashDisk { CrashDisk(disk.state.withLock { $0 }) }

    /// The numbers of all rows, sorted.
    private static func numbers(_ store: Store) throws -> [Int] {
        var numbers: [Int] = []
        for repository in store.repositories {
            numbers += try store.snapshot(repository: repository.name).rows().compactMap { $0["n"].flatMap(Int.init) }
        }
        return numbers.sorted()
    }

    /// Whatever the catalog was at any earlier moment, the files of today have all rows, and each of them once.
    @Test(arguments: 0..<12) func aCatalogThatLostItsNewestEntriesCostsNoRows(seed: Int) async throws {
        var random = SeededRandom(seed: UInt64(seed))
        let disk = CrashDisk()
        let catalog = MemoryCatalog()
        let store = try Self.open(disk, catalog)
        try store.createRepository("first")
        var earlier: [MemoryCatalog] = []
        var names = ["first"]
        var count = 0
        for _ in 0..<24 {
            earlier.append(MemoryCatalog(copying: catalog))
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try store.seal()
            case 1: try store.compact()
            case 2 where names.count < 3:
                names.append("other-\(names.count)")
                try store.createRepository(names[names.count - 1])
            default:
                let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    let rows: [Row] = (0..<Int.random(in: 1...5, using: &random)).map { ["n": "\(count + $0)"] }
                    count += rows.count
                    let pod = "\(Int.random(in: 0..<2, using: &random))"
                    return IngestPart(tags: DatasourceTags([.init(name: "#pod", value: pod)]), batch: .rows(rows))
                }
                let name = names.randomElement(using: &random) ?? "first"
                _ = try await store.append(IngestBatch(repository: name, parts: parts, arrivedAt: arrival))
            }
        }
        store.abandon()
        for (index, catalog) in earlier.enumerated() {
            let disk = Self.copy(disk)
            let once = try Self.open(disk, catalog)
            #expect(try Self.numbers(once) == Array(0..<count), "seed \(seed), catalog \(index)")
            try once.compact()
            try once.close()
            let twice = try Self.open(disk, catalog)
            #expect(try Self.numbers(twice) == Array(0..<count), "seed \(seed), catalog \(index), opened again")
            #expect(twice.status().notices == [])
            try twice.close()
        }
    }

    /// What was merged away, or deleted with its repository, does not come back.
    @Test func whatWasRemovedStaysRemoved() async throws {
        let disk = CrashDisk()
        let catalog = MemoryCatalog()
        let store = try Self.open(disk, catalog)
        for name in ["kept", "deleted"] {
            try store.createRepository(name)
            for index in 0..<2 {
                let batch = Batch.rows([["n": "\(index)"]])
                _ = try await store.append(IngestBatch(repository: name, batch: batch, arrivedAt: arrival))
                try store.seal()
            }
        }
        let before = Self.copy(disk)
        try store.compact()
        try store.deleteRepository("deleted")
        try store.close()
        // The files of before are still there, as if a crash had come before they were removed.
        let objects = DirectoryObjects(fileSystem: disk, root: "/data/segments")
        let old = DirectoryObjects(fileSystem: before, root: "/data/segments")
        let present = Set(try objects.list().map(\.key))
        for object in try old.list() where !present.contains(object.key) {
            try objects.put(object.key, [try old.get(object.key)])
        }
        let again = try Self.open(disk, catalog)
        #expect(try Self.numbers(again) == [0, 1])
        #expect(again.repositories.map(\.name) == ["kept"])
        #expect(try objects.list().count == 1)
        try again.close()
    }
}
