import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Real clients and shippers, unmodified: each event that they send is found once, and nothing else.
///
/// What the system has runs always; what must be installed first, from PyPI or Debian, with `LEAT_LONG=1`.
@Suite(.serialized) struct ClientTests {
    /// Clients that can be installed beside each other.
    struct Environment: Sendable, CustomTestStringConvertible {
        let packages: [String]
        let clients: [String]
        var testDescription: String { self.clients.joined(separator: ", ") }
    }

    static let environments: [Environment] = [
        Environment(packages: ["elasticsearch[async]>=7.17,<8", "urllib3<2"], clients: ["elasticsearch7"]),
        Environment(packages: ["elasticsearch[async]>=8,<9"], clients: ["elasticsearch8"]),
        Environment(
            packages: ["elasticsearch[async]>=9,<10", "opensearch-py"],
            clients: ["elasticsearch9", "opensearch"]
        ),
        Environment(
            packages: [
                "humiolib", "opentelemetry-exporter-otlp-proto-http", "python-logging-loki", "splunk-handler",
                "fluent-logger",
            ],
            clients: ["humiolib", "opentelemetry", "loki", "splunk", "fluent"]
        ),
    ]

    static let folder =
        "/" + (#filePath.split(separator: "/").dropLast(2) + ["Fixtures", "clients"]).joined(separator: "/")

    @Test(.enabled(if: isLongRun, "set LEAT_LONG=1; installs Python packages"), arguments: environments)
    func everyPythonClientDeliversAll(environment: Environment) async throws {
        let folder = try TemporaryFolder()
        let python = folder.path("venv/bin/python")
        try await Self.run("/usr/bin/env", ["python3", "-m", "venv", folder.path("venv")], [:], folder)
        try await Self.run(python, ["-m", "pip", "install", "--quiet"] + environment.packages, [:], folder)
        try await Self.beside { ports in
            let output = try await Self.run(python, ["\(Self.folder)/clients.py"] + environment.clients, ports, folder)
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
        try await Self.run("/usr/bin/env", ["python3", "-m", "venv", folder.path("venv")], [:], folder)
        try await Self.run(python, ["-m", "pip", "install", "--quiet", "humiolib"], [:], folder)
        try await TestServer.with { server in
            let output = try await Self.run(python, [script, "http://127.0.0.1:\(server.port)"], [:], folder)
            #expect(output.contains("humiolib works"))
        }
    }

    @Test func pythonsOwnSyslogHandlerDeliversAll() async throws {
        let folder = try TemporaryFolder()
        try await Self.beside { ports in
            let script = "\(Self.folder)/clients.py"
            let output = try await Self.run("/usr/bin/env", ["python3", script, "syslog"], ports, folder)
            #expect(output.contains("all clients delivered"))
        }
    }

    /// `logger` of util-linux, and Fluent Bit where it is on the PATH.
    @Test func programsOfTheSystemDeliverAll() async throws {
        try await Self.runPrograms(["logger", "fluent_bit"])
    }

    @Test(.enabled(if: isLongRun && getuid() == 0, "set LEAT_LONG=1 as root; installs Debian packages"))
    func programsOfDebianDeliverAll() async throws {
        let folder = try TemporaryFolder()
        let packages = ["rsyslog", "rsyslog-elasticsearch", "systemd-journal-remote"]
        try await Self.run("/usr/bin/apt-get", ["update", "-qq"], [:], folder)
        try await Self.run(
            "/usr/bin/apt-get",
            ["install", "-y", "-qq", "--no-install-recommends"] + packages,
            ["DEBIAN_FRONTEND": "noninteractive"],
            folder
        )
        try await Self.runPrograms(["rsyslog", "journald"])
    }

    private static func runPrograms(_ names: [String]) async throws {
        let folder = try TemporaryFolder()
        try await Self.beside { ports in
            let script = "\(Self.folder)/programs.sh"
            let output = try await Self.run("/bin/bash", [script, folder.path] + names, ports, folder)
            #expect(output.contains("all programs delivered"))
        }
    }

    /// Runs `body` beside a server with every listener; it gets their ports as environment variables.
    private static func beside(_ body: ([String: String]) async throws -> Void) async throws {
        try await TestServer.with {
            $0.syslog.tcp = ListenAddress("127.0.0.1:0")
            $0.syslog.udp = ListenAddress("127.0.0.1:0")
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
        } _: { server in
            try await body([
                "LEAT_HTTP": "\(server.port)", "LEAT_SYSLOG_TCP": "\(server.ports["syslog-tcp"] ?? 0)",
                "LEAT_SYSLOG_UDP": "\(server.ports["syslog-udp"] ?? 0)",
                "LEAT_FORWARD": "\(server.ports["forward"] ?? 0)",
            ])
        }
    }

    /// Runs a program to its end and returns what it printed.
    @discardableResult
    static func run(
        _ program: String,
        _ arguments: [String],
        _ environment: [String: String],
        _ folder: TemporaryFolder
    ) async throws -> String {
        try await onThread {
            let running = try RunningProgram(program, arguments, environment: environment, folder: folder)
            let ending = try running.wait(within: .seconds(300))
            guard ending == .exited(0) else {
                throw TestFailure("\(program) ended with \(ending): \(running.errors)\(running.output)")
            }
            return running.output
        }
    }
}
