import Glibc
import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatStorage

/// Files of every format version that was ever written must stay readable; `UPDATE_GOLDEN=1` writes those of today.
struct GoldenFormatTests {
    static let folder = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/formats"

    /// Rows that need every encoding.
    static let rows: [Row] = (0..<64).map { index in
        let id = String(UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16)
        return [
            "message": "user u\(1000 + index * 7) took \(index).5ms at 2023-11-14T22:13:20.\(100 + index)Z id=\(id)",
            "json": #"{"level":"INFO","msg":"call \#(index)","trace":"\#(id)"}"#,
            "user": "u\(1000 + index * 7)", "trace": id, "uuid": "00000000-0000-4000-8000-0000000000\(10 + index)",
            "ip": "10.1.2.\(index)", "ms": "\(index).25", "padded": "00\(10 + index)",
            "level": index % 3 == 0 ? "WARN" : "INFO",
            "pod": "pod-\(index % 4)", "node": "node-\(index % 4 / 2)", "sparse\(index % 5)": "only \(index)",
            "same": "all",
        ]
    }

    static let key = BatchKey(credential: "token", series: 7, number: 3, hash: 9)

    @Test(arguments: ["v1"]) func journalsOfThisVersionAreRead(version: String) async throws {
        let path = "\(Self.folder)/\(version).journal"
        if getenv("UPDATE_GOLDEN") != nil { try Self.write(try await Self.file(sealed: false), to: path) }
        let replay = JournalReplay(file: try PosixFileSystem().contents(path))
        #expect(replay.gaps.isEmpty && replay.frames.count == 1)
        let frame = try #require(replay.frames.first)
        #expect(frame.meta.key == Self.key)
        #expect(frame.meta.parts.map(\.tags.description) == ["#index=golden"])
        #expect(try JournalFrame.batches(of: frame)[0].rows() == Self.rows)
    }

    @Test(arguments: ["v1", "v2"]) func segmentsOfThisVersionAreRead(version: String) async throws {
        let path = "\(Self.folder)/\(version).segment"
        let isToday = version == "v\(SegmentFooter.version)"
        if isToday, getenv("UPDATE_GOLDEN") != nil { try Self.write(try await Self.file(sealed: true), to: path) }
        let file = try PosixFileSystem().contents(path)
        let footer = try SegmentFooter(file: file)
        let blocks = footer.storedBlocks(of: file, path: path)
        let block = try #require(blocks.first)
        #expect(try block.read().rows() == Self.rows.map { $0.merging(["#index": "golden"]) { $1 } })
        let kinds = Set(block.summary.pages.map(\.summary.kind))
        #expect(kinds.isSuperset(of: [.constant, .dictionary, .integer, .hexadecimal, .uuid, .address, .decimal]))
        #expect(kinds.isSuperset(of: [.padded, .prefix, .template, .mapped]))
        let known = try #require(Self.rows[5]["trace"])
        #expect(try block.mayMatch(.anyField(Needle(Array(known.utf8)))))
        #expect(try !block.mayMatch(.anyField(Needle(Array("qqzzxxyy77".utf8)))))
    }

    @Test(arguments: ["v1"]) func idsOfThisVersionAreRead(version: String) throws {
        let path = "\(Self.folder)/\(version).ids"
        var run = RowIDRun(repositoryID: 3)
        run.lastArrival = arrival.milliseconds
        run.ids = [1, 1 << 127 | 2, .max]
        if getenv("UPDATE_GOLDEN") != nil { try Self.write(run.encoded().array, to: path) }
        let read = try RowIDRun(try PosixFileSystem().contents(path))
        #expect(read == run)
    }

    /// The file that a store makes of the rows today.
    private static func file(sealed: Bool) async throws -> [UInt8] {
        let disk = CrashDisk()
        var options = StoreOptions(path: "/data", fileSystem: disk, time: ManualTime())
        options.runsInBackground = false
        options.locksFolder = false
        let store = try Store.open(options, catalog: MemoryCatalog())
        try store.createRepository("golden")
        let tags = DatasourceTags([.init(name: "#index", value: "golden")])
        let part = IngestPart(tags: tags, batch: .rows(Self.rows))
        _ = try await store.append(IngestBatch(repository: "golden", parts: [part], arrivedAt: arrival, key: Self.key))
        if sealed { try store.seal() }
        store.abandon()
        let suffix = sealed ? StorageFileNames.segmentSuffix : StorageFileNames.journalSuffix
        let path = disk.state.withLock { state in state.entries.keys.first { $0.hasSuffix(suffix) } }
        return try disk.contents(try #require(path)).array
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let disk = PosixFileSystem()
        try disk.createDirectory(Self.folder)
        if try disk.status(path) != nil { try disk.remove(path) }
        let file = try disk.open(path, .createNew)
        defer { file.close() }
        try file.write([ByteSlice(bytes)], at: 0)
    }
}
