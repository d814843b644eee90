import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// TLS on the HTTP interface, with `openssl` as the client.
@Suite struct TLSTests {
    /// Makes a certificate for `localhost` whose subject is `name`.
    static func makeCertificate(_ name: String, in folder: TemporaryFolder) async throws {
        try await onThread {
            let arguments = [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(name)", "-keyout", folder.path("new.key"), "-out", folder.path("new.crt"),
            ]
            let program = try RunningProgram("/usr/bin/openssl", arguments, folder: folder)
            guard try program.wait() == .exited(0) else { throw TestFailure("openssl: \(program.errors)") }
            let disk = PosixFileSystem()
            try disk.rename(folder.path("new.key"), to: folder.path("server.key"))
            try disk.rename(folder.path("new.crt"), to: folder.path("server.crt"))
        }
    }

    /// What `openssl s_client` prints when it sends `input`.
    static func talk(
        _ port: Int,
        _ input: String,
        _ folder: TemporaryFolder,
        _ arguments: [String] = []
    ) async throws -> String {
        try await onThread {
            let program = try RunningProgram(
                "/usr/bin/openssl",
                ["s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof"] + arguments,
                input: input,
                folder: folder
            )
            try program.wait()
            return program.output + program.errors
        }
    }

    static func with(_ folder: TemporaryFolder, _ body: (TestServer) async throws -> Void) async throws {
        try await TestServer.with(folder: folder) {
            $0.tls.certificatePath = folder.path("server.crt")
            $0.tls.keyPath = folder.path("server.key")
            $0.syslog.tls = ListenAddress("127.0.0.1:0")
        } _: {
            try await body($0)
        }
    }

    static let request = "GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    @Test func aRenewedCertificateIsShownWithoutARestart() async throws {
        let folder = try TemporaryFolder()
        try await Self.makeCertificate("first", in: folder)
        try await Self.with(folder) { server in
            let first = try await Self.talk(server.port, Self.request, folder)
            #expect(first.contains("HTTP/1.1 200"))
            #expect(first.contains("CN = first"))
            try await Self.makeCertificate("second", in: folder)
            try await eventually("the new certificate is shown") {
                try await Self.talk(server.port, Self.request, folder).contains("CN = second")
            }
            // Files that are no certificate leave the last good one in use.
            _ = try folder.write("server.crt", "nonsense")
            try await eventually("the damage is looked at") {
                let answer = try await Self.talk(server.port, Self.request, folder)
                #expect(answer.contains("CN = second"))
                let own = try await Self.talk(server.port, Self.request, folder)
                return own.contains("HTTP/1.1 200")
            }
        }
    }

    @Test func oldVersionsAreRefused() async throws {
        let folder = try TemporaryFolder()
        try await Self.makeCertificate("server", in: folder)
        try await Self.with(folder) { server in
            for (version, isServed) in [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
                let arguments = [version] + (isServed ? [] : ["-cipher", "DEFAULT@SECLEVEL=0"])
                let answer = try await Self.talk(server.port, Self.request, folder, arguments)
                #expect(answer.contains("HTTP/1.1 200") == isServed, "\(version): \(answer)")
            }
            let plain = try await onThread { [port = server.port] in
                let connection = try TestConnection(port: port)
                try connection.write(Self.request)
                connection.finishSending()
                do { return try connection.answer().status } catch { return 0 }
            }
            #expect(plain == 0)
        }
    }

    @Test func syslogComesOverTLSToo() async throws {
        let folder = try TemporaryFolder()
        try await Self.makeCertificate("server", in: folder)
        try await TestServer.with(folder: folder) {
            $0.tls.certificatePath = folder.path("server.crt")
            $0.tls.keyPath = folder.path("server.key")
            $0.syslog.tls = ListenAddress("127.0.0.1:0")
            $0.limits.bodyByteCountMax = 1 << 20
        } _: { server in
            let port = server.ports["syslog-tls"] ?? 0
            let line = "<34>1 2023-11-14T22:13:20Z host app - - - over tls"
            let talk = Task {
                try await onThread {
                    let program = try RunningProgram(
                        "/usr/bin/openssl",
                        ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-no_ign_eof"],
                        input: "\(line.utf8.count) \(line)",
                        folder: folder
                    )
                    try program.wait()
                }
            }
            try await talk.value
            try await eventually("the line is counted") {
                let answer = try await Self.talk(
                    server.port,
                    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                    folder
                )
                return answer.contains("leat_ingest_items_total{protocol=\"syslog-tls\",repository=\"default\"} 1")
            }
        }
    }

    static let problems: [(change: @Sendable (inout ServerConfiguration) -> Void, text: String)] = [
        ({ $0.tls.certificatePath = "/x" }, "belong together"),
        ({ $0.syslog.tls = ListenAddress("127.0.0.1:0") }, "needs tls.certificate"),
        ({ $0.syslog.tcp = ListenAddress("0.0.0.0:0") }, "syslog asks nobody"),
        ({ $0.forward.tcp = ListenAddress(":24224") }, "shared_key_file"),
        ({ $0.syslog.repository = "leat-internal" }, "only the server itself"),
    ]

    @Test(arguments: problems.indices)
    func settingsThatContradictEachOtherAreTold(index: Int) {
        var configuration = ServerConfiguration()
        #expect(configuration.problem == nil)
        Self.problems[index].change(&configuration)
        #expect(configuration.problem?.contains(Self.problems[index].text) ?? false)
    }
}
