import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Shippers' own clients, installed from PyPI and unmodified: each event they send is found once.
@Suite(.enabled(if: isLongRun, "set LEAT_LONG=1; installs Python packages")) struct ClientTests {
    static let packages = [
        "humiolib", "elasticsearch>=8,<9", "opensearch-py", "opentelemetry-exporter-otlp-proto-http",
        "python-logging-loki",
    ]

    @Test(.timeLimit(.minutes(5))) func everyClientDeliversAll() async throws {
        let folder = try TemporaryFolder()
        let script =
            "/"
            + (#filePath.split(separator: "/").dropLast(2) + ["Fixtures", "clients", "clients.py"])
            .joined(separator: "/")
        let python = folder.path("venv/bin/python")
        try await Self.run("/usr/bin/env", ["python3", "-m", "venv", folder.path("venv")], folder)
        try await Self.run(python, ["-m", "pip", "install", "--quiet"] + Self.packages, folder)
        try await TestServer.with { server in
            let output = try await Self.run(python, [script, "127.0.0.1:\(server.port)"], folder)
            #expect(output.contains("all clients delivered"))
        }
    }

    /// humiolib's ingest, queries, jobs, files and saved queries.
    @Test(.timeLimit(.minutes(5))) func humiolibWorksUnmodified() async throws {
        let folder = try TemporaryFolder()
        let script =
            "/"
            + (#filePath.split(separator: "/").dropLast(2) + ["Fixtures", "clients", "humio.py"])
            .joined(separator: "/")
        let python = folder.path("venv/bin/python")
        try await Self.run("/usr/bin/env", ["python3", "-m", "venv", folder.path("venv")], folder)
        try await Self.run(python, ["-m", "pip", "install", "--quiet", "humiolib"], folder)
        try await TestServer.with { server in
            let output = try await Self.run(python, [script, "http://127.0.0.1:\(server.port)"], folder)
            #expect(output.contains("humiolib works"))
        }
    }

    /// Runs a program to its end and returns what it printed.
    @discardableResult
    static func run(_ program: String, _ arguments: [String], _ folder: TemporaryFolder) async throws -> String {
        try await onThread {
            let running = try RunningProgram(program, arguments, folder: folder)
            let ending = try running.wait(within: .seconds(240))
            guard ending == .exited(0) else {
                throw TestFailure("\(program) ended with \(ending): \(running.errors)\(running.output)")
            }
            return running.output
        }
    }
}
