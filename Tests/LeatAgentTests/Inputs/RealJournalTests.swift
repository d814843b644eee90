import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The input `systemd` over a journal that systemd's own tool wrote of export text.
@Suite(
    .enabled(if: access("/lib/systemd/systemd-journal-remote", X_OK) == 0, "systemd-journal-remote is not installed"),
    .enabled(if: SystemJournal.loadFailure() == nil, "libsystemd is not installed")
)
struct RealJournalTests {
    /// Entries in the journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS).
    private static func export(_ entries: [(unit: String, message: String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, entry) in entries.enumerated() {
            bytes += "__REALTIME_TIMESTAMP=\(1_700_000_000_000_000 + number * 1_000_001)\n".utf8
            bytes += "__MONOTONIC_TIMESTAMP=\(1_000 + number)\n".utf8
            bytes += "_BOOT_ID=0123456789abcdef0123456789abcdef\n_SYSTEMD_UNIT=\(entry.unit).service\n".utf8
            // The form of a field that may hold line ends: its length, then its bytes.
            bytes += "MESSAGE\n".utf8
            var count = UInt64(entry.message.utf8.count).littleEndian
            withUnsafeBytes(of: &count) { bytes += $0 }
            bytes += "\(entry.message)\n\n".utf8
        }
        return bytes
    }

    private static func write(_ name: String, _ entries: [(unit: String, message: String)], _ folder: TemporaryFolder)
        throws
    {
        let input = try folder.write("\(name).export", Self.export(entries))
        try PosixFileSystem().createDirectory(folder.path("journal"))
        let program = try RunningProgram(
            "/lib/systemd/systemd-journal-remote",
            ["--output=\(folder.path("journal/\(name).journal"))", input],
            folder: folder
        )
        #expect(try program.wait() == .exited(0), "\(program.errors)")
    }

    @Test
    func entriesOfAUnitAreReadOnceAcrossARestart() throws {
        try withTemporaryFolder { folder in
            try Self.write("a", [("web", "first"), ("db", "other"), ("web", "two\nlines")], folder)
            let configuration = """
                [SERVICE]
                    Flush 0.01
                [INPUT]
                    Name systemd
                    Path \(folder.path)/journal
                    Tag host.*
                    Systemd_Filter _SYSTEMD_UNIT=web.service
                [OUTPUT]
                    Name file
                    Match host.web.service
                    Path \(folder.path)
                    File out.jsonl
                    Format plain
                """
            let world = try AgentWorld(folder)
            let agent = try world.start(configuration)
            let lines = try world.lines("out.jsonl", count: 2)
            #expect(lines.map { $0.contains(#""MESSAGE":"first""#) } == [true, false])
            #expect(lines.map { $0.contains(#""MESSAGE":"two\nlines""#) } == [false, true])
            agent.stop()
            try world.turn { agent.store.closed.isEmpty }
            // A later file of the same journal: only what is new is read.
            let more = (0..<3).map { _ in (unit: "db", message: "filler") } + [(unit: "web", message: "third")]
            try Self.write("b", more, folder)
            let next = try AgentWorld(folder)
            try next.start(configuration)
            let all = try next.lines("out.jsonl", count: 3)
            #expect(all.count == 3)
            #expect(all[2].contains(#""MESSAGE":"third""#))
        }
    }
}
