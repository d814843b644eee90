import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// A store on a disk that dies, and what was promised of it.
struct CrashRun {
    static let keepingAll = Retention(ageSeconds: nil, byteCount: nil)
    private static let hour: Int64 = 3_600

    let seed: UInt64
    var random: SeededRandom
    var disk = CrashDisk()
    let catalog = MemoryCatalog()
    let time = ManualTime()
    private var promise = Promise()
    /// The last batch, if nobody knows what became of it.
    private var unknown: IngestBatch?
    private var next = 0
    /// The last backup that was made since the last check, and what was promised then.
    private var backup: (path: String, catalog: MemoryCatalog, promise: Promise)?
    private var backupCount = 0

    /// Which rows must be there, may be there, and must not.
    struct Promise {
        /// Rows of batches that were acknowledged.
        var acknowledged: Set<String> = []
        /// Rows of batches that were given to the store at all.
        var attempted: Set<String> = []
        /// Rows that a retention or a deletion was to take, whether or not it came to its end.
        var condemned: Set<String> = []
        /// Rows that were deleted, and that was acknowledged.
        var deleted: Set<String> = []

        func check(_ names: [String], _ comment: String) {
            let stored = Set(names)
            #expect(stored.count == names.count, "\(comment): rows are doubled")
            let lost = self.acknowledged.subtracting(self.condemned).subtracting(stored)
            #expect(lost.isEmpty, "\(comment): rows are lost")
            #expect(stored.isSubset(of: self.attempted), "\(comment): rows are invented")
            #expect(stored.isDisjoint(with: self.deleted), "\(comment): deleted rows came back")
        }
    }

    init(seed: UInt64) {
        self.seed = seed
        self.random = SeededRandom(seed: seed)
    }

    func open() throws -> Store {
        let disk = self.disk
        self.catalog.setFault {
            disk.step().map { .file(FileSystemError(operation: "publish", path: "catalog", code: $0)) }
        }
        return try Store.open(self.options("/data", disk), catalog: self.catalog)
    }

    private func options(_ path: String, _ disk: CrashDisk) -> StoreOptions {
        var options = StoreOptions(path: path, fileSystem: disk, time: self.time)
        options.runsInBackground = false
        options.locksFolder = false
        return options
    }

    private mutating func batch() -> IngestBatch {
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
            let works = ["seal", "merge", "retain", "delete", "backup"]
            let chosen = Int(self.random.next() % 16)
            guard chosen < works.count else {
                await self.append(store)
                continue
            }
            do {
                try self.perform(works[chosen], store)
            } catch {
                // The disk died, or failed once.
            }
        }
    }

    /// Sends a batch, the one before again if its fate is unknown.
    mutating func append(_ store: Store) async {
        let batch = self.unknown ?? self.batch()
        let names = batch.parts.flatMap { part in (try? part.batch.rows().compactMap { $0["n"] }) ?? [] }
        self.promise.attempted.formUnion(names)
        self.unknown = batch
        do {
            _ = try await store.append(batch)
        } catch {
            return
        }
        self.promise.acknowledged.formUnion(names)
        self.unknown = nil
    }

    mutating func perform(_ work: String, _ store: Store) throws {
        switch work {
        case "seal": try store.seal()
        case "merge": try store.compact()
        case "retain": try self.retain(store)
        case "delete": try self.delete(store)
        case "backup": try self.makeBackup()
        default: preconditionFailure("no work '\(work)'")
        }
    }

    /// All that has arrived so far becomes too old.
    private mutating func retain(_ store: Store) throws {
        self.time.advance(by: .seconds(2 * Self.hour))
        self.promise.condemned.formUnion(self.promise.attempted)
        try store.setRetention(Retention(ageSeconds: Self.hour, byteCount: nil), of: "r")
        try store.applyRetention()
        try store.setRetention(Self.keepingAll, of: "r")
    }

    private mutating func delete(_ store: Store) throws {
        let digit = "\(self.random.next() % 10)"
        let isMeant: (String) -> Bool = { $0.hasSuffix(digit) }
        let bound = try store.sealedRowBound(of: "r")
        // A batch whose fate is unknown may be stored later and is then none of those that were meant.
        let meant = self.promise.acknowledged.filter(isMeant)
        self.promise.condemned.formUnion(self.promise.attempted.filter(isMeant))
        let outcome = try store.deleteRows(of: "r", below: bound, times: .min ... .max) {
            false
        } choose: { block in
            let batch = try block.read()
            let rows = try batch.rows()
            return Bitmap.rows(of: batch) { isMeant(rows[$0]["n"] ?? "") }
        }
        #expect(outcome.damaged == [], "seed \(self.seed)")
        self.promise.deleted.formUnion(meant)
    }

    private mutating func makeBackup() throws {
        self.backupCount += 1
        let writer = BackupWriter(fileSystem: self.disk, source: "/data", target: "/backup-\(self.backupCount)")
        let (disk, catalog) = (self.disk, self.catalog)
        var copy = MemoryCatalog()
        _ = try writer.run { (path) throws(StorageError) in
            copy = MemoryCatalog(copying: catalog)
            do throws(FileSystemError) {
                let file = try disk.open(path, .createNew)
                try file.write([ByteSlice("catalog")], at: 0)
            } catch {
                throw .file(error)
            }
            return copy.contents()
        }
        self.backup = (writer.target, copy, self.promise)
    }

    /// Whether all that was promised is there, once, and nothing else; also in a backup that was made since the last check.
    mutating func check(_ store: Store) throws {
        let snapshot = try store.snapshot(repository: "r")
        self.promise.check(try snapshot.rows().compactMap { $0["n"] }, "seed \(self.seed)")
        #expect(snapshot.damaged == [], "seed \(self.seed)")
        try self.checkBackup()
        self.backup = nil
    }

    /// Whether the last backup can be served and has what was there when it was made.
    private func checkBackup() throws {
        guard let backup = self.backup else { return }
        let disk = self.disk.copied()
        let path = "\(backup.path)/\(StorageFileNames.catalog)"
        #expect(try disk.status(path) != nil, "seed \(self.seed): the backup is incomplete")
        let store = try Store.open(self.options(backup.path, disk), catalog: MemoryCatalog(copying: backup.catalog))
        defer { store.abandon() }
        let snapshot = try store.snapshot(repository: "r")
        backup.promise.check(try snapshot.rows().compactMap { $0["n"] }, "seed \(self.seed), backup")
        #expect(snapshot.damaged == [], "seed \(self.seed), backup")
    }
}
