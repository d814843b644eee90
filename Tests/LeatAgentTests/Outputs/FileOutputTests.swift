import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// What the output `file` writes, and where.
struct FileOutputTests {
    /// Sends records, whose time is `ts`, through an output `file` into the folder.
    private static func send(_ keys: String, _ world: AgentWorld, records: [String]) throws -> Agent {
        try world.send(
            records,
            through: "Name file\nPath \(world.folder.path)\n\(keys)",
            parser: "Time_Key ts\nTime_Format %Y-%m-%dT%H:%M:%S"
        )
    }

    static let files: [(keys: String, file: String, lines: [String])] = [
        ("Format plain\nFile o", "o", [#"{"log":"a\"b","n":1}"#, #"{"log":"c","n":2}"#]),
        ("", "t.x", [#"t.x: [TIME, {"log":"a\"b","n":1}]"#, #"t.x: [TIME, {"log":"c","n":2}]"#]),
        (
            "Format csv\nFile o\nCSV_Column_Names On", "o",
            [#"timestamp,"log","n""#, #"TIME,"a\"b",1"#, #"TIME,"c",2"#]
        ),
        (
            "Format ltsv\nFile o", "o",
            ["\"time\":TIME\t\"log\":\"a\\\"b\"\t\"n\":1", "\"time\":TIME\t\"log\":\"c\"\t\"n\":2"]
        ),
        (
            "Format template\nTemplate {time} {log} {n} {missing}\nFile o", "o",
            ["TIME a\"b 1 {missing}", "TIME c 2 {missing}"]
        ),
        (
            "Format plain\nMkdir On\nFile o\nPath FOLDER/a/b", "a/b/o",
            [#"{"log":"a\"b","n":1}"#, #"{"log":"c","n":2}"#]
        ),
    ]

    @Test(arguments: files)
    func filesHaveTheirForm(keys: String, file: String, lines: [String]) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let records = [#"{"log":"a\"b","n":1}"#, #"{"log":"c","n":2}"#]
            let agent = try Self.send(keys.replacing("FOLDER", with: folder.path), world, records: records)
            let found = try world.lines(file, count: lines.count).map {
                $0.replacing(#/1[0-9]{9}\.[0-9]{6,9}/#) { _ in "TIME" }
            }
            #expect(found == lines)
            agent.stop()
        }
    }

    private static let apps = [
        #"{"app":"a","ts":"2026-11-30T10:00:00"}"#, #"{"app":"b","ts":"2026-11-30T10:00:00"}"#,
        #"{"app":"a","ts":"2026-12-01T00:00:00"}"#, #"{"app":"../x","ts":"2026-11-30T10:00:00"}"#,
        #"{"ts":"2026-11-30T10:00:00"}"#, #"{"app":"c","ts":"2026-11-30T10:00:00"}"#,
    ]

    static let places: [(keys: String, files: [String: Int], rejected: Int, dropped: Int)] = [
        ("File $app", ["a": 2, "b": 1, "c": 1], 2, 0),
        ("File $app\nOn_Missing_Field drop", ["a": 2, "b": 1, "c": 1], 0, 2),
        ("File $app\nOn_Missing_Field fallback\nFallback_File FOLDER/rest", ["a": 2, "b": 1, "c": 1, "rest": 2], 0, 0),
        ("File $app\nMax_Dynamic_Files 2", ["a": 2, "b": 1], 3, 0),
        (
            "File $app\nMax_Dynamic_Files 2\nOn_Limit_Reached fallback\nFallback_Path FOLDER\nFallback_File rest",
            ["a": 2, "b": 1, "rest": 1], 2, 0
        ),
        ("Enable_Strftime On\nFile %Y-%m-%d.log", ["2026-11-30.log": 5, "2026-12-01.log": 1], 0, 0),
        (
            "Enable_Strftime On\nMkdir On\nPath FOLDER/out/%m/$app\nFile $TAG[1]",
            ["out/11/a/x": 1, "out/12/a/x": 1, "out/11/b/x": 1, "out/11/c/x": 1], 2, 0
        ),
        // Without the switch a percent sign is one.
        ("File %Y", ["%Y": 6], 0, 0),
    ]

    @Test(arguments: places)
    func filesAreNamedByTheirEvents(keys: String, files: [String: Int], rejected: Int, dropped: Int) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let keys = keys.replacing("FOLDER", with: folder.path)
            let agent = try Self.send("Format plain\n\(keys)", world, records: Self.apps)
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("all six") {
                counters.deliveredEvents + counters.rejectedEvents + counters.droppedEvents == 6
            }
            #expect(counters.rejectedEvents == UInt64(rejected))
            #expect(counters.droppedEvents == UInt64(dropped))
            for (name, count) in files { #expect(world.lines(name).count == count, "\(name)") }
            #expect(world.lines("state-agent/dead-letter/file.0.ndjson").count == rejected)
            agent.stop()
        }
    }

    /// One file that cannot be written holds no other.
    @Test
    func anotherFileDoesNotWaitForOneThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            try folder.write("b/occupied", "")
            let agent = try Self.send("Format plain\nFile $app\nOn_Missing_Field drop", world, records: Self.apps)
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("those of the others") { counters.deliveredEvents == 3 && counters.retries > 0 }
            try PosixFileSystem().rename(folder.path("b"), to: folder.path("moved"))
            try world.turn("all") { counters.deliveredEvents == 4 }
            #expect(world.lines("a").count == 2 && world.lines("b").count == 1 && world.lines("c").count == 1)
            agent.stop()
        }
    }

    @Test(arguments: [false, true])
    func longFilesAreRotatedAndTheOldestGo(compresses: Bool) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            // What was not compressed when an earlier run ended, and what is none of ours.
            try folder.write("o.20200101_000000_00000000", "old\n")
            try folder.write("o.20200101", "mine\n")
            let keys =
                "File o\nFormat plain\nRotate On\nRotate_Max_Size 40\nRotate_Max_Files 3\nRotate_Gzip \(compresses)"
            let agent = try Self.send(keys, world, records: [#"{"number":"0","filling":"xxxxxxxxxxxxxxxxxxxxxxx"}"#])
            for number in 1...6 {
                try world.turn("line \(number - 1)") { agent.queues[0]?.counters.deliveredEvents == UInt64(number) }
                let file = try PosixFileSystem().open(folder.path("agent-in/x.log"), .readWrite)
                defer { file.close() }
                let line = #"{"number":"\#(number)","filling":"xxxxxxxxxxxxxxxxxxxxxxx"}"# + "\n"
                try file.write([ByteSlice(Array(line.utf8))], at: try file.status().byteCount)
            }
            try world.turn("the last line") { agent.queues[0]?.counters.deliveredEvents == 7 }
            agent.stop()
            try world.turn("an end of tidying") { agent.queues[0]?.isDone == true }
            let names = try PosixFileSystem().list(folder.path).filter { FileRotation.isRotated($0, of: "o") }
            #expect(names.count == 3)
            #expect(names.allSatisfy { $0.hasSuffix(".gz") == compresses }, "\(names)")
            #expect(world.lines("o").count == 1 && world.lines("o")[0].contains(#""number":"6""#))
            #expect(world.lines("o.20200101") == ["mine"])
            let newest = try folder.read(try #require(names.max()))
            let text = compresses ? try Self.expanded(newest) : newest
            #expect(String(decoding: text, as: UTF8.self).contains(#""number":""#))
        }
    }

    private static func expanded(_ bytes: [UInt8]) throws -> [UInt8] {
        try ByteSlice(bytes).withUnsafeBytes { bytes throws(CompressionError) in
            try Deflate.expand(bytes, .gzip, byteCountMax: 1 << 20)
        }
    }

    static let names: [(name: String, isRotated: Bool)] = [
        ("o.20261130_114501_0a1b2c3d", true), ("o.20261130_114501_0a1b2c3d.gz", true), ("o.20261130_114501", true),
        ("o.20261130_114501.gz", true), ("o", false), ("o.1", false), ("o.20261130_114501_0a1b2c3g", false),
        ("o.20261130-114501", false), ("o.20261130_114501_0a1b2c3d.gz.part", false), ("p.20261130_114501", false),
    ]

    @Test(arguments: names)
    func rotatedFilesAreKnownByTheirNames(name: String, isRotated: Bool) {
        #expect(FileRotation.isRotated(name, of: "o") == isRotated)
        let suffix = FileRotation.suffix(
            now: Timestamp(nanoseconds: 1_700_000_000_000_000_000),
            random: 0xFFFF_0a1b_2c3d
        )
        #expect(suffix == "20231114_221320_0a1b2c3d")
    }
}
