import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

@Suite struct QueryTests {
    static let body =
        "{\"create\":{}}\n{\"@timestamp\":1700000000000,\"message\":\"a, \\\"b\\\"\",\"n\":1}\n"
        + "{\"create\":{}}\n{\"@timestamp\":1700000001000,\"message\":\"c\",\"n\":2}\n"

    static func ask(
        _ server: TestServer,
        _ members: String,
        headers: [String: String] = [:],
        repository: String = "default"
    ) async throws -> TestAnswer {
        try await server.send("POST", "/api/v1/repositories/\(repository)/query", "{\(members)}", headers: headers)
    }

    static let forms: [(accept: String, type: String, lines: [String])] = [
        (
            "application/x-ndjson", "application/x-ndjson",
            ["{\"@timestamp\":1700000001000", "{\"@timestamp\":1700000000000"]
        ),
        ("*/*", "application/x-ndjson", ["{\"@timestamp\":1700000001000", "{\"@timestamp\":1700000000000"]),
        ("application/json", "application/json", ["[{\"@timestamp\":1700000001000", "{\"@timestamp\":1700000000000"]),
        ("text/plain", "text/plain; charset=utf-8", ["c", "a, \"b\""]),
    ]

    @Test(arguments: forms)
    func rowsComeInTheFormThatIsAccepted(accept: String, type: String, lines: [String]) async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(server, #""queryString":"*","start":"all""#, headers: ["Accept": accept])
            #expect(answer.headers["content-type"] == type)
            for (line, start) in zip(answer.lines, lines) { #expect(line.hasPrefix(start), "\(answer.text)") }
            if accept == "application/json" { #expect(answer.json?.array?.count == 2) }
        }
    }

    @Test func csvHasAHeaderAndQuotesWhatItMust() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(
                server,
                #""queryString":"*","start":"all""#,
                headers: ["Accept": "text/csv", "X-Desired-Filename": "a.csv"]
            )
            let lines = answer.text.split(separator: "\r\n")
            #expect(lines.first?.contains("message,n") ?? false)
            #expect(lines.last?.contains("\"a, \"\"b\"\"\",1") ?? false, "\(answer.text)")
            #expect(answer.headers["content-disposition"] == "attachment; filename=\"a.csv\"")
        }
    }

    @Test func theLastLineOfAStreamTellsHowItWent() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(
                server,
                #""queryString":"*","start":"all""#,
                headers: ["X-Leat-Stream": "1"]
            )
            #expect(answer.lines.count == 3)
            let last = try JSONValue(parsing: #require(answer.lines.last))["@leat"]
            #expect(last?["done"] == true)
            #expect(last?["partial"] == false)
            #expect(last?["aggregate"] == false)
            #expect(last?["cost"]?["events"] == 2)
        }
    }

    @Test func aStreamExplainsItselfWhenAsked() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let headers = ["X-Leat-Stream": "1"]
            let counted = try await Self.ask(
                server,
                #""queryString":"count()","start":"all","explain":true"#,
                headers: headers
            )
            let explained = try JSONValue(parsing: #require(counted.lines.last))["@leat"]?["explain"]
            #expect(explained?["blocks"]?["answered"] == 1)
            #expect(explained?["blocks"]?["read"] == 0)
            let read = try await Self.ask(
                server,
                #""queryString":"c | count()","start":"all","explain":true"#,
                headers: headers
            )
            let other = try JSONValue(parsing: #require(read.lines.last))["@leat"]?["explain"]
            #expect(other?["blocks"]?["read"] == 1)
            #expect(other?["prefilter"]?.string?.filter(\.isLetter) == "c")
            #expect((other?["microseconds"]?["total"]?.integer ?? -1) >= 0)
            let plain = try await Self.ask(server, #""queryString":"*","start":"all""#, headers: headers)
            #expect(try JSONValue(parsing: #require(plain.lines.last))["@leat"]?["explain"] == nil)
        }
    }

    @Test(arguments: ["application/x-ndjson", "application/json"])
    func theNewestRowsAreTheSameStreamedOrNot(accept: String) async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(
                server,
                #""queryString":"* | tail(1)","start":"all""#,
                headers: ["Accept": accept]
            )
            #expect(answer.text.contains("\"message\":\"c\""))
            #expect(!answer.text.contains("a, "))
        }
    }

    static let faults: [(members: String, status: Int, says: String)] = [
        (#""queryString":"cont()""#, 400, "did you mean 'count'?"),
        (#""queryString":"a and (""#, 400, "query:1:"),
        (#""query":"x""#, 400, "queryString"),
        (#""queryString":"*","start":"yesterday-ish""#, 400, "yesterday-ish"),
        (#""queryString":"*","start":2000,"end":1000"#, 400, "not before"),
        (#""queryString":"*","isLive":true,"end":"1h""#, 400, "'now'"),
        (#""queryString":"#, 400, "not JSON"),
    ]

    @Test(arguments: faults)
    func aMistakeIsExplained(members: String, status: Int, says: String) async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(server, members)
            #expect(answer.status == status)
            #expect(answer.text.contains(says), "\(answer.text)")
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func mistakesComeAsJSONWhenThatIsAccepted() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(
                server,
                #""queryString":"a | cont()""#,
                headers: ["Accept": "application/json"]
            )
            let error = answer.json?["errors"]?[0]
            #expect(answer.status == 400)
            #expect(error?["line"] == 1)
            #expect(error?["column"] == 5)
            #expect(error?["length"] == 4)
            #expect(error?["lineText"] == "a | cont()")
            #expect(error?["message"] == "unknown function 'cont'")
        }
    }

    @Test func anUnknownRepositoryIsA404WithTheNearestName() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/api/v1/repositories/orders/_bulk", Self.body).status == 200)
            let answer = try await Self.ask(server, #""queryString":"*""#, repository: "order")
            #expect(answer.status == 404)
            #expect(answer.text.contains("did you mean 'orders'?"))
        }
    }

    @Test func aJobIsPolledUntilItIsDoneAndDeleted() async throws {
        try await TestServer.with { server in
            #expect(try await server.send("POST", "/_bulk", Self.body).status == 200)
            let path = "/api/v1/dataspaces/default/queryjobs"
            let created = try await server.send("POST", path, #"{"queryString":"*","start":"all","isLive":false}"#)
            #expect(created.status == 200)
            let id = try #require(created.json?["id"]?.string)
            var polled: JSONValue?
            try await eventually {
                polled = try await server.send("GET", "\(path)/\(id)").json
                return polled?["done"] == true
            }
            #expect(polled?["events"]?.array?.count == 2)
            #expect(polled?["cancelled"] == false)
            #expect(polled?["metaData"]?["extraData"]?["hasMoreEvents"] == "false")
            #expect(polled?["metaData"]?["isAggregate"] == false)
            #expect(try await server.send("DELETE", "\(path)/\(id)").status == 204)
            #expect(try await server.send("GET", "\(path)/\(id)").status == 404)
            #expect(try await server.send("POST", path, #"{"queryString":"cont()"}"#).status == 400)
        }
    }

    @Test func aLiveAggregateCountsWhatWasAndWhatComes() async throws {
        try await TestServer.with { server in
            func bulk(_ count: Int) async throws {
                let body = String(repeating: "{\"create\":{}}\n{\"message\":\"x\"}\n", count: count)
                #expect(try await server.send("POST", "/_bulk", body).status == 200)
            }
            try await bulk(5)
            let path = "/api/v1/repositories/default/queryjobs"
            let created = try await server.send("POST", path, #"{"queryString":"count()","start":"1h","isLive":true}"#)
            let id = try #require(created.json?["id"]?.string)
            func count() async throws -> String? {
                try await server.send("GET", "\(path)/\(id)").json?["events"]?[0]?["_count"]?.string
            }
            try await eventually("the history is counted") { try await count() == "5" }
            try await bulk(3)
            #expect(try await count() == "8")
            #expect(try await server.send("DELETE", "\(path)/\(id)").status == 204)
        }
    }

    @Test func rowsOfALargeAnswerComeOnceAndInOrder() async throws {
        try await TestServer.with { server in
            let padding = String(repeating: "x", count: 400)
            for part in 0..<4 {
                let body = (0..<5_000).map { number in
                    "{\"create\":{}}\n{\"@timestamp\":\(1_700_000_000_000 + part * 5_000 + number),\"message\":\"\(padding)\"}\n"
                }.joined()
                #expect(try await server.send("POST", "/_bulk?filter_path=errors", body).status == 200)
            }
            let rows = try await server.query("*")
            let times = rows.compactMap { $0["@timestamp"]?.int }
            #expect(times == (0..<20_000).map { 1_700_000_019_999 - $0 })
            let picked = try await Self.ask(server, #""queryString":"* | select([message, @timestamp])","start":"all""#)
            #expect(picked.lines.count == 20_000)
            #expect(picked.lines.first?.hasPrefix("{\"message\":") ?? false, "\(picked.text.prefix(80))")
        }
    }

    @Test func aClientThatStopsReadingDoesNotStopTheServer() async throws {
        try await TestServer.with { server in
            let body = String(
                repeating: "{\"create\":{}}\n{\"message\":\"\(String(repeating: "x", count: 4_000))\"}\n",
                count: 5_000
            )
            #expect(try await server.send("POST", "/_bulk?filter_path=errors", body).status == 200)
            let port = server.port
            try await onThread {
                let connection = try TestConnection(port: port)
                let question = "{\"queryString\":\"*\",\"start\":\"all\"}"
                try connection.write(
                    "POST /api/v1/repositories/default/query HTTP/1.1\r\nHost: localhost\r\n"
                        + "Content-Length: \(question.utf8.count)\r\n\r\n\(question)"
                )
                guard try connection.head().status == 200 else { throw TestFailure("no answer") }
            }
            #expect(try await server.query("count()").first?["_count"] == "5000")
            try await eventually(within: .seconds(30), "the query has ended") {
                try await server.send("GET", "/api/v1/status").json?["requestsRunning"] == 1
            }
        }
    }
}
