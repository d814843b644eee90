import Foundation
import LeatCore
import LeatTesting
import Testing

/// What a user can get wrong: one clear line and the right exit code.
@Suite(.serialized, .enabled(if: Programs.areBuilt, Programs.missing)) struct BadInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let program: String
        let arguments: [String]
        let code: Int32
        let says: String
        var testDescription: String { "\(self.program) \(self.arguments.joined(separator: " "))" }
    }

    static let cases: [Case] = [
        Case(
            program: "leat",
            arguments: ["query", "--server", "http://127.0.0.1:1", "count()"],
            code: 69,
            says: "127.0.0.1:1"
        ),
        Case(
            program: "leat",
            arguments: ["query", "--file", "/no/such/file", "count()"],
            code: 66,
            says: "/no/such/file"
        ),
        Case(program: "leat", arguments: ["check", "groupBy(level"], code: 65, says: "^"),
        Case(program: "leat", arguments: ["check", "cont()"], code: 65, says: "did you mean 'count'?"),
        Case(program: "leat", arguments: ["query", "--fiel", "x", "count()"], code: 64, says: "--fiel"),
        Case(program: "leat-server", arguments: ["--listen", "nonsense"], code: 64, says: "nonsense"),
        Case(
            program: "leat-server",
            arguments: ["--nonsense"],
            code: 64,
            says: "leat-server: unknown option '--nonsense'"
        ),
        Case(program: "leat-server", arguments: ["--config", "/no/such/file"], code: 66, says: "/no/such/file"),
        Case(program: "leat-agent", arguments: ["-c", "/no/such/file"], code: 66, says: "/no/such/file"),
        Case(program: "leat-agent", arguments: ["--nonsense"], code: 64, says: "nonsense"),
    ]

    @Test(arguments: cases) func oneLineSaysWhatIsWrong(_ row: Case) throws {
        try withTemporaryFolder { folder in
            let program = try RunningProgram(
                "\(Programs.folder)/\(row.program)",
                row.arguments,
                environment: ["HOME": folder.path],
                folder: folder
            )
            #expect(try program.wait(within: .seconds(20)) == .exited(row.code), "\(program.errors)")
            #expect(program.errors.contains(row.says), "\(program.errors)")
            #expect(!program.errors.contains("Fatal error"))
        }
    }

    @Test func aMistakeInAConfigurationIsShownInItsPlace() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write(
                "agent.conf",
                "[INPUT]\n    Name tail\n    Path /tmp/x.log\n    mem_buf_limt 10MB\n"
            )
            let agent = try RunningProgram(Programs.agent, ["-c", path, "--dry-run"], folder: folder)
            #expect(try agent.wait() == .exited(78))
            #expect(agent.errors.contains("\(path):4:5: error: unknown key 'mem_buf_limt'"), "\(agent.errors)")
            #expect(agent.errors.lowercased().contains("did you mean 'mem_buf_limit'?"))
        }
    }

    @Test func aTakenPortAndATakenDataFolderAreNamed() throws {
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            let samePort = try RunningProgram(
                Programs.server,
                ["--listen", "127.0.0.1:\(server.port)", "--data", folder.path("other")],
                folder: folder
            )
            let sameData = try RunningProgram(
                Programs.server,
                ["--listen", "127.0.0.1:0", "--data", server.dataFolder],
                folder: folder
            )
            #expect(try samePort.wait() == .exited(73))
            #expect(samePort.errors.contains("\(server.port)"))
            #expect(try sameData.wait() == .exited(73))
            #expect(sameData.errors.contains(server.dataFolder))
            #expect(try server.program.stop() == .exited(0))
        }
    }

    @Test func anUnknownRepositoryIsAnErrorWithTheNearestName() throws {
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            _ = try server.ask("ingest", "-r", "orders", "-", input: "one line\n")
            let shell = try Shell.run(
                ["query", "-r", "order", "count()"],
                environment: ["LEAT_SERVER": server.url],
                folder: folder
            )
            #expect(shell.ending != .exited(0))
            #expect(shell.errors.contains("orders"), "\(shell.errors)")
        }
    }
}
