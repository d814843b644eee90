import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Encrypted connections between our outputs and our inputs, with a private authority that the openssl program makes.
@Suite(.enabled(if: access("/usr/bin/openssl", X_OK) == 0, "openssl is not installed"))
struct TLSTests {
    /// `ca.pem`, a server's and a client's certificates signed by it, and a certificate that nobody signed.
    static func makeCertificates(_ folder: TemporaryFolder) throws {
        try folder.write("names", "subjectAltName=DNS:logs.example,IP:127.0.0.1\n")
        let commands = [
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:open -keyout client.key -out client.csr -subj /CN=client",
            "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out client.pem -days 2",
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -subj /CN=x -days 2",
        ]
        for command in commands {
            let arguments = command.split(separator: " ").map { word in
                word.hasSuffix(".pem") || word.hasSuffix(".key") || word.hasSuffix(".csr") || word == "names"
                    ? folder.path(String(word)) : String(word)
            }
            let program = try RunningProgram("/usr/bin/openssl", arguments, folder: folder)
            #expect(try program.wait(within: .seconds(30)) == .exited(0), "\(command): \(program.errors)")
        }
    }

    private static func lines(_ keys: [String], _ folder: TemporaryFolder) -> String {
        keys.map { key in
            let words = key.split(separator: " ")
            let isFile = words[1].hasSuffix(".pem") || words[1].hasSuffix(".key")
            return "    \(words[0]) \(isFile ? folder.path(String(words[1])) : words[1...].joined(separator: " "))\n"
        }.joined()
    }

    private static func start(
        _ folder: TemporaryFolder,
        server: [String],
        client: [String],
        host: String = "127.0.0.1",
        protocolName: String = "http"
    ) throws -> (world: AgentWorld, sender: Agent, receiver: Agent) {
        let world = try AgentWorld(folder)
        let serverKeys = Self.lines(["tls on", "tls.crt_file server.pem", "tls.key_file server.key"] + server, folder)
        let receiver = try world.start(
            "[SERVICE]\n    Flush 0.01\n[INPUT]\n    Name \(protocolName)\n    Listen 127.0.0.1\n    Port 0\n\(serverKeys)"
                + "[OUTPUT]\n    Name file\n    Match *\n    Format plain\n    Path \(folder.path)\n    File out.jsonl\n",
            name: "receiver"
        )
        let input = receiver.inputs[0]
        let port = (input as? HTTPInput)?.port ?? (input as? ForwardInput)?.port ?? 0
        let sender = try world.start(
            "[SERVICE]\n    Flush 0.01\n[INPUT]\n    Name dummy\n    Samples 2\n    Interval_Nsec 1000000\n"
                + "[OUTPUT]\n    Name \(protocolName)\n    Match *\n    Host \(host)\n    Port \(port)\n    tls on\n"
                + Self.lines(client, folder),
            name: "sender"
        )
        return (world, sender, receiver)
    }

    static let accepted: [(server: [String], client: [String])] = [
        ([], ["tls.ca_file ca.pem"]), ([], ["tls.ca_file ca.pem", "tls.vhost logs.example"]), ([], ["tls.verify off"]),
        ([], ["tls.ca_file ca.pem", "tls.vhost wrong.example", "tls.verify_hostname off"]),
        (
            ["tls.ca_file ca.pem", "tls.verify_client_cert on"],
            ["tls.ca_file ca.pem", "tls.crt_file client.pem", "tls.key_file client.key", "tls.key_passwd open"]
        ), (["tls.max_version TLSv1.2"], ["tls.ca_file ca.pem"]),
        (["tls.min_version TLSv1.3"], ["tls.ca_file ca.pem", "tls.min_version TLSv1.3"]),
    ]

