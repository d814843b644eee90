import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Requests that mean one thing to us and another to a proxy before us are refused, and the connection is closed.
@Suite struct HostileRequestTests {
    private static let document = "{\"create\":{}}\n{\"message\":\"smuggled\"}\n"
    /// What would be a request of its own, if the one before ended where an attacker wants.
    private static let hidden =
        "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(document.utf8.count)\r\n\r\n\(document)"

    private static func bulk(_ headers: String, _ body: String = "0\r\n\r\n") -> String {
        "POST /_bulk HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n\(body)"
    }

    private static let length = "Content-Length: 5\r\n"

    static let requests: [(name: String, text: String)] = [
        ("a length and chunks", bulk("\(length)Transfer-Encoding: chunked\r\n")),
        ("chunks and a length", bulk("Transfer-Encoding: chunked\r\n\(length)")),
        ("two lengths", bulk("\(length)Content-Length: 6\r\n", "{}\n{}\n")),
        ("two lengths in one", bulk("Content-Length: 5, 6\r\n", "{}\n{}\n")),
        ("a negative length", bulk("Content-Length: -5\r\n", "")),
        ("a length with a sign", bulk("Content-Length: +5\r\n", "{}\n{}\n")),
        ("a length in hexadecimal", bulk("Content-Length: 0x5\r\n", "{}\n{}\n")),
        ("a length beyond 64 bits", bulk("Content-Length: 99999999999999999999\r\n", "")),
        ("an unknown transfer coding", bulk("Transfer-Encoding: xchunked\r\n")),
        ("chunks that are not last", bulk("Transfer-Encoding: chunked, identity\r\n")),
        ("a space before the colon", bulk("Transfer-Encoding : chunked\r\n")),
        ("a folded header", bulk("X-A: b\r\n c: d\r\n\(length)", "{}\n{}\n")),
        ("a folded coding", bulk("Transfer-Encoding:\r\n chunked\r\n")),
        (
            "lines that end with a line feed only",
            "POST /_bulk HTTP/1.1\nHost: localhost\nContent-Length: 5\n\n{}\n{}\n"
        ),
        ("a carriage return within a header", bulk("X-A: b\rTransfer-Encoding: chunked\r\n\(length)", "{}\n{}\n")),
        ("a zero byte in a header", bulk("X-A: b\0c\r\n\(length)", "{}\n{}\n")),
        ("a header without a name", bulk(": x\r\n\(length)", "{}\n{}\n")),
        ("a header without a colon", bulk("nothing\r\n\(length)", "{}\n{}\n")),
        ("chunk sizes with a sign", bulk("Transfer-Encoding: chunked\r\n", "-5\r\nabcde\r\n0\r\n\r\n")),
        ("chunk sizes beyond 64 bits", bulk("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n\r\n")),
        ("chunk sizes in words", bulk("Transfer-Encoding: chunked\r\n", "five\r\nabcde\r\n0\r\n\r\n")),
        ("a chunk longer than it says", bulk("Transfer-Encoding: chunked\r\n", "2\r\nabcde\r\n0\r\n\r\n")),
        ("a header beyond all measure", bulk("X-A: \(String(repeating: "a", count: 200_000))\r\n\(length)")),
        ("no HTTP", "\u{16}\u{3}\u{1}\0\u{1}\r\n\r\n"),
        ("an unknown version", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"),
    ]

    @Test(arguments: requests)
    func isRefusedAndNothingIsSmuggled(name: String, text: String) async throws {
        try await TestServer.with { server in
            let port = server.port
            let answers = try await onThread {
                let connection = try TestConnection(port: port)
                do {
                    try connection.write(text + Self.hidden)
                } catch {
                    // The server had enough before all was sent.
                }
                return try connection.answersUntilClosed()
            }
            // An answer may be lost with a connection that is closed over unread bytes.
            #expect(answers.count <= 1, "\(name): \(answers.map(\.status))")
            #expect(answers.allSatisfy { (400...431).contains($0.status) }, "\(name): \(answers.map(\.status))")
            #expect(try await server.send("POST", "/_bulk", Self.document).status == 200)
            #expect(try await server.query("count()").first?["_count"] == "1", "\(name)")
        }
    }

    /// Beyond the connections that are allowed, further ones wait; those that are open are served.
    @Test func connectionsBeyondTheLimitWaitForOthersToEnd() async throws {
        try await TestServer.with {
            $0.connectionCountMax = 20
        } _: { server in
            let port = server.port
            let statuses = try await onThread {
                var open: [TestConnection] = []
                for _ in 0..<60 { open.append(try TestConnection(port: port)) }
                var statuses = [try open[0].send("GET", "/", body: nil).status]
                let late = open.removeLast()
                open = []
                statuses.append(try late.send("GET", "/", body: nil).status)
                return statuses
            }
            #expect(statuses == [200, 200])
        }
    }
}
