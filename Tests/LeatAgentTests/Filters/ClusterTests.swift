import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The kubernetes filter with an API server behind TLS of a private authority, which wants a token.
@Suite(.enabled(if: access("/usr/bin/openssl", X_OK) == 0, "openssl is not installed"))
struct ClusterTests {
    /// Lists pods, keeps watches open, and answers them when told to.
    private final class ServerOfPods {
        private(set) var paths: [String] = []
        private(set) var refusedCount = 0
        private var watches: [(Answer) -> Void] = []
        private var listener: HTTPListener?
        var token = "first"
        /// The pod as lists show it.
        private var pod = ServerOfPods.pod("web", version: 9)

        init(_ loop: EventLoop, _ folder: TemporaryFolder) throws {
            let tls = try TLSServer(
                TLSOptions(certificateFile: folder.path("server.pem"), keyFile: folder.path("server.key"))
            )
            self.listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), tls: tls, loop: loop) {
                [weak self] in
                self?.answer($0, $1)
            }
        }

        var port: Int { self.listener?.port ?? 0 }

        static func pod(_ label: String, version: Int) -> String {
            #"{"metadata":{"name":"web-0","namespace":"shop","uid":"u-1","resourceVersion":"\#(version)","labels":{"app":"\#(label)"}},"spec":{"nodeName":"n1"},"status":{"podIP":"10.0.0.7"}}"#
        }

        private func answer(_ request: ReceivedRequest, _ respond: @escaping (Answer) -> Void) {
            guard request.headers["authorization"] == "Bearer \(self.token)" else {
                self.refusedCount += 1
                return respond(.json("{}", status: 401))
            }
            self.paths.append(request.path + "?" + request.query)
            if request.query.contains("watch=1") {
                self.watches.append(respond)
            } else {
                respond(.json(#"{"metadata":{"resourceVersion":"10"},"items":[\#(self.pod)]}"#))
            }
        }

        var watchCount: Int { self.watches.count }

        /// Ends the open watches with a change.
        func change(to label: String) {
            self.pod = Self.pod(label, version: 12)
            let watches = self.watches
            self.watches = []
            for watch in watches { watch(.json(#"{"type":"MODIFIED","object":\#(self.pod)}"# + "\n")) }
        }

        func close() { self.listener?.close() }
    }

    private static func append(_ text: String, to path: String) {
        guard let file = fopen(path, "a") else { return }
        fputs(text, file)
        fclose(file)
    }

    @Test
    func metadataComesOverHTTPSWithATokenAndStaysFresh() throws {
        try withTemporaryFolder { folder in
            try TLSTests.makeCertificates(folder)
            try folder.write("token", "first\n")
            let container = String(repeating: "a", count: 64)
            let log = try folder.write("web-0_shop_app-\(container).log", "one\n")
            let world = try AgentWorld(folder)
            let server = try ServerOfPods(world.loop, folder)
            let prefix = "kube" + folder.path.split(separator: "/").map { ".\($0)" }.joined() + "."
            let agent = try world.start(
                """
                [SERVICE]
                    Flush 0.01
                [INPUT]
                    Name tail
                    Tag kube.*
                    Path \(folder.path)/*.log
                    Exclude_Path \(folder.path)/agent.log
                    Read_from_Head On
                [FILTER]
                    Name kubernetes
                    Match kube.*
                    Kube_Tag_Prefix \(prefix)
                    Kube_URL https://127.0.0.1:\(server.port)
                    Kube_CA_File \(folder.path)/ca.pem
                    Kube_Token_File \(folder.path)/token
                    Annotations Off
                [OUTPUT]
                    Name file
                    Match *
                    Format plain
                    Path \(folder.path)
                    File out.jsonl
                """,
                environment: ["NODE_NAME": "n1"]
            )
            let first = try world.lines("out.jsonl", count: 1)[0]
            #expect(first.contains(#""labels":{"app":"web"}"#) && first.contains(#""pod_ip":"10.0.0.7""#), "\(first)")
            try world.turn("a watch") { server.watchCount == 1 }
            #expect(server.paths.first == "/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dn1")
            // A token that has changed is read again when the server refuses the old one.
            server.token = "second"
            try folder.write("token", "second\n")
            server.change(to: "web-new")
            try world.turn("another watch") { server.watchCount == 1 }
            #expect(server.refusedCount > 0)
            Self.append("two\n", to: log)
            let second = try world.lines("out.jsonl", count: 2)[1]
            #expect(second.contains(#""labels":{"app":"web-new"}"#), "\(second)")
            agent.stop()
            server.close()
        }
    }

    @Test
    func aServerThatIsNotTrustedLeavesWhatThePathSays() throws {
        try withTemporaryFolder { folder in
            try TLSTests.makeCertificates(folder)
            try folder.write("token", "first")
            let container = String(repeating: "a", count: 64)
            try folder.write("web-0_shop_app-\(container).log", "one\n")
            let world = try AgentWorld(folder)
            let server = try ServerOfPods(world.loop, folder)
            let prefix = "kube" + folder.path.split(separator: "/").map { ".\($0)" }.joined() + "."
            let agent = try world.start(
                """
                [SERVICE]
                    Flush 0.01
                [INPUT]
                    Name tail
                    Tag kube.*
                    Path \(folder.path)/web*.log
                    Read_from_Head On
                [FILTER]
                    Name kubernetes
                    Match kube.*
                    Kube_Tag_Prefix \(prefix)
                    Kube_URL https://127.0.0.1:\(server.port)
                    Kube_CA_File \(folder.path)/other.pem
                    Kube_Token_File \(folder.path)/token
                [OUTPUT]
                    Name file
                    Match *
                    Format plain
                    Path \(folder.path)
                    File out.jsonl
                """,
                environment: ["NODE_NAME": "n1"]
            )
            let line = try world.lines("out.jsonl", count: 1)[0]
            #expect(
                line.contains(#""pod_name":"web-0","namespace_name":"shop""#) && !line.contains("labels"),
                "\(line)"
            )
            #expect(server.paths.isEmpty)
            #expect(world.lines("agent.log").joined().contains("certificate is not accepted"))
            agent.stop()
            server.close()
        }
    }
}
