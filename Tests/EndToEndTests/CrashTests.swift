import Foundation
import LeatCore
import LeatTesting
import Testing

/// The three programs under SIGKILL: every line is found exactly once.
@Suite(.serialized) struct CrashTests {
    /// Lines at least; `groupBy` must be able to tell them all apart.
    static let lineCount = isLongRun ? 900_000 : 100_000
    /// Times that the agent, the server or both are killed.
    static let killCount = isLongRun ? 200 : 20

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(10)))
    func everyLineIsFoundOnceHoweverOftenAgentAndServerAreKilled() throws {
        try withTemporaryFolder { folder in
            let seed: UInt64 = 20_261_121
            var random = SeededRandom(seed: seed)
            let server = try TestServer(folder: folder)
            let agent = try TestAgent(folder: folder, serverPort: server.port)
            let writer = try ContainerLogWriter(
                root: agent.logRoot,
                containerCount: 9,
                rotationLineCount: Self.lineCount / 40,
                seed: seed
            )
            for round in 0..<Self.killCount {
                try writer.append(Self.lineCount / Self.killCount)
                switch round % 3 {
                case 0:
                    agent.program.kill()
                    try agent.restart()
                case 1:
                    server.program.kill()
                    try server.restart()
                default:
                    agent.program.kill()
                    server.program.kill()
                    try writer.append(Int.random(in: 1...50, using: &random))
                    try server.restart()
                    try agent.restart()
                }
                // A random moment of work between two kills, up to 200 ms.
                usleep(UInt32.random(in: 0...200_000, using: &random))
            }
            try eventually(within: .seconds(120), "the last of \(writer.eventCount) lines") {
                guard agent.program.isRunning else { throw ProgramEnded(agent.program) }
                guard server.program.isRunning else { throw ProgramEnded(server.program) }
                usleep(100_000)
                return try server.count("count()") >= writer.eventCount
            }
            let found = try Self.sequenceNumbers(server)
            let missing = (0..<writer.eventCount).filter { found[$0] == nil }
            let repeated = found.filter { $0.value > 1 }
            #expect(missing == [], "seed \(seed)")
            #expect(repeated == [:], "seed \(seed)")
            #expect(try agent.program.stop() == .exited(0))
            #expect(try server.program.stop() == .exited(0))
        }
    }

    /// How often each number was stored.
    static func sequenceNumbers(_ server: TestServer) throws -> [Int: Int] {
        let text = try server.ask(
            "query",
            "--start",
            "100d",
            "--format",
            "csv",
            "regex(\"seq=(?<seq>\\\\d+) \", field=@rawstring) | groupBy(seq, limit=max)"
        )
        var found: [Int: Int] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let cells = line.split(separator: ",").map { $0.filter { $0 != "\"" && $0 != "\r" } }
            guard cells.count == 2, let number = Int(cells[0]), let count = Int(cells[1]) else {
                throw Unexpected("a row '\(line)'")
            }
            found[number] = count
        }
        return found
    }
}

/// A `leat-agent` that follows the container logs below a folder and ships to a port.
final class TestAgent {
    let folder: TemporaryFolder
    let logRoot: String
    private let configuration: String
    private(set) var program: RunningProgram

    init(folder: TemporaryFolder, serverPort: Int) throws {
        self.folder = folder
        self.logRoot = folder.path("node")
        self.configuration = try folder.write(
            "agent.conf",
            """
            [SERVICE]
                Flush 0.1
                storage.path \(folder.path("agent-state"))
            [INPUT]
                Name tail
                Path \(folder.path("node"))/var/log/containers/*.log
                Tag kube.*
                Read_from_Head On
                multiline.parser docker, cri
            [OUTPUT]
                Name es
                Match *
                Host 127.0.0.1
                Port \(serverPort)
                Suppress_Type_Name On
            """
        )
        self.program = try RunningProgram(Programs.agent, ["-c", self.configuration], folder: folder)
    }

    /// Starts again, on the same state.
    func restart() throws {
        self.program = try RunningProgram(Programs.agent, ["-c", self.configuration], folder: self.folder)
    }
}
