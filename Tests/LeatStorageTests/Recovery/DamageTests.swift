import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatStorage

/// Files that were cut or changed: noticed, named, and the rest served.
struct DamageTests {
    static let rows: [Row] = (0..<40).map { index in
        [
            "n": "\(index)", "message": "request \(index * 7919) took \(index) ms",
            "level": index % 3 == 0 ? "WARN" : "INFO",
        ]
    }

    /// A store with ten batches of four rows, and the disk under it.
    private static func filled(sealed: Bool) async throws -> (disk: CrashDisk, catalog: MemoryCatalog, path: String) {
        let disk = CrashDisk()
        let catalog = MemoryCatalog()
        let store = try Self.open(disk, catalog)
        try store.createRepository("r")
        for start in stride(from: 0, to: 40, by: 4) {
            let batch = Batch.rows(Array(Self.rows[start..<start + 4]))
            _ = try await store.append(IngestBatch(repository: "r", batch: batch, arrivedAt: arrival))
        }
        if sealed { try store.close() } else { store.abandon() }
        let suffix = sealed ? StorageFileNames.segmentSuffix : StorageFileNames.journalSuffix
        let path = disk.state.withLock { state in state.entries.keys.first { $0.hasSuffix(suffix) } }
        return (disk, catalog, try #require(path))
    }

    private static func open(_ disk: CrashDisk, _ catalog: MemoryCatalog) throws -> Store {
        var options = StoreOptions(path: "/data", fileSystem: disk, time: ManualTime())
        options.runsInBackground = false
        options.locksFolder = false
        return try Store.open(options, catalog: catalog)
    }

    /// The rows that a store still gives, and whether it said that some are missing.
    private static func outcome(
        _ disk: CrashDisk,
        _ catalog: MemoryCatalog
    ) throws -> (rows: [Row], isReported: Bool, isDamaged: Bool) {
        let store = try Self.open(disk, catalog)
        defer { store.abandon() }
        let snapshot = try store.snapshot(repository: "r")
        var rows: [Row] = []
        var isReported = !snapshot.damaged.isEmpty
        for block in snapshot.blocks {
            do {
                rows += try block.read().rows()
            } catch {
                isReported = true
            }
        }
        return (rows, isReported, !store.verify().damaged.isEmpty)
    }

    private static func change(_ disk: CrashDisk, _ path: String, _ body: (inout [UInt8]) -> Void) {
        disk.state.withLock { state in
            guard let inode = state.entries[path] else { return }
            body(&state.inodes[inode].current)
        }
    }

    private static func copy(_ disk: CrashDisk) -> CrashDisk { CrashDisk(disk.state.withLock { $0 }) }

    @Test func aJournalServesWhatIsWholeInIt() async throws {
        let (disk, catalog, path) = try await Self.filled(sealed: false)
        let whole = try disk.contents(path).array
        for position in 0..<whole.count {
            let flipped = Self.copy(disk)
            Self.change(flipped, path) { $0[position] ^= 0x41 }
            let outcome = try Self.outcome(flipped, catalog)
            #expect(outcome.rows.allSatisfy(Self.rows.contains), "byte \(position)")
            #expect(outcome.rows.count >= 36, "byte \(position) costs more than a frame")
            // The last frame may be one that nobody was told of; zeros between frames mean nothing.
            let isEarlier = outcome.rows.count == 40 || outcome.rows.contains(Self.rows[39])
            #expect(outcome.rows.count == 40 || outcome.isReported == isEarlier, "byte \(position) of \(whole.count)")
        }
        for count in 0..<whole.count {
            let cut = Self.copy(disk)
            Self.change(cut, path) { $0.removeLast($0.count - count) }
            let outcome = try Self.outcome(cut, catalog)
            #expect(Array(Self.rows.prefix(outcome.rows.count)) == outcome.rows, "cut at \(count)")
        }
    }

    /// All frames behind the place lie at other offsets than they were written for.
    @Test(arguments: [true, false]) func aByteTooManyOrTooFewCostsAFrame(isMissing: Bool) async throws {
        let (disk, catalog, path) = try await Self.filled(sealed: false)
        let whole = try disk.contents(path).array
        for position in stride(from: 0, to: whole.count, by: 3) {
            let changed = Self.copy(disk)
            Self.change(changed, path) { bytes in
                if isMissing { bytes.remove(at: position) } else { bytes.insert(0x5A, at: position) }
            }
            let outcome = try Self.outcome(changed, catalog)
            #expect(outcome.rows.allSatisfy(Self.rows.contains), "byte \(position)")
            #expect(outcome.rows.count >= 36, "byte \(position) costs more than a frame")
            let isEarlier = outcome.rows.contains(Self.rows[39])
            #expect(outcome.rows.count == 40 || outcome.isReported == isEarlier, "byte \(position) of \(whole.count)")
        }
    }

    /// A damaged journal is there for whoever wants to look at it, and answers are partial, until somebody removes it.
    @Test func aJournalThatCostRowsIsKept() async throws {
        let (disk, catalog, path) = try await Self.filled(sealed: false)
        let half = try disk.contents(path).count / 2
        Self.change(disk, path) { $0[half] ^= 1 }
        let store = try Self.open(disk, catalog)
        #expect(store.status().damaged.count == 1)
        try store.close()
        #expect(try disk.status(path) == nil)
        let kept = path + StorageFileNames.damagedSuffix
        #expect(try disk.status(kept) != nil)

        let again = try Self.open(disk, catalog)
        #expect(try again.snapshot(repository: "r").damaged.contains { $0.contains(kept) })
        #expect(try again.snapshot(repository: "r").rows().count == 36)
        try again.close()
        try disk.remove(kept)
        let last = try Self.open(disk, catalog)
        #expect(try last.snapshot(repository: "r").damaged == [])
        try last.close()
    }

    @Test func aSegmentNeverGivesDamagedBytes() async throws {
        let (disk, catalog, path) = try await Self.filled(sealed: true)
        let whole = try disk.contents(path).array
        for position in 0..<whole.count {
            let flipped = Self.copy(disk)
            Self.change(flipped, path) { $0[position] ^= 0x41 }
            let outcome = try Self.outcome(flipped, catalog)
            #expect(outcome.rows == Self.rows || outcome.isReported, "byte \(position)")
            // The first eight bytes are for people; everything else is under a checksum.
            #expect(outcome.isDamaged == (position >= 8), "byte \(position)")
        }
        for count in 0..<whole.count {
            let cut = Self.copy(disk)
            Self.change(cut, path) { $0.removeLast($0.count - count) }
            let outcome = try Self.outcome(cut, catalog)
            #expect(outcome.rows.isEmpty && outcome.isReported, "cut at \(count)")
        }
    }

    @Test func savedIDsAreReadWholeOrNotAtAll() throws {
        var run = RowIDRun(repositoryID: 7)
        run.lastArrival = 1_700_000_000_000
        run.ids = (0..<20).map { UInt128($0) << 100 | UInt128($0) }
        let whole = run.encoded().array
        #expect(try RowIDRun(ByteSlice(whole)) == run)
        for position in whole.indices {
            var flipped = whole
            flipped[position] ^= 0x41
            #expect(throws: FormatError.self, "byte \(position)") { try RowIDRun(ByteSlice(flipped)) }
        }
        for count in whole.indices {
            #expect(throws: FormatError.self, "cut at \(count)") { try RowIDRun(ByteSlice(Array(whole.prefix(count)))) }
        }
    }

    @Test func aLostCatalogIsMadeAgainFromTheSegments() async throws {
        let (disk, _, _) = try await Self.filled(sealed: true)
        #expect(throws: StorageError.self) { try Self.open(disk, MemoryCatalog()) }
        let catalog = MemoryCatalog()
        let objects = DirectoryObjects(fileSystem: disk, root: "/data/segments")
        let check = try Store.fill(catalog, from: objects, now: arrival)
        #expect(check.rowCount == 40 && check.damaged.isEmpty)
        #expect(try Self.outcome(disk, catalog).rows == Self.rows)
    }
}