    @Test
    func aHandshakeThatDoesNotEndIsClosed() throws {
        try withTemporaryFolder { folder in
            try Self.makeCertificates(folder)
            let world = try AgentWorld(folder)
            let agent = try world.start(
                "[INPUT]\n    Name http\n    Listen 127.0.0.1\n    Port 0\n    net.accept_timeout 0.05\n"
                    + Self.lines(["tls on", "tls.crt_file server.pem", "tls.key_file server.key"], folder)
                    + "[OUTPUT]\n    Name null\n    Match *\n"
            )
            let input = try #require(agent.inputs[0] as? HTTPInput)
            let silent = try TestSocket(port: input.port)
            try world.turn("the silent connection is closed") { silent.receive() == nil }
            agent.stop()
        }
    }

    @Test
    func trustedSidesTalk() throws {
        try withTemporaryFolder { folder in
            try Self.makeCertificates(folder)
            for (server, client) in Self.accepted {
                for name in ["http", "forward"] {
                    unlink(folder.path("out.jsonl"))
                    let (world, sender, receiver) = try Self.start(
                        folder,
                        server: server,
                        client: client,
                        protocolName: name
                    )
                    let lines = try world.lines("out.jsonl", count: 2)
                    #expect(lines.allSatisfy { $0.contains(#""message":"dummy""#) }, "\(server) \(client)")
                    try world.turn("acknowledged") { sender.queues[0]?.counters.deliveredEvents == 2 }
                    #expect(lines.count == 2)
                    receiver.stop()
                    sender.stop()
                    for state in ["state-sender", "state-receiver"] {
                        try world.turn("\(state) is settled") { sender.queues[0]?.isDone == true }
                    }
                }
            }
        }
    }

    static let refused: [(server: [String], client: [String], reason: String)] = [
        ([], [], "certificate is not accepted"), ([], ["tls.ca_file other.pem"], "certificate is not accepted"),
        ([], ["tls.ca_file ca.pem", "tls.vhost wrong.example"], "mismatch"),
        (["tls.ca_file ca.pem", "tls.verify_client_cert on"], ["tls.ca_file ca.pem"], ""),
        (["tls.max_version TLSv1.2"], ["tls.ca_file ca.pem", "tls.min_version TLSv1.3"], ""),
    ]

    @Test
    func anUntrustedSideGetsNothing() throws {
        try withTemporaryFolder { folder in
            try Self.makeCertificates(folder)
            for (server, client, reason) in Self.refused {
                unlink(folder.path("agent.log"))
                let (world, sender, receiver) = try Self.start(folder, server: server, client: client)
                try world.turn("two failures for \(client)") { (sender.queues[0]?.counters.errors ?? 0) >= 2 }
                #expect(receiver.inputCounters[0].events == 0, "\(client)")
                #expect(sender.queues[0]?.counters.deliveredEvents == 0)
                if !reason.isEmpty {
                    let log = world.lines("agent.log").joined(separator: "\n")
                    #expect(log.contains(reason), "\(client): \(log)")
                }
                for agent in [receiver, sender] { agent.stop() }
                try world.turn("both have stopped") { sender.queues[0]?.inFlightCount == 0 }
                unlink(folder.path("state-sender/lock"))
            }
        }
    }

    @Test
    func filesThatAreMissingOrLockedAreSaidBeforeTheStart() throws {
        try withTemporaryFolder { folder in
            try Self.makeCertificates(folder)
            let world = try AgentWorld(folder)
            let problems = try world.problems(
                of: """
                    [INPUT]
                        Name http
                        tls on
                        tls.crt_file \(folder.path)/server.pem
                    [OUTPUT]
                        Name http
                        Match *
                        tls on
                        tls.ca_file \(folder.path)/missing.pem
                    [OUTPUT]
                        Name http
                        Match *
                        tls on
                        tls.crt_file \(folder.path)/client.pem
                        tls.key_file \(folder.path)/client.key
                        tls.min_version SSLv3
                    [OUTPUT]
                        Name http
                        Match *
                        tls on
                        tls.crt_file \(folder.path)/client.pem
                        tls.key_file \(folder.path)/client.key
                    """
            )
            for text in [
                "tls needs tls.crt_file and tls.key_file", "cannot read certificates from", "'SSLv3' is no version",
                "cannot read the key",
            ] {
                #expect(problems.contains(text), "\(problems)")
            }
        }
    }
}
