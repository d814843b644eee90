import Foundation
import LeatCore
import LeatTesting
import Testing

/// What the agent's binary holds, whatever our imports say.
@Suite(.enabled(if: Programs.areBuilt, Programs.missing)) struct LinkedBinaryTests {
    /// Names that appear in symbols and strings of a program that links these libraries.
    @Test(arguments: [
        "FoundationEssentials", "FoundationInternationalization", "_FoundationICU", "ArgumentParser", "NIOPosix",
        "CCryptoBoringSSL",
    ])
    func theAgentDoesNotHold(library: String) throws {
        let bytes = try Data(contentsOf: URL(filePath: Programs.agent), options: .mappedIfSafe)
        #expect(bytes.range(of: Data(library.utf8)) == nil, "leat-agent holds \(library)")
    }

    @Test func theSearchFindsWhatIsThere() throws {
        let bytes = try Data(contentsOf: URL(filePath: Programs.server), options: .mappedIfSafe)
        #expect(bytes.range(of: Data("NIOPosix".utf8)) != nil)
    }

    @Test func theAgentNeedsOnlySystemLibraries() throws {
        try withTemporaryFolder { folder in
            let readelf = try RunningProgram("/usr/bin/readelf", ["-d", Programs.agent], folder: folder)
            try readelf.wait()
            let needed = readelf.output.matches(of: /NEEDED.*\[(.*)\]/).map { String($0.output.1) }
            #expect(!needed.isEmpty)
            #expect(needed.filter { $0.contains("Foundation") || $0.hasPrefix("libswift") } == [])
        }
    }

    @Test func anIdleAgentIsSmall() throws {
        try withTemporaryFolder { folder in
            let agent = try TestAgent(folder: folder, serverPort: 1)
            try eventually(within: .seconds(10), "the agent's first look at its files") {
                guard agent.program.isRunning else { throw ProgramEnded(agent.program) }
                return FileManager.default.fileExists(atPath: folder.path("agent-state"))
            }
            let status = try String(contentsOfFile: "/proc/\(agent.program.processID)/status", encoding: .utf8)
            let resident = status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.output.1) } ?? .max
            #expect(resident < 15 * 1024, "\(resident) KiB resident")
            #expect(try agent.program.stop() == .exited(0))
        }
    }
}
