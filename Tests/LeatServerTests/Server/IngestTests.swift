import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// What the ingest APIs make of their requests.
@Suite struct IngestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        var body: String
        var status = 200
        /// Per stored event, newest first, members that it must have.
        var rows: [String] = []
        var answer: String?
        var testDescription: String { "\(self.path) \(self.body.prefix(60))" }
    }

    static let cases: [Case] = [
        Case(
            path: "/api/v1/ingest/humio-unstructured",
            body: #"[{"type":"kv","fields":{"host":"h"},"tags":{"env":"prod"},"messages":["one","two"]}]"#,
            rows: [
                ##"{"@rawstring":"two","host":"h","#type":"kv","#env":"prod"}"##,
                ##"{"@rawstring":"one","host":"h","#type":"kv","#env":"prod"}"##,
            ],
            answer: "{}"
        ),
        Case(
            path: "/api/v1/repositories/default/ingest",
            body: #"[{"tags":{"a":"b"},"events":[{"timestamp":1700000000000,"attributes":{"x":{"y":7.0}}}]}]"#,
            rows: [##"{"@timestamp":1700000000000,"x.y":"7.0","#a":"b","@rawstring":"{\"x\":{\"y\":7.0}}"}"##],
            answer: "{}"
        ),
        Case(
            path: "/api/v1/ingest/humio-structured",
            body:
                #"[{"events":[{"timestamp":"2023-11-14T22:13:20.5+01:00","rawstring":"text","attributes":{"a":"b"}}]}]"#,
            rows: [#"{"@timestamp":1699996400500,"a":"b","@rawstring":"text"}"#]
        ),
        Case(
            path: "/api/v1/ingest/humio-structured",
            body: #"[{"events":[{"attributes":{}}]}]"#,
            status: 400,
            answer: "timestamp"
        ),
        Case(path: "/api/v1/ingest/humio-structured", body: "{", status: 400, answer: "JSON"),
        Case(path: "/api/v1/ingest/humio-unstructured", body: #"[{"messages":[{}]}]"#, status: 400, answer: "strings"),
        Case(
            path: "/api/v1/ingest/json",
            body: "{\"message\":\"a\",\"@timestamp\":1700000000}\n{\"bad\n{\"message\":\"c\"}\n",
            rows: [#"{"@rawstring":"c"}"#, #"{"@rawstring":"a","@timestamp":1700000000000}"#],
            answer: #""stored":2"#
        ),
        Case(
            path: "/api/v1/ingest/json",
            body: #"[{"a":1},{"b":[]}]"#,
            rows: [#"{"@rawstring":"{\"b\":[]}"}"#, #"{"a":"1","@rawstring":"{\"a\":1}"}"#]
        ),
        Case(
            path: "/api/v1/ingest/raw",
            body: "a line\nand another\n",
            rows: ["{\"@rawstring\":\"a line\\nand another\"}"]
        ),
        Case(
            path: "/services/collector/event",
            body: #"{"time":1700000000.25,"host":"h","source":"s","sourcetype":"t","event":"text"}"#
                + ##"{"event":{"a":1},"fields":{"b":"c","#d":"e"}}"##,
            rows: [
                ##"{"a":"1","b":"c","#d":"e","@rawstring":"{\"a\":1}"}"##,
                ##"{"@timestamp":1700000000250,"@host":"h","@source":"s","#type":"t","@rawstring":"text"}"##,
            ],
            answer: #"{"text":"Success","code":0}"#
        ),
        Case(path: "/services/collector", body: #"{"event":""}"#, status: 400, answer: #""code":13"#),
        Case(path: "/services/collector", body: #"{"host":"h"}"#, status: 400, answer: #""code":12"#),
        Case(path: "/services/collector", body: #"{"event":"a"}{"#, status: 400, answer: #""code":6"#),
        Case(path: "/services/collector", body: "", status: 400, answer: #""code":5"#),
        Case(
            path: "/services/collector/raw?host=h&sourcetype=t",
            body: "one\r\ntwo\n",
            rows: [##"{"@rawstring":"two","@host":"h","#type":"t"}"##, #"{"@rawstring":"one"}"#]
        ),
        Case(
            path: "/services/collector/ack?channel=c",
            body: #"{"acks":[0,7]}"#,
            answer: #"{"acks":{"0":false,"7":false}}"#
        ),
        Case(
            path: "/loki/api/v1/push",
            body: #"{"streams":[{"stream":{"app":"x"},"values":[["1700000000123456789","line",{"m":"v"}]]}]}"#,
            status: 204,
            rows: [#"{"@timestamp":1700000000123,"app":"x","m":"v","@rawstring":"line"}"#]
        ),
        Case(
            path: "/loki/api/v1/push",
            body: #"{"streams":[{"stream":{},"values":[["x","line"]]}]}"#,
            status: 400,
            answer: "entry"
        ),
        Case(
            path: "/v1/logs",
            body: #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"#
                + #""scopeLogs":[{"scope":{"name":"lib"},"logRecords":[{"timeUnixNano":"1700000000123456789","#
                + #""severityNumber":9,"severityText":"INFO","body":{"stringValue":"text"},"traceId":"ab","#
                + #""attributes":[{"key":"n","value":{"intValue":"7"}}]}]}]}]}"#,
            rows: [
                #"{"@timestamp":1700000000123,"resource.service.name":"s","scope.name":"lib","severity":"INFO","#
                    + #""severity_number":"9","n":"7","trace_id":"ab","@rawstring":"text"}"#
            ],
            answer: "{}"
        ),
    ]

    @Test(arguments: cases)
    func aRequestBecomesTheseEvents(_ row: Case) async throws {
        try await TestServer.with { server in
            let answer = try await server.send(
                "POST",
                row.path,
                row.body,
                headers: ["Content-Type": "application/json"]
            )
            #expect(answer.status == row.status, "\(answer.text)")
            if let expected = row.answer { #expect(answer.text.contains(expected), "\(answer.text)") }
            guard row.status < 300, !row.rows.isEmpty else { return }
            let rows = try await server.query("*")
            let wanted = try row.rows.map { try JSONValue(parsing: $0) }
            let byText = rows.sorted { ($0["@id"]?.string ?? "") > ($1["@id"]?.string ?? "") }
            #expect(byText.count == wanted.count)
            for (got, wanted) in zip(byText, wanted) { #expect(Scenario.fits(got, wanted), "\(got.jsonText)") }
        }
    }

    @Test func aBatchOfOurAgentIsStoredOnce() async throws {
        try await TestServer.with { server in
            let body = "{\"create\":{}}\n{\"message\":\"one\"}\n{\"create\":{}}\n{\"bad\n"
            let key = ["X-Leat-Batch": "0123456789abcdef0123456789abcdef-1-00000000000000000000000000000001"]
            let path = "/_bulk?filter_path=errors,items.*.status,items.*.error.type"
            let first = try await server.send("POST", path, body, headers: key)
            let second = try await server.send("POST", path, body, headers: key)
            #expect(first.status == 200)
            #expect(first.json?["errors"] == true)
            #expect(second.text == first.text)
            #expect(try await server.query("*").count == 1)
            let third = try await server.send(
                "POST",
                "/_bulk",
                body,
                headers: ["X-Leat-Batch": "0123456789abcdef0123456789abcdef-2-00000000000000000000000000000001"]
            )
            #expect(third.status == 200)
            #expect(try await server.query("*").count == 2)
            #expect(try await server.send("POST", "/_bulk", body, headers: ["X-Leat-Batch": "x"]).status == 400)
        }
    }

    @Test func whatIsAcknowledgedIsThereAfterARestart() async throws {
        let folder = try TemporaryFolder()
        try await TestServer.with(folder: folder) { server in
            for number in 0..<3 {
                let answer = try await server.send("POST", "/_bulk", "{\"create\":{}}\n{\"message\":\"n\(number)\"}\n")
                #expect(answer.status == 200)
            }
        }
        try await TestServer.with(folder: folder) { server in
            let rows = try await server.query("*")
            #expect(Set(rows.compactMap { $0["@rawstring"]?.string }) == ["n0", "n1", "n2"])
        }
    }

    @Test func tooMuchAtOnceIsRefusedAsAWhole() async throws {
        try await TestServer.with {
            $0.ingestMemoryByteCount = 2_000
        } _: { server in
            let port = server.port
            let body = "{\"create\":{}}\n{\"message\":\"\(String(repeating: "x", count: 1_500))\"}\n"
            let (stalled, refused) = try await onThread {
                let slow = try TestConnection(port: port)
                try slow.write("POST /_bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
                try slow.write(Array(body.utf8.dropLast()))
                try eventually("the first request holds its memory") {
                    try !TestConnection(port: port).send("GET", "/metrics").lines.contains("leat_ingest_memory_bytes 0")
                }
                let refused = try TestConnection(port: port).send("POST", "/_bulk", body: Array(body.utf8)).status
                try slow.write("\n")
                return (try slow.answer().status, refused)
            }
            #expect(stalled == 200)
            #expect(refused == 429)
            #expect(try await server.send("POST", "/_bulk", body).status == 200)
        }
    }

    @Test func limitsRefuseTheItemAndNotTheRequest() async throws {
        try await TestServer.with { configuration in
            configuration.limits.fieldCountMax = 100
            configuration.limits.depthMax = 5
            configuration.limits.eventByteCountMax = 10_000
        } _: { server in
            let many = (0..<101).map { "\"f\($0)\":1" }.joined(separator: ",")
            let documents = [
                #"{"message":"good"}"#, "{\(many)}", #"{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}"#,
                "{\"\(String(repeating: "n", count: 600))\":1}", "{\"x\":\"\(String(repeating: "x", count: 11_000))\"}",
                "{\"message\":\"\(String(repeating: "ä", count: 6_000))\",\"n\":1}",
            ]
            let body = documents.map { "{\"create\":{}}\n\($0)\n" }.joined()
            let answer = try await server.send("POST", "/_bulk?filter_path=items.*.status", body)
            let statuses = answer.json?["items"]?.array?.compactMap { $0["create"]?["status"]?.int }
            #expect(statuses == [201, 400, 400, 400, 413, 201])
            let rows = try await server.query("*")
            #expect(rows.count == 2)
            let cut = rows.first { $0["n"] == "1" }
            #expect(cut?["@truncated"] == "true")
            #expect((cut?["@rawstring"]?.string ?? "").utf8.count <= 10_000)
            #expect((cut?["@rawstring"]?.string ?? "").allSatisfy { $0 == "ä" })
        }
    }
}
