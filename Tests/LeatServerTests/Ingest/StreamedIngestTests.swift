import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// journald's upload, logplex and Splunk's acknowledgements.
@Suite struct StreamedIngestTests {
    static let entry = "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1700000000123456\n_PID=7\nMESSAGE=hello\n\n"

    static var binaryEntry: [UInt8] {
        let text = Array("two\nlines".utf8)
        return Array("__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1700000001000000\nMESSAGE\n".utf8)
            + [UInt8(text.count), 0, 0, 0, 0, 0, 0, 0] + text + Array("\n_PID=8\n\n".utf8)
    }

    @Test func aJournalIsStoredOnce() async throws {
        try await TestServer.with { server in
            let body = Array(Self.entry.utf8) + Self.binaryEntry
            let headers = ["Content-Type": "application/vnd.fdo.journal"]
            for path in ["/upload", "/api/v1/ingest/journald/upload"] {
                let answer = try await server.send("POST", path, body, headers: headers)
                #expect(answer.status == 202)
                #expect(answer.text == "OK.\n")
            }
            let rows = try await server.query("* | sort(@timestamp, order=asc)")
            #expect(rows.compactMap { $0["@rawstring"]?.string } == ["hello", "two\nlines"])
            #expect(rows.first?["_PID"] == "7")
            #expect(rows.first?["message"] == "hello")
            #expect(rows.first?["@timestamp"] == 1_700_000_000_123)
        }
    }

    @Test func entriesAreThereBeforeTheUploadEnds() async throws {
        try await TestServer.with { server in
            let port = server.port
            let connection = try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write("POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                let chunk = Self.entry
                try connection.write("\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n")
                return SendableBox(connection)
            }
            try await eventually("the entry is stored") { try await server.query("*").count == 1 }
            #expect(
                try await onThread {
                    try connection.value.write("0\r\n\r\n")
                    return try connection.value.answer().status
                } == 202
            )
        }
    }

    static let damaged: [[UInt8]] = [
        Array("no field\n\n".utf8), Array("A=1\nB=cut".utf8),
        Array("MESSAGE\n".utf8) + [255, 255, 255, 255, 255, 255, 255, 255] + Array("x".utf8),
    ]

    @Test(arguments: damaged)
    func whatIsNoJournalIsRefused(body: [UInt8]) async throws {
        try await TestServer.with { server in
            let answer = try await server.send("POST", "/upload", body)
            #expect(answer.status == 400)
        }
    }

    @Test func everyPieceOfAJournalGivesTheSameEntries() throws {
        let bytes = Array(Self.entry.utf8) + Self.binaryEntry
        for step in 1...20 {
            var export = JournalExport(byteCountMax: 1_000)
            var entries: [[JournalExport.Field]] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                try export.consume(bytes[start..<min(start + step, bytes.count)]) { entries.append($0) }
            }
            try export.finish { entries.append($0) }
            #expect(entries.map(\.count) == [4, 4])
            #expect(entries.last?[2].value == Array("two\nlines".utf8))
        }
    }

    @Test func logplexIsStoredOnce() async throws {
        try await TestServer.with { server in
            let frame = "<40>1 2023-11-14T22:13:20+00:00 host app web.3 - State changed from starting to up\n"
            let body = "\(frame.utf8.count) \(frame)6 <1>odd"
            for _ in 0..<2 {
                let answer = try await server.send(
                    "POST",
                    "/api/v1/ingest/logplex",
                    body,
                    headers: ["Content-Type": "application/logplex-1", "Logplex-Frame-Id": "f1"]
                )
                #expect(answer.status == 204)
            }
            let rows = try await server.query("* | sort(@timestamp, order=asc)")
            #expect(rows.compactMap { $0["@rawstring"]?.string } == ["State changed from starting to up", "<1>odd"])
            #expect(rows.first?["pid"] == "web.3")
            #expect(rows.first?["app"] == "app")
        }
    }

    @Test func splunkAcknowledgementsAreTrueOnce() async throws {
        try await TestServer.with { server in
            let channel = ["X-Splunk-Request-Channel": "c"]
            for number in 0..<2 {
                let answer = try await server.send("POST", "/services/collector", #"{"event":"e"}"#, headers: channel)
                #expect(answer.json?["ackId"]?.int == number)
            }
            let ask = { (body: String, headers: [String: String]) in
                try await server.send("POST", "/services/collector/ack", body, headers: headers)
            }
            #expect(try await ask(#"{"acks":[0,7]}"#, channel).text == #"{"acks":{"0":true,"7":false}}"#)
            #expect(try await ask(#"{"acks":[0,1]}"#, channel).text == #"{"acks":{"0":false,"1":true}}"#)
            let other = ["X-Splunk-Request-Channel": "d"]
            #expect(try await ask(#"{"acks":[1]}"#, other).text == #"{"acks":{"1":false}}"#)
            #expect(try await ask(#"{"acks":[1]}"#, [:]).json?["code"] == 10)
            #expect(try await server.send("OPTIONS", "/services/collector/event/1.0").status == 200)
        }
    }
}

/// Hands a test's connection from one thread to the next.
struct SendableBox<Value>: @unchecked Sendable {
    // Sound as Sendable: one thread at a time uses the value.
    let value: Value
    init(_ value: Value) { self.value = value }
}
