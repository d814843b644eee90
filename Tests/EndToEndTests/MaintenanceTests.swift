import Foundation
import LeatCore
import LeatTesting
import Testing

/// `leat-server verify`, `rebuild-catalog`, `export` and `backup`, as an operator runs them.
@Suite(.enabled(if: Programs.areBuilt, Programs.missing))
struct MaintenanceTests {
    private static func run(
        _ folder: TemporaryFolder,
        _ arguments: String...
    ) throws -> (ending: RunningProgram.Ending, output: String, errors: String) {
        let program = try RunningProgram(Programs.server, arguments, folder: folder)
        let ending = try program.wait(within: .seconds(60))
        return (ending, program.output, program.errors)
    }

    @Test func anOperatorChecksCopiesMendsAndExports() throws {
        let folder = try TemporaryFolder()
        let server = try TestServer(folder: folder)
        let lines = (0..<500).map { "{\"n\":\($0),\"message\":\"line \($0)\"}" }.joined(separator: "\n") + "\n"
        _ = try server.ask("ingest", "-", input: lines)
        #expect(try server.count("count()") == 500)

        // While the server runs.
        let backup = folder.path("backup")
        #expect(try Self.run(folder, "verify", "--data", server.dataFolder).ending == .exited(0))
        #expect(try Self.run(folder, "backup", "--data", server.dataFolder, backup).ending == .exited(0))
        #expect(try Self.run(folder, "export", "--data", server.dataFolder).ending == .exited(73))
        server.program.kill()
        _ = try server.program.wait()

        // The copy has what was acknowledged, though the original was killed; a busy server's own log is in it too.
        let copied = try Self.run(folder, "export", "--data", backup, "--repo", "default")
        #expect(copied.ending == .exited(0) && copied.output.split(separator: "\n").count == 500)
        let exported = try Self.run(folder, "export", "--data", server.dataFolder, "--repo", "default")
        #expect(exported.ending == .exited(0))
        #expect(Set(exported.output.split(separator: "\n")).count == 500)

        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: server.dataFolder + "/catalog.sqlite" + suffix)
        }
        let lost = try Self.run(folder, "verify", "--data", server.dataFolder)
        #expect(lost.ending == .exited(74) || lost.ending == .exited(66))
        let rebuilt = try Self.run(folder, "rebuild-catalog", "--data", server.dataFolder)
        let eventCount = rebuilt.output.firstMatch(of: /([0-9]+) events/).flatMap { Int($0.output.1) }
        #expect(rebuilt.ending == .exited(0) && (eventCount ?? 0) >= 500, "\(rebuilt.output)")
        try server.restart()
        #expect(try server.count("count()") == 500)
        #expect(try server.program.stop() == .exited(0))

        // One byte of a segment.
        let segment = try #require(
            FileManager.default.subpaths(atPath: server.dataFolder)?.first { $0.hasSuffix(".segment") }
        )
        let path = server.dataFolder + "/" + segment
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: 100)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: 100)
        try handle.write(contentsOf: Data([byte ^ 0x20]))
        try handle.close()
        let damaged = try Self.run(folder, "verify", "--data", server.dataFolder)
        #expect(damaged.ending == .exited(65) && damaged.errors.contains(path), "\(damaged.errors)")
        #expect(try Self.run(folder, "verify", "--data", folder.path("nothing")).ending != .exited(0))
    }
}
