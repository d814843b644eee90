import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Bodies in every form in which they travel.
@Suite struct TransportTests {
    static let body = Array("{\"create\":{\"_index\":\"logs\"}}\n{\"message\":\"hello\"}\n".utf8)

    /// A deflate stream of one stored block, RFC 1951 section 3.2.4.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        return [1, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)] + bytes
    }

    /// The same with the header and checksum of RFC 1950.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return [0x78, 0x01] + Self.stored(bytes) + [
            UInt8(high >> 8), UInt8(high & 0xFF), UInt8(low >> 8), UInt8(low & 0xFF),
        ]
    }

    static let codings: [(name: String, body: [UInt8])] = [
        ("identity", body), ("gzip", body.withUnsafeBytes { Deflate.gzip($0) }),
        ("zstd", body.withUnsafeBytes { Zstandard.compress($0) }),
        ("deflate", stored(body)), ("deflate", zlib(body)), ("GZIP", body.withUnsafeBytes { Deflate.gzip($0) }),
        ("gzip, zstd", Deflate.gzip(body).withUnsafeBytes { Zstandard.compress($0) }),
    ]

    @Test(arguments: codings)
    func aCompressedBodyIsRead(name: String, body: [UInt8]) async throws {
        try await TestServer.with { server in
            let answer = try await server.send("POST", "/_bulk", body, headers: ["Content-Encoding": name])
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json?["errors"] == false)
            #expect(try await server.query("*").first?["@rawstring"] == "hello")
        }
    }

    @Test func aBodyInChunksIsRead() async throws {
        try await TestServer.with { server in
            let port = server.port
            let answer = try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write("POST /_bulk HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                for byte in Self.body { try connection.write([0x31, 0x0D, 0x0A, byte, 0x0D, 0x0A]) }
                try connection.write("0\r\n\r\n")
                return try connection.answer()
            }
            #expect(answer.status == 200)
            #expect(try await server.query("*").count == 1)
        }
    }

    @Test func whoWaitsForContinueGetsItBeforeTheBody() async throws {
        try await TestServer.with { server in
            let port = server.port
            let (first, second) = try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write(
                    "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(Self.body.count)\r\nExpect: 100-continue\r\n\r\n"
                )
                let first = try connection.answer()
                try connection.write(Self.body)
                return (first, try connection.answer())
            }
            #expect(first.status == 100)
            #expect(second.status == 200)
        }
    }

    @Test func tooLargeABodyIsRefusedUnread() async throws {
        try await TestServer.with {
            $0.limits.bodyByteCountMax = 10_000
        } _: { server in
            let port = server.port
            let answer = try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write(
                    "POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\nExpect: 100-continue\r\n\r\n"
                )
                return try connection.answer()
            }
            #expect(answer.status == 413)
        }
    }

    @Test func aBodyThatExpandsWithoutEndIsGivenUp() async throws {
        try await TestServer.with {
            $0.limits.bodyByteCountMax = 1 << 20
        } _: { server in
            let bomb = [UInt8](repeating: 0x20, count: 64 << 20).withUnsafeBytes { Deflate.gzip($0) }
            #expect(bomb.count < 1 << 20)
            let answer = try await server.send("POST", "/_bulk", bomb, headers: ["Content-Encoding": "gzip"])
            #expect(answer.status == 413)
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
        }
    }

    @Test func manyRequestsShareOneConnection() async throws {
        try await TestServer.with { server in
            let port = server.port
            try await onThread {
                let connection = try TestConnection(port: port)
                for _ in 0..<20 {
                    guard try connection.send("POST", "/_bulk", body: Self.body).status == 200 else {
                        throw TestFailure("a request failed")
                    }
                }
            }
            #expect(try await server.query("*").count == 20)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n",
    ])
    func aWebPageElsewhereIsRefused(request: String) async throws {
        try await TestServer.with { server in
            let port = server.port
            let answer = try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write(request)
                return try connection.answer()
            }
            #expect(answer.status == 403)
            #expect(answer.json?["status"] == 403)
        }
    }

    @Test(arguments: ["/nothing/here", "/_bulkk", "/api/v1/nothing", "/%00", "/?a=%ff", "/api/v1/repositories"])
    func whateverIsAskedTheAnswerIsNoHTMLAndNo500(path: String) async throws {
        try await TestServer.with { server in
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let answer = try await server.send(method, path, method == "GET" ? nil : Array("{\u{1}".utf8))
                #expect(answer.status < 500, "\(method) \(path) \(answer.status)")
                #expect(!answer.text.contains("<html"))
                if answer.status >= 400, answer.headers["content-type"] == "application/json" {
                    #expect(answer.json != nil)
                }
            }
        }
    }
}

extension Deflate {
    static func gzip(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { Deflate.gzip($0) } }
}
