import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// Outputs behind an HTTP proxy.
struct ProxyTests {
    static let texts: [(text: String, host: String?, port: Int, authorization: String?)] = [
        ("http://p.example:3128", "p.example", 3_128, nil), ("HTTP://p.example/", "p.example", 80, nil),
        ("http://u:a@b@p:1", "p", 1, "Basic dTphQGI="), ("http://[::1]:8080", "::1", 8_080, nil),
        ("http://[::1]", "::1", 80, nil), ("https://p:1", nil, 0, nil), ("p:1", nil, 0, nil), ("http://", nil, 0, nil),
        ("http://p:x", nil, 0, nil), ("http://p:0", nil, 0, nil), ("http://p:1/path", nil, 0, nil),
    ]

    @Test(arguments: texts)
    func readsAnAddress(text: String, host: String?, port: Int, authorization: String?) {
        let proxy = Proxy(text)
        #expect(proxy?.host == host)
        #expect((proxy?.port ?? 0) == port)
        #expect(proxy?.authorization == authorization)
    }

    @Test
    func plainRequestsGoToTheProxyWithTheWholeAddress() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            var requests: [ReceivedRequest] = []
            let proxy = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: world.loop) {
                request,
                respond in
                requests.append(request)
                respond(Answer())
            }
            let agent = try world.start(
                Self.sending("Host logs.invalid\nPort 81\nUri /in\nProxy http://u:p@127.0.0.1:\(proxy.port)")
            )
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 2 }
            #expect(requests[0].path == "http://logs.invalid:81/in")
            #expect(requests[0].headers["host"] == "logs.invalid:81")
            #expect(requests[0].headers["proxy-authorization"] == "Basic dTpw")
            agent.stop()
            proxy.close()
        }
    }

    @Test(.enabled(if: access("/usr/bin/openssl", X_OK) == 0, "openssl is not installed"))
    func encryptedOnesGoThroughATunnel() throws {
        try withTemporaryFolder { folder in
            try TLSTests.makeCertificates(folder)
            let world = try AgentWorld(folder)
            let receiver = try world.start(
                """
                [SERVICE]
                    Flush 0.01
                [INPUT]
                    Name http
                    Listen 127.0.0.1
                    Port 0
                    tls on
                    tls.crt_file \(folder.path)/server.pem
                    tls.key_file \(folder.path)/server.key
                [OUTPUT]
                    Name file
                    Match *
                    Format plain
                    Path \(folder.path)
                    File out
                """,
                name: "receiver"
            )
            let port = try #require(receiver.inputs[0] as? HTTPInput).port
            let proxy = try TunnelProxy(world.loop)
            proxy.refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
            let sender = try world.start(
                Self.sending(
                    "Host 127.0.0.1\nPort \(port)\ntls on\ntls.ca_file \(folder.path)/ca.pem\n"
                        + "Proxy http://u:p@127.0.0.1:\(proxy.port)"
                ),
                name: "sender"
            )
            let counters = try #require(sender.queues[0]?.counters)
            try world.turn("a refusal") { counters.errors > 0 }
            #expect(world.lines("agent.log").contains { $0.contains("answers HTTP/1.1 407 Proxy Authentication") })
            proxy.refusal = nil
            try world.turn("delivered") { counters.deliveredEvents == 2 }
            #expect(try world.lines("out", count: 2).count == 2)
            let head = try #require(proxy.heads.last)
            #expect(head.hasPrefix("CONNECT 127.0.0.1:\(port) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"))
            #expect(head.contains("\r\nProxy-Authorization: Basic dTpw\r\n"))
            sender.stop()
            receiver.stop()
            proxy.close()
        }
    }

    private static func sending(_ keys: String) -> String {
        """
        [SERVICE]
            Flush 0.01
            scheduler.cap 0.02
        [INPUT]
            Name dummy
            Samples 2
            Interval_Nsec 1000000
        [OUTPUT]
            Name http
            Match *
        \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        """
    }
}

/// A proxy that opens tunnels, on the loop of the test.
private final class TunnelProxy {
    private let loop: EventLoop
    private let listener: Int32
    private var descriptors: Set<Int32> = []
    /// What clients have asked for.
    private(set) var heads: [String] = []
    /// The answer instead of a tunnel.
    var refusal: String?

    init(_ loop: EventLoop) throws {
        self.loop = loop
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: 0)
        let isListening = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isListening && listen(self.listener, 8) == 0)
        try loop.watch(self.listener, for: .read) { [weak self] _ in self?.accept() }
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    var port: Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(self.listener, $0, &size) }
        }
        return Int(in_port_t(bigEndian: address.sin_port))
    }

    private func accept() {
        let client = Glibc.accept(self.listener, nil, nil)
        self.descriptors.insert(client)
        var head: [UInt8] = []
        self.watch(client) { [weak self] bytes in
            head += bytes
            guard let self, head.suffix(4) == Array("\r\n\r\n".utf8)[...] else { return }
            self.heads.append(String(decoding: head, as: UTF8.self))
            if let refusal {
                Self.send(Array(refusal.utf8), to: client)
                return self.end(client)
            }
            self.join(client)
        }
    }

    private func join(_ client: Int32) {
        let port = self.heads.last?.split(separator: " ")[1].split(separator: ":").last.flatMap { Int($0) } ?? 0
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptors.insert(server)
        var address = Self.address(port: port)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        Self.send(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), to: client)
        self.loop.unwatch(client)
        self.watch(client) { Self.send($0, to: server) }
        self.watch(server) { Self.send($0, to: client) }
    }

    private func watch(_ descriptor: Int32, _ take: @escaping ([UInt8]) -> Void) {
        do {
            try self.loop.watch(descriptor, for: .read) { [weak self] _ in
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { take(Array(buffer[..<count])) } else if count == 0 { self?.end(descriptor) }
            }
        } catch {
            Issue.record("\(error)")
        }
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private func end(_ descriptor: Int32) {
        guard self.descriptors.remove(descriptor) != nil else { return }
        self.loop.unwatch(descriptor)
        _ = Glibc.close(descriptor)
    }

    func close() {
        for descriptor in self.descriptors { self.end(descriptor) }
        self.loop.unwatch(self.listener)
        _ = Glibc.close(self.listener)
    }
}
