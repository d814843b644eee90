import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Documents without `message`, `log` or `msg` have their own JSON as text, from the moment of the ack and after a
/// restart.
@Suite struct DocumentTextTests {
    static let documents = [
        #"{"@timestamp":"2023-11-14T22:13:20.001Z","status":500,"user":{"name":"ann"},"tags":[]}"#,
        #"{"@timestamp":"2023-11-14T22:13:20.002Z","message":"plain text"}"#,
        #"{"@timestamp":"2023-11-14T23:13:20.003+01:00","status":200}"#,
        #"{"@timestamp":"2023-11-14T22:13:20.004Z","a":1,"a":2}"#,
        #"{"@timestamp":1700000000005,"note":"line\nbreak"}"#,
    ]

    @Test func textsAreTheDocuments() async throws {
        let folder = try TemporaryFolder()
        let expected = Self.documents.enumerated().map { $0.offset == 1 ? "plain text" : $0.element }
        try await TestServer.with(folder: folder) { server in
            let body = Self.documents.map { "{\"create\":{}}\n\($0)\n" }.joined()
            #expect(try await server.send("POST", "/_bulk", body).status == 200)
            try await Self.check(server, expected)
        }
        try await TestServer.with(folder: folder) { server in try await Self.check(server, expected) }
    }

    static func check(_ server: TestServer, _ expected: [String]) async throws {
        let rows = try await server.query("*")
        #expect(rows.compactMap { $0["@rawstring"]?.string } == expected.reversed())
        #expect(rows.allSatisfy { $0[JSONShape.columnName] == nil })
        for (query, count) in [
            (#""\"status\":500,\"user\"""#, 1), ("status", 2), ("ann", 1), (#""line\\nbreak""#, 1), ("nothing", 0),
        ] {
            #expect(try await server.query(query).count == count, "\(query)")
        }
    }
}
