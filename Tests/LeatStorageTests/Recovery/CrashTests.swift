import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// A store on a disk that dies, and what was promised of it.
private struct CrashRun {
    let seed: UInt64
    var random: SeededRandom
    var disk = CrashDisk()
    let catalog = MemoryCatalog()
    let time = ManualTime()
    /// Rows of batches that were acknowledged.
    var acknowledged: Set<String> = []
    /// Rows of batches that were given to the store at all.
    var attempted: Set<String> = []
    /// The last batch, if nobody knows what became of it.
    var unknown: IngestBatch?
    var next = 0

    init(seed: UInt64) {
        self.seed = seed
        self.random = SeededRandom(seed: seed)
    }

    func open() throws -> Store {
        let disk = self.disk
        self.catalog.setFault {
            disk.step().map { .file(FileSystemError(operation: "publish", path: "catalog", code: $0)) }
        }
        var options = StoreOptions(path: "/data", fileSystem: disk, time: self.time)
        options.runsInBackground = false
        options.locksFolder = false
        return try Store.open(options, catalog: self.catalog)
    }

    mutating func batch() -> IngestBatch {
        var rows: [Row] = []
        for _ in 0..<Int.random(in: 1...3, using: &self.random) {
            rows.append(["n": "\(self.next)", "text": String(repeating: "x", count: Int(self.random.next() % 700))])
            self.next += 1
        }
        let tags = DatasourceTags([.init(name: "#k", value: "\(self.random.next() % 2)")])
        var batch = IngestBatch(repository: "r", tags: tags, batch: .rows(rows), arrivedAt: self.time.now())
        batch.key = BatchKey(credential: "", series: UInt128(self.seed), number: UInt64(self.next), hash: 1)
        return batch
    }

    /// Sends batches and does other work until the disk dies, or for some steps.
    mutating func work(_ store: Store) async {
        for _ in 0..<8 where !self.disk.isDead {
            do {
                switch self.random.next() % 10 {
                case 0: try store.seal()
                case 1: try store.compact()
                default:
                    let batch = self.unknown ?? self.batch()
                    let names = Self.names(batch)
                    self.attempted.formUnion(names)
                    self.unknown = batch
                    _ = try await store.append(batch)
                    self.acknowledged.formUnion(names)
                    self.unknown = nil
                }
            } catch {
                // The disk died, or failed once: the batch is sent again later.
            }
        }
    }

    private static func names(_ batch: IngestBatch) -> [String] {
        batch.parts.flatMap { part in (try? part.batch.rows().compactMap { $0["n"] }) ?? [] }
    }

    /// Whether all that was promised is there, once, and nothing else.
    func check(_ store: Store) throws {
        let snapshot = try store.snapshot(repository: "r")
        let names = try snapshot.rows().compactMap { $0["n"] }
        let stored = Set(names)
        #expect(stored.count == names.count, "seed \(self.seed): rows are doubled")
        #expect(self.acknowledged.isSubset(of: stored), "seed \(self.seed): rows are lost")
        #expect(stored.isSubset(of: self.attempted), "seed \(self.seed): rows are invented")
        #expect(snapshot.damaged == [], "seed \(self.seed)")
    }
}

struct CrashTests {
    /// Crash points: some here, many in the long mode.
    static let seedCount: UInt64 = getenv("LEAT_LONG") == nil ? 400 : 25_000

    @Test func nothingAcknowledgedIsLostAtAnyCrash() async throws {
        for seed in 0..<Self.seedCount {
            var run = CrashRun(seed: seed)
            var store = try run.open()
            try store.createRepository("r")
            for _ in 0..<4 {
                run.disk.die(after: Int.random(in: 1...40, using: &run.random))
                if run.random.next() % 4 == 0 { run.disk.fail(after: Int(run.random.next() % 10) + 1, with: ENOSPC) }
                await run.work(store)
                store.abandon()
                run.disk = run.disk.crashed(&run.random)
                store = try run.open()
                try run.check(store)
            }
            store.abandon()
        }
    }

    /// A crash in the middle of a recovery is one like any other.
    @Test func recoveryMayBeInterrupted() async throws {
        for seed in 0..<Self.seedCount / 10 {
            var run = CrashRun(seed: seed + 1_000_000)
            var store = try run.open()
            try store.createRepository("r")
            await run.work(store)
            store.abandon()
            for step in 1..<6 {
                run.disk = run.disk.crashed(&run.random)
                run.disk.die(after: step)
                do {
                    store = try run.open()
                    try store.compact()
                    store.abandon()
                } catch {
                    // It died; the next one finds what it left.
                }
            }
            run.disk = run.disk.crashed(&run.random)
            store = try run.open()
            try run.check(store)
            store.abandon()
        }
    }
}
