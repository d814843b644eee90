import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// What a query job tells beside its rows.
@Suite struct JobTests {
    private static let path = "/api/v1/repositories/default/queryjobs"

    /// Events a second apart, from 1700000000000 on, with the fields `n` and `parity`.
    private static func fill(_ server: TestServer, count: Int) async throws {
        let body = (0..<count).map { number in
            "{\"create\":{}}\n{\"@timestamp\":\(1_700_000_000_000 + number * 1_000),\"message\":\"event \(number)\","
                + "\"n\":\(number),\"parity\":\"\(number % 2 == 0 ? "even" : "odd")\"}\n"
        }.joined()
        #expect(try await server.send("POST", "/_bulk?filter_path=errors", body).status == 200)
    }

    /// The answer of a job that is done.
    private static func answer(_ server: TestServer, _ members: String, page: String = "") async throws -> JSONValue {
        let created = try await server.send("POST", Self.path, "{\(members)}")
        let id = try #require(created.json?["id"]?.string, "\(created.text)")
        var polled: JSONValue?
        try await eventually("the job is done") {
            let answer = try await server.send("GET", "\(Self.path)/\(id)\(page)")
            polled = answer.json
            return polled?["done"] == true
        }
        return try #require(polled)
    }

    private static func numbers(_ answer: JSONValue) -> [String] {
        (answer["events"]?.array ?? []).map { $0["n"]?.string ?? "-" }
    }

