import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

@Suite struct BufferFormatTests {
    static let position: SourcePosition = {
        var position = SourcePosition(
            source: 7,
            path: "/var/log/a,b%\tc\n.log",
            identity: FileIdentity(device: 1, inode: 2, prefixByteCount: 1_024, prefixDigest: .max),
            offset: 1 << 40,
            marker: ContentMarker(byteCount: 256, digest: 5)
        )
        position.place = "/var/log/pods/%,\t/0.log"
        position.isInsideCutLine = true
        position.isFinished = true
        position.pending = [PendingStart(stream: "std,out", source: 3, offset: 9)]
        position.read = 12
        position.modifiedAtNanoseconds = -5
        return position
    }()

    /// A filter that holds two events of a stream whose name is no text.
    static let held = HeldSection(
        after: 11,
        changes: [
            HeldChange(
                key: HeldKey(filter: "multiline.0", tag: "a,\tb", stream: [0x22, 0xFF, 0x0A]),
                replaces: true,
                events: [
                    HeldEvent(time: 5, members: Array(#""log":"Error: é%","n":1"#.utf8)),
                    HeldEvent(time: -6, members: []),
                ]
            )
        ]
    )

    @Test func whatFiltersHoldReadsBackAsItWasWritten() throws {
        var bytes: [UInt8] = []
        Self.held.encode(to: &bytes)
        for count in 0...bytes.count {
            let section = bytes.withUnsafeBytes { whole in
                var reader = FieldReader(UnsafeRawBufferPointer(rebasing: whole[..<count]))
                return HeldSection(from: &reader)
            }
            #expect(section == (count == bytes.count ? Self.held : nil), "\(count) bytes")
        }
    }

    @Test func positionsReadBackAsTheyWereWritten() {
        var positions = Positions(sequence: 99, firstOpenChunk: 4, wholeRead: 98)
        positions.sources[7] = Self.position
        positions.held.apply(Self.held, of: 97)
        let bytes = PositionsFile.encode(positions)
        #expect(bytes.withUnsafeBytes { PositionsFile.decode($0) } == positions)
    }

    @Test func anyChangedByteOfThePositionsIsNoticed() {
        var positions = Positions(sequence: 99, firstOpenChunk: 4)
        positions.sources[7] = Self.position
        let bytes = PositionsFile.encode(positions)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let found = changed.withUnsafeBytes { PositionsFile.decode($0) }
            #expect(found == nil || found == positions, "byte \(index)")
            let cut = Array(bytes[..<index]).withUnsafeBytes { PositionsFile.decode($0) }
            #expect(cut == nil, "cut at \(index)")
        }
    }

    /// A chunk of three frames on a disk of its own, closed but not begun.
    private static func chunk() throws -> (disk: SimulatedFileSystem, names: BufferFileNames) {
        let disk = SimulatedFileSystem()
        let names = BufferFileNames(folder: "/state")
        try disk.createDirectory("/state")
        let recovered = try BufferRecovery(disk: disk, names: names, outputNames: ["a"], chunksBegun: []).run()
        let store = ChunkStore(
            names: names,
            limits: BufferLimits(),
            disk: disk,
            time: ManualTime(),
            outputNames: ["a"],
            recovered: recovered
        )
        var set = OutputSet()
        set.insert(0)
        for number in 0..<3 {
            var events = EventList()
            events.bytes += Array("\"n\":\(number)".utf8)
            events.endEvent(time: Int64(number))
            let frame = ChunkStore.NewFrame(outputs: set, tag: RouteTag("t"), events: events)
            store.append([frame], position: nil, startOffset: 0)
        }
        store.flush { _ in true }
        return (disk, names)
    }

    private static func records(_ disk: SimulatedFileSystem, _ names: BufferFileNames, begun: Bool) throws -> [String] {
        let recovery = BufferRecovery(disk: disk, names: names, outputNames: ["a"], chunksBegun: begun ? [1] : [])
        let recovered = try recovery.run()
        var result: [String] = []
        for chunk in recovered.chunks {
            let content = ChunkContent.disk(try disk.contents(names.chunk(chunk.number)))
            let loaded = LoadedChunk(number: chunk.number, content: content)
            loaded.forEachEvent(in: [0..<loaded.eventCount]) { _, record in
                result.append(String(decoding: record, as: UTF8.self))
            }
        }
        return result
    }

    @Test(arguments: [false, true])
    func aChangedByteCostsAtMostItsFrame(isBegun: Bool) throws {
        let (pristine, names) = try Self.chunk()
        let bytes = try pristine.contents(names.chunk(1)).array
        for index in stride(from: 0, to: bytes.count, by: 3) {
            let (disk, names) = try Self.chunk()
            let file = try disk.open(names.chunk(1), .readWrite)
            try file.write([ByteSlice([bytes[index] ^ 0x41])], at: UInt64(index))
            try file.sync()
            let found = try Self.records(disk, names, begun: isBegun)
            let whole = ["\"n\":0", "\"n\":1", "\"n\":2"]
            #expect(found.allSatisfy { whole.contains($0) }, "byte \(index)")
            // A damaged header puts the whole chunk aside.
            #expect(found.count >= 2 || found.isEmpty, "byte \(index): \(found)")
        }
    }

    @Test func aTornEndIsCutAtTheLastWholeFrame() throws {
        let (pristine, names) = try Self.chunk()
        let bytes = try pristine.contents(names.chunk(1)).array
        var counts: Set<Int> = []
        for count in 0..<bytes.count {
            let (disk, names) = try Self.chunk()
            let file = try disk.open(names.chunk(1), .readWrite)
            try file.truncate(to: UInt64(count))
            try file.sync()
            let found = try Self.records(disk, names, begun: false)
            #expect(found == Array(["\"n\":0", "\"n\":1", "\"n\":2"].prefix(found.count)), "cut at \(count)")
            counts.insert(found.count)
        }
        #expect(counts == [0, 1, 2])
    }
}
