import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Whether a program is installed.
private func isOnPath(_ name: String) -> Bool {
    (environment("PATH") ?? "").split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
}

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
            Self.check(output, of: environment.clients)
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
            Self.check(output, of: ["humiolib"])
        }
    }

    @Test func pythonsOwnSyslogHandlerDeliversAll() async throws {
        let folder = try TemporaryFolder()
        try await Self.beside { ports in
            let script = "\(Self.folder)/clients.py"
            let output = try await Self.run("/usr/bin/env", ["python3", script, "syslog"], ports, folder)
            Self.check(output, of: ["syslog"])
        }
    }

    /// `logger` of util-linux.
    @Test(.enabled(if: isOnPath("logger"), "logger is not on the PATH"))
    func loggerDeliversAll() async throws { try await Self.runPrograms(["logger"]) }

    /// An output of Fluent Bit with its properties.
    static let fluentBitOutputs: [String] = [
        "es suppress_type_name=on", "es suppress_type_name=off compress=gzip",
        "es generate_id=on write_operation=upsert",
        "opensearch suppress_type_name=on", "opensearch suppress_type_name=on compress=gzip",
        "http uri=/api/v1/ingest/json format=json", "http uri=/api/v1/ingest/json format=json_lines compress=gzip",
        "loki", "loki compress=gzip", "splunk splunk_token=none", "splunk splunk_token=none compress=gzip",
        "opentelemetry",
        "forward require_ack_response=true", "forward compress=gzip", "forward send_options=true",
        "syslog mode=tcp syslog_format=rfc5424 syslog_message_key=message",
        "syslog mode=tcp syslog_format=rfc3164 syslog_message_key=message",
    ]

    @Test(.enabled(if: isOnPath("fluent-bit"), "fluent-bit is not on the PATH"), arguments: fluentBitOutputs)
    func fluentBitDeliversAll(output: String) async throws {
        try await Self.runPrograms(["fluent_bit"], ["FLUENT_BIT_OUTPUT": output])
    }

    @Test(
        .enabled(if: isLongRun && getuid() == 0, "set LEAT_LONG=1 as root; installs Debian packages"),
        arguments: ["rsyslog", "journald"]
    )
    func programsOfDebianDeliverAll(name: String) async throws {
        let folder = try TemporaryFolder()
        let packages = name == "rsyslog" ? ["rsyslog", "rsyslog-elasticsearch"] : ["systemd-journal-remote"]
        try await Self.run("/usr/bin/apt-get", ["update", "-qq"], [:], folder)
        try await Self.run(
            "/usr/bin/apt-get",
            ["install", "-y", "-qq", "--no-install-recommends"] + packages,
            ["DEBIAN_FRONTEND": "noninteractive"],
            folder
        )
        try await Self.runPrograms([name])
    }

    private static func runPrograms(_ names: [String], _ settings: [String: String] = [:]) async throws {
        let folder = try TemporaryFolder()
        try await Self.beside { ports in
            let script = "\(Self.folder)/programs.sh"
            let environment = ports.merging(settings) { $1 }
            let output = try await Self.run("/bin/bash", [script, folder.path] + names, environment, folder)
            Self.check(output, of: names)
        }
    }

    /// Shows and checks what clients say that they delivered: a line `NAME: N of N` for each thing that they sent, and at
    /// last `delivered: CLIENT` for each client.
    private static func check(_ output: String, of clients: [String]) {
        let lines = output.split(separator: "\n").map(String.init)
        var countCount = 0
        for line in lines {
            guard let match = line.wholeMatch(of: /([^:]+): (\d+) of (\d+)/) else { continue }
            print("  \(line)")
            countCount += 1
            #expect(match.output.2 == match.output.3, "\(line)")
        }
        #expect(countCount >= clients.count, "\(output)")
        for client in clients { #expect(lines.contains("delivered: \(client)"), "\(output)") }
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