    @Test func aPollShowsAPageOfTheNewestEvents() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 450)
            let query = #""queryString":"*","start":"all""#
            let first = try await Self.answer(server, query)
            #expect(Self.numbers(first) == (250..<450).reversed().map { "\($0)" })
            #expect(first["metaData"]?["eventCount"] == 450)
            let next = try await Self.answer(server, query, page: "?paginationOffset=200&paginationLimit=100")
            #expect(Self.numbers(next) == (150..<250).reversed().map { "\($0)" })
            let end = try await Self.answer(server, query, page: "?paginationOffset=440&paginationLimit=100")
            #expect(Self.numbers(end) == (0..<10).reversed().map { "\($0)" })
            let groups = #""queryString":"groupBy(n) | sort(n, order=asc, limit=450)","start":"all""#
            let rows = try await Self.answer(server, groups, page: "?paginationOffset=5&paginationLimit=2")
            #expect(Self.numbers(rows) == ["5", "6"])
            let created = try await server.send("POST", Self.path, "{\(query)}")
            let id = try #require(created.json?["id"]?.string)
            #expect(try await server.send("GET", "\(Self.path)/\(id)?paginationLimit=many").status == 400)
        }
    }

    @Test func theFilterIsWhatStandsBeforeTheFirstAggregate() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 4)
            for (query, filter) in [
                ("timechart()", "*"), ("parity=odd | n > 0 | count()", "parity = odd | n > 0"), ("", "*"),
                ("setTimeInterval(start=7d) | parity=odd | c := count()", "parity = odd"),
            ] {
                let answer = try await Self.answer(server, "\"queryString\":\"\(query)\",\"start\":\"all\"")
                #expect(answer["metaData"]?["filterQuery"]?["queryString"]?.string == filter, "\(query)")
            }
        }
    }

    @Test func eventsAreCountedOverTimeOnRequest() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 120)
            let answer = try await Self.answer(
                server,
                #""queryString":"parity=odd | groupBy(parity)","start":1700000000000,"end":1700000120000,"#
                    + #""showQueryEventDistribution":true"#
            )
            let distribution = answer["queryEventDistribution"]
            let counts = (distribution?["events"]?.array ?? []).compactMap { $0["_count"]?.string.flatMap { Int($0) } }
            #expect(counts.reduce(0, +) == 60)
            #expect(distribution?["extraData"]?["bucket_span_millis"] == "2000")
            #expect(distribution?["extraData"]?["bucket_span_humanized"] == "2 seconds")
            #expect(distribution?["extraData"]?["bucket_first_bucket"] == "1700000000000")
            #expect(distribution?["extraData"]?["bucket_last_bucket"] == "1700000118000")
            let plain = try await Self.answer(server, #""queryString":"*","start":"all""#)
            #expect(plain["queryEventDistribution"] == nil)
        }
    }

    @Test func fieldsAreCountedOnRequest() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 10)
            let answer = try await Self.answer(server, #""queryString":"*","start":"all","computeFieldStats":true"#)
            let fields = answer["fieldStats"]?["fields"]?.array ?? []
            let parity = fields.first { $0["name"] == "parity" }
            #expect(parity?["eventCount"] == 10)
            #expect(parity?["distinctCount"] == 2)
            #expect(parity?["topValues"]?[0] == ["value": "even", "count": 5])
        }
    }

    @Test func anEventIsShownInItsContext() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 50)
            let wanted = try await Self.answer(server, #""queryString":"n=20","start":"all""#)
            let id = try #require(wanted["events"]?[0]?["@id"]?.string)
            let answer = try await Self.answer(
                server,
                "\"queryString\":\"parity=even\",\"around\":{\"eventId\":\"\(id)\",\"timestamp\":1700000020000,"
                    + "\"numberOfEventsBefore\":2,\"numberOfEventsAfter\":3}"
            )
            #expect(Self.numbers(answer) == ["26", "24", "22", "20", "18", "16"])
            let bad = try await server.send("POST", Self.path, #"{"queryString":"*","around":{"eventId":"x"}}"#)
            #expect(bad.status == 400)
            #expect(bad.text.contains("timestamp"))
        }
    }

    @Test func nothingIsShownBeforeTheEndIfThatIsWanted() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 3)
            let answer = try await Self.answer(server, #""queryString":"*","start":"all","noResultUntilDone":true"#)
            #expect(Self.numbers(answer) == ["2", "1", "0"])
        }
    }

    @Test func theIntervalMayBeThatOfArrival() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 3)
            let old = try await Self.answer(server, #""queryString":"*","start":"1h""#)
            #expect(Self.numbers(old) == [])
            let arrived = try await Self.answer(server, #""queryString":"*","start":"1h","useIngestTime":true"#)
            #expect(Self.numbers(arrived) == ["2", "1", "0"])
        }
    }

    @Test func aLiveJoinIsAskedAnew() async throws {
        try await TestServer.with { server in
            try await Self.fill(server, count: 4)
            let query =
                #""queryString":"join({ n >= 2 }, field=parity, key=parity) | count()","start":"10000d","isLive":true"#
            let answer = try await Self.answer(server, query)
            #expect(answer["events"]?[0]?["_count"] == "4")
            let streamed = try await server.send("POST", "/api/v1/repositories/default/query", "{\(query)}")
            #expect(streamed.status == 400)
            #expect(streamed.text.contains("query job"))
        }
    }

    /// The status of ten queries in a row of one token, when so many of its queries may run.
    private static func statuses(_ limit: Int) async throws -> Set<Int> {
        try await TestServer.with({ $0.userQueryCountMax = limit }) { server in
            try await Self.fill(server, count: 3)
            let made = try await server.send("POST", "/api/v1/tokens", #"{"name":"root","kind":"admin"}"#)
            let secret = try #require(made.json?["token"]?.string)
            var statuses: Set<Int> = []
            for _ in 0..<10 {
                let answer = try await server.send(
                    "POST",
                    "/api/v1/repositories/default/query",
                    #"{"queryString":"count()","start":"all"}"#,
                    headers: ["Authorization": "Bearer \(secret)"]
                )
                statuses.insert(answer.status)
            }
            return statuses
        }
    }

    @Test func oneTokenDoesNotTakeAllQueries() async throws {
        // A query that has ended gives its place back.
        #expect(try await Self.statuses(1) == [200])
        #expect(try await Self.statuses(0) == [429])
    }
}
