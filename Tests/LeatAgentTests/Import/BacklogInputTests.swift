import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// Chunks that Fluent Bit has left in its `storage.path`.
struct BacklogInputTests {
    /// A file as `FluentBitChunk` describes it; `time` is in seconds.
    private static func chunk(
        tag: String,
        logs: [String],
        type: UInt8 = 0,
        routes: [UInt8]? = nil,
        time: Int64 = 1_700_000_000
    ) -> [UInt8] {
        var metadata: [UInt8] = [0xF1, 0x77, type, routes == nil ? 0 : 1] + Array(tag.utf8)
        if let routes { metadata += [0] + routes }
        var content: [UInt8] = []
        for log in logs {
            MessagePackWriter.append(array: 2, to: &content)
            MessagePackWriter.append(array: 2, to: &content)
            MessagePackWriter.append(time: time * 1_000_000_000 + 5, asInteger: false, to: &content)
            MessagePackWriter.append(map: 0, to: &content)
            MessagePackWriter.append(map: 1, to: &content)
            MessagePackWriter.append(text: "log", to: &content)
            MessagePackWriter.append(text: log, to: &content)
        }
        let covered = [UInt8(metadata.count >> 8), UInt8(metadata.count & 0xFF)] + metadata + content
        let sum = covered.withUnsafeBytes { Checksum.crc32($0) }
        return [0xC1, 0] + Self.bigEndian(sum) + [0, 0, 0, 0] + Self.bigEndian(UInt32(content.count))
            + [UInt8](repeating: 0, count: 8) + covered
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    @Test
    func whatFluentBitHasLeftIsDeliveredOnceBehindTheFilters() throws {
        try withTemporaryFolder { folder in
            try folder.write("fb/tail.0/7-1700000009.5.flb", Self.chunk(tag: "b", logs: ["three"]))
            try folder.write(
                "fb/tail.0/7-1700000001.5.flb",
                Self.chunk(tag: "a", logs: ["one", "two"], routes: [0, 1])
            )
            let metrics = try folder.write("fb/metrics.0/7-1.1.flb", Self.chunk(tag: "m", logs: ["x"], type: 1))
            var damaged = Self.chunk(tag: "a", logs: ["lost"])
            damaged[damaged.count - 1] ^= 1
            let broken = try folder.write("fb/tail.0/7-1700000002.5.flb", damaged)
            let configuration = """
                [SERVICE]
                    Flush 0.01
                    storage.path \(folder.path("fb"))
                    storage.checksum On
                [INPUT]
                    Name dummy
                    Samples 1
                    Interval_Nsec 1000000
                    Dummy {"log":"own"}
                [FILTER]
                    Name record_modifier
                    Match *
                    Record seen true
                [OUTPUT]
                    Name file
                    Match *
                    Path \(folder.path)
                    File out
                """
            let world = try AgentWorld(folder)
            let agent = try world.start(configuration, state: "fb")
            let lines = try world.lines("out", count: 4)
            let time = "1700000000.000000005"
            #expect(lines.contains(#"a: [\#(time), {"log":"one"}]"#), "\(lines)")
            #expect(
                lines.contains(#"a: [\#(time), {"log":"two"}]"#) && lines.contains(#"b: [\#(time), {"log":"three"}]"#)
            )
            #expect(lines.contains { $0.hasSuffix(#"{"log":"own","seen":"true"}]"#) })
            let disk = PosixFileSystem()
            try world.turn("taken files are removed") {
                try disk.status(folder.path("fb/tail.0/7-1700000009.5.flb")) == nil
                    && disk.status(folder.path("fb/tail.0/7-1700000001.5.flb")) == nil
            }
            #expect(try disk.status(metrics) != nil && disk.status(broken) != nil)
            agent.stop()
            #expect(world.lines("agent.log").contains { $0.contains("invalid crc32") })
        }
    }

    @Test
    func aFileThatWasTakenBeforeACrashIsOnlyRemoved() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write("fb/tail.0/7-1.1.flb", Self.chunk(tag: "a", logs: ["one"]))
            let disk = PosixFileSystem()
            let world = try TailWorld(folder)
            func start(known: [SourcePosition]) throws {
                let input = BacklogInput(
                    files: try BacklogInput.files(in: folder.path("fb"), disk: disk),
                    service: Settings(Section(kind: "SERVICE", mark: .nowhere), keys: CommonKeys.service),
                    disk: disk,
                    counters: world.counters,
                    sink: world,
                    known: known,
                    loop: world.loop,
                    log: AgentLog(level: nil, descriptor: 2, time: world.time)
                )
                try input.start()
                world.pass()
                input.stop()
            }
            var taken = SourcePosition(
                source: 7,
                path: BacklogInput.pathPrefix + path,
                identity: FileIdentity(device: 0, inode: 0, prefixByteCount: 0, prefixDigest: 0),
                offset: 1,
                marker: .none
            )
            taken.isFinished = true
            try start(known: [taken])
            #expect(world.records.isEmpty)
            #expect(try disk.status(path) == nil)
            try folder.write("fb/tail.0/7-1.1.flb", Self.chunk(tag: "a", logs: ["one"]))
            try start(known: [])
            #expect(world.texts == ["one"] && world.tags == ["a"])
            #expect(world.positions.isEmpty)
        }
    }

    @Test
    func changedBytesNeverTrap() {
        var random = SeededRandom(seed: 11)
        let original = Self.chunk(tag: "a", logs: ["one", "two"], routes: [0, 1])
        for _ in 0..<5_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1..<5, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            bytes.withUnsafeBytes { bytes in
                let chunk = try? FluentBitChunk(bytes, checksSum: false, now: Timestamp(nanoseconds: 0))
                #expect(chunk.map { $0.events.count <= bytes.count } ?? true)
            }
        }
    }
}
