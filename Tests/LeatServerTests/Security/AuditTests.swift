import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// The server's own repository: its log, and who did what.
@Suite struct AuditTests {
    @Test func whatWasDoneAndDeniedIsWrittenDown() async throws {
        try await TestServer.with { configuration in
            configuration.logLevel = .warning
        } _: { server in
            let admin = try await AccessTests.make(server, #"{"name":"root","kind":"admin"}"#)
            let headers = ["Authorization": "Bearer \(admin)"]
            let ingest = try await AccessTests.make(server, #"{"name":"in","kind":"ingest"}"#, by: admin)
            _ = try await server.send("POST", "/api/v1/repositories", #"{"name":"web"}"#, headers: headers)
            let query = #"{"queryString":"error | count()\r\nforged","start":"all"}"#
            _ = try await server.send("POST", "/api/v1/repositories/web/query", query, headers: headers)
            let wrong = try await server.send("GET", "/api/v1/tokens", "", headers: ["Authorization": "Bearer no"])
            #expect(wrong.status == 401)
            let own = try await server.send(
                "POST",
                "/api/v1/repositories/leat-internal/ingest-messages",
                #"[{"messages":["forged"]}]"#,
                headers: ["Authorization": "Bearer \(ingest)"]
            )
            #expect(own.status == 403)
            let refused = try await server.send(
                "POST",
                "/api/v1/tokens",
                #"{"name":"x","kind":"ingest","repository":"leat-internal"}"#,
                headers: headers
            )
            #expect(refused.status == 400)
            let found = try await Self.events(server, headers, count: 7)
            let told = found.map { row in
                [row["action"], row["user"], row["status"], row["@rawstring"]].map { $0?.string ?? "-" }.joined(
                    separator: " "
                )
            }
            for wanted in [
                "admin (open) 201 done", "admin root 201 done", "query root 400 done", "admin - 401 denied",
                "humio-unstructured - 403 denied", "admin root 400 done",
            ] {
                #expect(told.contains(wanted), "\(wanted) is not among \(told)")
            }
            #expect(found.contains { $0["query"] == "error | count()\r\nforged" })
            #expect(!found.contains { $0.jsonText.contains(admin) })
        }
    }

    /// The audit events, once there are as many.
    static func events(_ server: TestServer, _ headers: [String: String], count: Int) async throws -> [JSONValue] {
        let body = ##"{"queryString":"#kind=audit","start":"all"}"##
        var rows: [JSONValue] = []
        try await eventually("\(count) audit events") {
            let answer = try await server.send(
                "POST",
                "/api/v1/repositories/leat-internal/query",
                body,
                headers: headers
            )
            rows = answer.status == 200 ? try answer.lines.map { try JSONValue(parsing: $0) } : []
            return rows.count >= count
        }
        return rows
    }

    /// What is refused is counted by repository and reason, and told in the server's own repository.
    @Test func refusedRequestsAreCountedPerRepository() async throws {
        try await TestServer.with { configuration in
            configuration.logLevel = .warning
        } _: { server in
            let path = "/api/v1/repositories/web/_bulk"
            for body in ["no json\n", "{}\n", "{\"create\":{}}"] {
                #expect(try await server.send("POST", path, body).status == 400)
            }
            #expect(try await server.send("POST", "/v1/logs", "{").status == 400)
            let metrics = try await server.send("GET", "/metrics").text
            let start = "leat_ingest_refused_requests_total{protocol="
            let lines = metrics.split(separator: "\n").filter { $0.hasPrefix(start) }.map { $0.dropFirst(start.count) }
            #expect(
                lines.contains("\"bulk\",repository=\"web\",reason=\"illegal_argument_exception\"} 3"),
                "\(lines)"
            )
            #expect(lines.contains { $0.hasPrefix("\"otlp\",repository=\"default\",reason=") }, "\(lines)")
            try await eventually("the refusal is told") {
                let query = "\"ingest request refused\" repository=web | select([protocol, reason, count])"
                let answer = try await server.send(
                    "POST",
                    "/api/v1/repositories/leat-internal/query",
                    JSONValue.object([.init("queryString", .string(query)), .init("start", "all")]).bytes
                )
                return answer.text.contains(#""reason":"illegal_argument_exception""#)
            }
        }
    }

    @Test func nobodyTriesTokensByTheThousand() async throws {
        try await TestServer.with { server in
            let admin = try await AccessTests.make(server, #"{"name":"root","kind":"admin"}"#)
            var statuses: [Int] = []
            for number in 0..<ServerLimits.failedLoginCountMax + 5 {
                let headers = ["Authorization": "Bearer wrong-\(number)"]
                statuses.append(try await server.send("GET", "/api/v1/repositories", "", headers: headers).status)
            }
            #expect(statuses.filter { $0 == 401 }.count == ServerLimits.failedLoginCountMax)
            #expect(statuses.suffix(5) == [429, 429, 429, 429, 429])
            let right = ["Authorization": "Bearer \(admin)"]
            #expect(try await server.send("GET", "/api/v1/repositories", "", headers: right).status == 200)
        }
    }

    @Test func aDeletedTokenIsRefusedAtOnce() async throws {
        try await TestServer.with { server in
            let admin = try await AccessTests.make(server, #"{"name":"root","kind":"admin"}"#)
            let ingest = try await AccessTests.make(server, #"{"name":"in","kind":"ingest"}"#, by: admin)
            let headers = ["Authorization": "Bearer \(ingest)"]
            #expect(try await server.send("POST", "/_bulk", AccessTests.document, headers: headers).status == 200)
            let right = ["Authorization": "Bearer \(admin)"]
            #expect(try await server.send("DELETE", "/api/v1/tokens/in", [], headers: right).status == 204)
            #expect(try await server.send("POST", "/_bulk", AccessTests.document, headers: headers).status == 401)
        }
    }
}
