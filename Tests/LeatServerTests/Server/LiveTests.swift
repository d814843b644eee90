import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

@Suite struct LiveTests {
    /// Opens a live query and returns the connection with its head read.
    static func open(_ port: Int, _ members: String, headers: String = "") throws -> TestConnection {
        let connection = try TestConnection(port: port)
        let body = "{\"queryString\":\"*\",\"isLive\":true\(members)}"
        try connection.write(
            "POST /api/v1/repositories/default/query HTTP/1.1\r\nHost: localhost\r\n\(headers)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        let (status, _) = try connection.head()
        guard status == 200 else { throw TestFailure("live query answered \(status)") }
        return connection
    }

    static func line(_ connection: TestConnection) throws -> JSONValue {
        guard let chunk = try connection.chunk() else { throw TestFailure("the stream has ended") }
        return try JSONValue(parsing: String(decoding: chunk, as: UTF8.self))
    }

    /// The last line of a stream; heartbeats may come before.
    static func lastLine(_ connection: TestConnection) throws -> JSONValue {
        var line = try Self.line(connection)
        while line["@leat"]?["done"] == nil { line = try Self.line(connection) }
        return line
    }

    /// The next event of a stream; heartbeats may come before.
    static func row(_ connection: TestConnection) throws -> JSONValue {
        var line = try Self.line(connection)
        while line["@leat"] != nil { line = try Self.line(connection) }
        return line
    }

    static func bulk(_ text: String) -> [UInt8] { Array("{\"create\":{}}\n{\"message\":\"\(text)\"}\n".utf8) }

    @Test func aRowArrivesRightAfterItsAck() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.bulk("before")).status == 200)
            let port = server.port
            let (row, milliseconds) = try await onThread {
                let live = try Self.open(port, "", headers: "X-Leat-Stream: 1\r\n")
                guard try Self.line(live)["@leat"]?["live"] == true else { throw TestFailure("no greeting") }
                guard try TestConnection(port: port).send("POST", "/_bulk", body: Self.bulk("after")).status == 200
                else { throw TestFailure("ingest failed") }
                let acknowledged = ContinuousClock.now
                let row = try Self.row(live)
                return (row, acknowledged.duration(to: .now) / .milliseconds(1))
            }
            #expect(row["@rawstring"] == "after")
            #expect(row["@id"] != nil)
            // The target is 100 ms for a release build on a quiet machine; polling would take longer than this, too.
            #expect(milliseconds < 4000)
        }
    }

    static let forms: [(accept: String, rows: [String])] = [
        ("text/plain", ["old\n", "new\n", "newer\n"]),
        ("application/json", ["[{…old…}", ",\n{…new…}", ",\n{…newer…}"]),
        ("application/x-ndjson", ["{…old…}\n", "{…new…}\n", "{…newer…}\n"]),
        ("application/json;q=0.1, text/plain", ["old\n", "new\n", "newer\n"]),
        ("*/*", ["{…old…}\n", "{…new…}\n", "{…newer…}\n"]),
    ]

    @Test(arguments: forms)
    func rowsHaveTheFormThatTheClientAccepts(accept: String, rows: [String]) async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.bulk("old")).status == 200)
            let port = server.port
            let pieces = try await onThread {
                let live = try Self.open(port, ",\"start\":\"1h\"", headers: "Accept: \(accept)\r\n")
                var pieces: [[UInt8]] = [try live.chunk() ?? []]
                for text in ["new", "newer"] {
                    _ = try TestConnection(port: port).send("POST", "/_bulk", body: Self.bulk(text))
                    pieces.append(try live.chunk() ?? [])
                }
                return pieces.map { String(decoding: $0, as: UTF8.self) }
            }
            let shortened = pieces.map { piece in
                guard let start = piece.firstIndex(of: "{"), let end = piece.lastIndex(of: "}") else { return piece }
                let word = ["newer", "new", "old"].first { piece.contains("\"@rawstring\":\"\($0)\"") } ?? "?"
                return piece[...start] + "…\(word)…" + piece[end...]
            }
            #expect(shortened == rows)
            let body = #"{"queryString":"*","isLive":true}"#
            let table = try await server.send(
                "POST",
                "/api/v1/repositories/default/query",
                body,
                headers: ["Accept": "text/csv"]
            )
            #expect(table.status == 400)
        }
    }

    /// A token counts no longer than it exists, for streams that are open too.
    @Test func aStreamEndsWhenItsTokenIsDeleted() async throws {
        try await TestServer.with { server in
            let admin = try await AccessTests.make(server, #"{"name":"root","kind":"admin"}"#)
            let reader = try await AccessTests.make(server, #"{"name":"reader","kind":"query"}"#, by: admin)
            let other = try await AccessTests.make(server, #"{"name":"other","kind":"query"}"#, by: admin)
            let ingest = try await AccessTests.make(server, #"{"name":"in","kind":"ingest"}"#, by: admin)
            let port = server.port
            let (last, row) = try await onThread {
                func send(_ method: String, _ path: String, _ body: [UInt8], by token: String) throws -> Int {
                    let headers = ["Authorization": "Bearer \(token)"]
                    return try TestConnection(port: port).send(method, path, body: body, headers: headers).status
                }
                var statuses = [try send("POST", "/_bulk", Self.bulk("first"), by: ingest)]
                let streams = try [reader, other].map { token in
                    let headers = "X-Leat-Stream: 1\r\nAuthorization: Bearer \(token)\r\n"
                    let live = try Self.open(port, "", headers: headers)
                    _ = try Self.line(live)
                    return live
                }
                statuses.append(try send("DELETE", "/api/v1/tokens/reader", [], by: admin))
                statuses.append(try send("POST", "/_bulk", Self.bulk("secret"), by: ingest))
                guard statuses == [200, 204, 200] else { throw TestFailure("\(statuses)") }
                return (try Self.lastLine(streams[0]), try Self.row(streams[1]))
            }
            #expect(last["@leat"]?["error"] == "the token has been deleted or has expired")
            #expect(row["@rawstring"] == "secret")
        }
    }

    /// What was allowed without a token ends with the first one.
    @Test func aStreamWithoutATokenEndsWithOpenMode() async throws {
        try await TestServer.with { server in
            let port = server.port
            #expect(try await server.send("POST", "/_bulk", Self.bulk("first")).status == 200)
            let last = try await onThread {
                let live = try Self.open(port, "", headers: "X-Leat-Stream: 1\r\n")
                _ = try Self.line(live)
                let token = Array(#"{"name":"root","kind":"admin"}"#.utf8)
                let answer = try TestConnection(port: port).send("POST", "/api/v1/tokens", body: token)
                guard answer.status == 201 else { throw TestFailure("\(answer.status)") }
                return try Self.lastLine(live)
            }
            #expect(last["@leat"]?["error"] != nil)
        }
    }

    @Test func aStreamEndsWhenItsTokenExpires() async throws {
        try await TestServer.with { server in
            let admin = try await AccessTests.make(server, #"{"name":"root","kind":"admin"}"#)
            let right = ["Authorization": "Bearer \(admin)"]
            #expect(try await server.send("POST", "/_bulk", Self.bulk("first"), headers: right).status == 200)
            let body = #"{"name":"brief","kind":"query","expiresInSeconds":8}"#
            let brief = try await AccessTests.make(server, body, by: admin)
            let port = server.port
            let last = try await onThread {
                let headers = "X-Leat-Stream: 1\r\nAuthorization: Bearer \(brief)\r\n"
                return try Self.lastLine(try Self.open(port, "", headers: headers))
            }
            #expect(last["@leat"]?["error"] == "the token has been deleted or has expired")
        }
    }

    @Test func historyComesFirstAndEachRowOnce() async throws {
        try await TestServer.with { server in
            let port = server.port
            for number in 0..<5 {
                #expect(try await server.send("POST", "/_bulk", Self.bulk("old \(number)")).status == 200)
            }
            let texts = try await onThread {
                let live = try Self.open(port, ",\"start\":\"1h\"")
                for number in 0..<5 {
                    _ = try TestConnection(port: port).send("POST", "/_bulk", body: Self.bulk("new \(number)"))
                }
                var texts: [String] = []
                while texts.count < 10 {
                    guard let chunk = try live.chunk() else { throw TestFailure("the stream has ended") }
                    for line in chunk.split(separator: 0x0A) {
                        texts.append(try JSONValue(Array(line))["@rawstring"]?.string ?? "")
                    }
                }
                return texts
            }
            #expect(texts == (0..<5).map { "old \($0)" } + (0..<5).map { "new \($0)" })
        }
    }

    @Test func aStoppingServerEndsTheStreamWithALastLine() async throws {
        let last = try await TestServer.with { server in
            let port = server.port
            let live = try await onThread {
                let live = try Self.open(port, "", headers: "X-Leat-Stream: 1\r\n")
                _ = try Self.line(live)
                return UncheckedBox(live)
            }
            // Read after the server was told to stop, which happens when this closure has returned.
            return Task { try await onThread { try Self.lastLine(live.value) } }
        }
        let line = try await last.value
        #expect(line["@leat"]?["done"] == true)
    }

    @Test func aClientThatGoesIsForgotten() async throws {
        try await TestServer.with { server in
            let port = server.port
            try await onThread { _ = try Self.line(Self.open(port, "", headers: "X-Leat-Stream: 1\r\n")) }
            try await eventually("no live query is left") {
                try await server.send("GET", "/api/v1/status").json?["liveQueries"] == 0
            }
        }
    }
}

/// Hands a connection from one thread to the next.
struct UncheckedBox<Value>: @unchecked Sendable {
    // Sound in these tests: only one thread at a time uses the value.
    let value: Value
    init(_ value: Value) { self.value = value }
}
