import LeatCore
import LeatStorage
import LeatTesting
import Testing

@testable import LeatServer

struct DeletionTests {
    private static let path = "/api/v1/repositories/default/deletions"

    private static func fill(_ server: TestServer) async throws {
        let lines = (0..<30).map { index in
            let time = 1_700_000_000_000 + index * 1_000
            return """
                {"@timestamp":\(time),"user":"u\(index % 3)","n":"\(index)","message":"order \(index) of u\(index % 3)"}
                """
        }
        let answer = try await server.send("POST", "/api/v1/ingest/json", lines.joined(separator: "\n") + "\n")
        #expect(answer.status == 200, "\(answer.text)")
    }

    private static func delete(_ server: TestServer, _ body: String) async throws -> TestAnswer {
        try await server.send("POST", Self.path, body)
    }

    @Test func whatAQueryFindsIsGoneWithTheAnswer() async throws {
        let folder = try TemporaryFolder()
        try await TestServer.with(folder: folder) { server in
            try await Self.fill(server)
            let answer = try await Self.delete(server, #"{"queryString":"user=u1","start":"all"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json?["state"]?.string == "done")
            #expect(answer.json?["deletedEvents"]?.integer == 10)
            let rows = try await server.query("*")
            #expect(rows.count == 20 && rows.allSatisfy { $0["user"]?.string != "u1" })
            #expect(try await server.query("user=u1 | count()").first?["_count"]?.string == "0")
            let id = try #require(answer.json?["id"]?.string)
            let one = try await server.send("GET", "\(Self.path)/\(id)")
            #expect(one.json?["queryString"]?.string == "user=u1")
        }
        // It lasts, and so does the note of it.
        try await TestServer.with(folder: folder) { server in
            #expect(try await server.query("*").count == 20)
            let list = try await server.send("GET", Self.path)
            #expect(list.json?.array?.count == 1 && list.json?.array?[0]["state"]?.string == "done")
        }
    }

    @Test func theIntervalCounts() async throws {
        try await TestServer.with { server in
            try await Self.fill(server)
            let body = #"{"queryString":"*","start":1700000010000,"end":1700000020000}"#
            let answer = try await Self.delete(server, body)
            #expect(answer.json?["deletedEvents"]?.integer == 10, "\(answer.text)")
            let left = try await server.query("*").compactMap { $0["n"]?.string.flatMap(Int.init) }
            #expect(left.sorted() == Array(0..<10) + Array(20..<30))
        }
    }

    @Test func stagesBeforeTheFilterCount() async throws {
        try await TestServer.with { server in
            try await Self.fill(server)
            let query = #"/order (?<number>\\d+) of/ | number > 24"#
            let answer = try await Self.delete(server, #"{"queryString":"\#(query)","start":"all"}"#)
            #expect(answer.json?["deletedEvents"]?.integer == 5, "\(answer.text)")
            #expect(try await server.query("*").count == 25)
        }
    }

    @Test(arguments: [
        (#"{"queryString":"count()","start":"all"}"#, "rows of its own"),
        (#"{"queryString":"* | head(3)","start":"all"}"#, "rows of its own"),
        (#"{"queryString":"user=u1"}"#, "start"),
        (#"{"queryString":" ","start":"all"}"#, "empty query"),
        (#"{"queryString":"user=u1 | cont()","start":"all"}"#, "count"),
        (#"{"queryString":"*","start":"all","isLive":true}"#, "live"),
    ])
    func whatIsNotMeantForItIsRefused(body: String, reason: String) async throws {
        try await TestServer.with { server in
            try await Self.fill(server)
            let answer = try await Self.delete(server, body)
            #expect(answer.status == 400 && answer.text.contains(reason), "\(answer.status) \(answer.text)")
            #expect(try await server.query("*").count == 30)
            let nobody = try await server.send("POST", "/api/v1/repositories/nobody/deletions", body)
            #expect(nobody.status == 404)
            #expect(try await server.send("GET", "\(Self.path)/absent").status == 404)
        }
    }

    /// A wish that a crash interrupted is fulfilled at the next start.
    @Test func aWishSurvivesTheServer() async throws {
        let folder = try TemporaryFolder()
        try await TestServer.with(folder: folder) { server in try await Self.fill(server) }
        let store = try Store.open(
            StoreOptions(path: folder.path("data"), fileSystem: PosixFileSystem(), time: SystemTime())
        )
        let wish = Deletion(
            id: "wish",
            repository: "default",
            queryString: "user=u2",
            start: nil,
            end: nil,
            createdAt: SystemTime().now(),
            bound: try store.sealedRowBound(of: "default")
        )
        try store.setDocument(wish.document.bytes, kind: "deletion", name: wish.id)
        try store.close()
        try await TestServer.with(folder: folder) { server in
            try await eventually("the wish is fulfilled") {
                let answer = try await server.send("GET", "\(Self.path)/wish")
                return answer.json?["state"]?.string == "done"
            }
            let rows = try await server.query("*")
            #expect(rows.count == 20 && rows.allSatisfy { $0["user"]?.string != "u2" })
        }
    }
}
