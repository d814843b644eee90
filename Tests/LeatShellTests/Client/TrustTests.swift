import Foundation
import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// Servers with certificates that nobody, or only the user, knows; `openssl` is the server.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is missing"))
struct TrustTests {
    /// A server with a certificate of its own making, as `ca.crt`; any request gets a page.
    static func server(in folder: TemporaryFolder) throws -> (program: RunningProgram, address: ServerAddress) {
        let maker = try RunningProgram(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=logs", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder.path("ca.key"), "-out",
                folder.path("ca.crt"),
            ],
            folder: folder
        )
        #expect(try maker.wait(within: .seconds(60)) == .exited(0), "\(maker.errors)")
        let program = try RunningProgram(
            "/usr/bin/openssl",
            ["s_server", "-accept", "0", "-www", "-cert", folder.path("ca.crt"), "-key", folder.path("ca.key")],
            folder: folder
        )
        var port: Int?
        try eventually(within: .seconds(60), "the server's port") {
            port = program.output.firstMatch(of: /ACCEPT \S*:(\d+)/).flatMap { Int($0.output.1) }
            return port != nil
        }
        return (program, try #require(ServerAddress("https://127.0.0.1:\(port ?? 0)")))
    }

    static func failure(_ client: ServerClient) async -> CommandError? {
        do {
            _ = try await client.fetch(ServerRequest(.get, "/"))
            return nil
        } catch {
            return error as? CommandError
        }
    }

    @Test func aPrivateAuthorityIsTrustedWhenItIsNamed() async throws {
        let folder = try TemporaryFolder()
        let (program, address) = try Self.server(in: folder)
        let unknown = try #require(await Self.failure(ServerClient(address: address)))
        #expect(unknown.status == .notPermitted)
        #expect(unknown.message.contains("is not trusted") && unknown.message.contains("--ca-file"))
        let known = ServerClient(address: address, authorityPath: folder.path("ca.crt"))
        #expect(try await known.fetch(ServerRequest(.get, "/")).status == 200)
        withExtendedLifetime(program) {}
    }

    @Test func whatIsNoCertificateOrNoTLSIsSaid() async throws {
        let folder = try TemporaryFolder()
        let server = CannedServer { _ in .reply(status: 200, body: "{}") }
        defer { server.stop() }
        let address = try #require(ServerAddress("https://127.0.0.1:\(server.port)"))
        let plain = try folder.write("plain.txt", "no certificate")
        for (path, status, words) in [
            (plain, ExitStatus.configuration, "no certificates"),
            (folder.path("none"), .configuration, "cannot open"),
        ] {
            let failure = await Self.failure(ServerClient(address: address, authorityPath: path))
            #expect(failure?.status == status && failure?.message.contains(words) == true, "\(failure as Any)")
        }
    }

    @Test func theAuthorityComesFromFlagVariableAndFile() throws {
        let file = ConfigFile(path: "c", values: ["ca": "file.pem"])
        func path(_ flag: String?, _ environment: [String: String], _ file: ConfigFile) throws -> String? {
            let flags = ShellSettings.Flags(authorityPath: flag)
            return try ShellSettings.resolve(flags: flags, environment: environment, file: file).authorityPath
        }
        let both = ["LEAT_CA_FILE": "variable.pem", "SSL_CERT_FILE": "system.pem"]
        #expect(try path("flag.pem", both, file) == "flag.pem")
        #expect(try path(nil, both, file) == "variable.pem")
        #expect(try path(nil, ["SSL_CERT_FILE": "system.pem"], file) == "file.pem")
        #expect(try path(nil, ["SSL_CERT_FILE": "system.pem"], ConfigFile(path: "c")) == "system.pem")
        #expect(try path(nil, [:], ConfigFile(path: "c")) == nil)
    }
}
