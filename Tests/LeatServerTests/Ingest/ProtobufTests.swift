import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// A protobuf message under construction.
struct Message {
    var bytes: [UInt8] = []

    static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    func number(_ field: UInt64, _ value: UInt64) -> Message {
        Message(bytes: self.bytes + Self.varint(field << 3) + Self.varint(value))
    }

    func fixed64(_ field: UInt64, _ value: UInt64) -> Message {
        Message(
            bytes: self.bytes + Self.varint(field << 3 | 1)
                + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        )
    }

    func data(_ field: UInt64, _ data: [UInt8]) -> Message {
        Message(bytes: self.bytes + Self.varint(field << 3 | 2) + Self.varint(UInt64(data.count)) + data)
    }

    func text(_ field: UInt64, _ text: String) -> Message { self.data(field, Array(text.utf8)) }
    func message(_ field: UInt64, _ message: Message) -> Message { self.data(field, message.bytes) }
}

@Suite struct ProtobufTests {
    static let record = Message()
        .fixed64(1, 1_700_000_000_123_456_789).number(2, 9).text(3, "INFO")
        .message(5, Message().text(1, "hello")).data(9, [0xAB, 0xCD])
        .message(6, Message().text(1, "n").message(2, Message().number(3, 7)))
        .message(
            6,
            Message().text(1, "list").message(2, Message().message(5, Message().message(1, Message().number(2, 1))))
        )

    static let otlp = Message().message(
        1,
        Message()
            .message(1, Message().message(1, Message().text(1, "service.name").message(2, Message().text(1, "shop"))))
            .message(2, Message().message(1, Message().text(1, "lib")).message(2, Self.record))
    )

    static let loki = Message().message(
        1,
        Message().text(1, #"{app="x", quoted="a\"b"}"#)
            .message(
                2,
                Message().message(1, Message().number(1, 1_700_000_000).number(2, 5)).text(2, "line")
                    .message(3, Message().text(1, "m").text(2, "v"))
            )
    )

    @Test func anExporterOfOpenTelemetryIsUnderstood() async throws {
        try await TestServer.with { server in
            let answer = try await server.send(
                "POST",
                "/v1/logs",
                Deflate.gzip(Self.otlp.bytes),
                headers: ["Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"]
            )
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
            #expect(answer.headers["content-type"] == "application/x-protobuf")
            let row = try await server.query("*").first
            #expect(row?["@rawstring"] == "hello")
            #expect(row?["@timestamp"] == 1_700_000_000_123)
            #expect(row?["resource.service.name"] == "shop")
            #expect(row?["scope.name"] == "lib")
            #expect(row?["n"] == "7")
            #expect(row?["list[0]"] == "true")
            #expect(row?["trace_id"] == "abcd")
        }
    }

    /// 300 records of which 200 have a field with a name that is too long.
    @Test(arguments: [true, false]) func refusedRecordsAreCountedHoweverManyTheyAre(isProtobuf: Bool) async throws {
        let name = String(repeating: "n", count: 600)
        let record: (Int) -> Message = { number in
            Message().message(5, Message().text(1, "record \(number)"))
                .message(6, Message().text(1, number < 200 ? name : "n").message(2, Message().text(1, "v")))
        }
        let records = (0..<300).reduce(Message()) { $0.message(2, record($1)) }
        let json = (0..<300).map { number in
            #"{"body":{"stringValue":"record \#(number)"},"attributes":[{"key":"\#(number < 200 ? name : "n")","value":{"stringValue":"v"}}]}"#
        }
        let body =
            isProtobuf
            ? Message().message(1, Message().message(2, records)).bytes
            : Array(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(json.joined(separator: ","))]}]}]}"#.utf8)
        try await TestServer.with { server in
            let type = isProtobuf ? "application/x-protobuf" : "application/json"
            let answer = try await server.send("POST", "/v1/logs", body, headers: ["Content-Type": type])
            #expect(answer.status == 200)
            #expect(try await server.query("count()").first?["_count"] == "100")
            guard isProtobuf else {
                #expect(answer.json?["partialSuccess"]?["rejectedLogRecords"] == "200")
                #expect(answer.json?["partialSuccess"]?["errorMessage"]?.string?.contains("512") ?? false)
                return
            }
            var (count, reason) = (UInt64(0), "")
            try answer.body.withUnsafeBytes { bytes in
                try ProtobufReader.forEachField(of: bytes) { (number, value) throws(ProtobufReader.Fault) in
                    guard number == 1 else { return }
                    try ProtobufReader.forEachField(of: value.message) { (number, value) throws(ProtobufReader.Fault) in
                        if number == 1 { count = value.number }
                        if number == 2 { reason = value.text }
                    }
                }
            }
            #expect(count == 200)
            #expect(reason.contains("512"))
        }
    }

    @Test func aClientOfLokiIsUnderstood() async throws {
        try await TestServer.with { server in
            let answer = try await server.send(
                "POST",
                "/loki/api/v1/push",
                SnappyTests.literal(Self.loki.bytes),
                headers: ["Content-Type": "application/x-protobuf"]
            )
            #expect(answer.status == 204)
            let row = try await server.query("*").first
            #expect(row?["@rawstring"] == "line")
            #expect(row?["app"] == "x")
            #expect(row?["quoted"] == "a\"b")
            #expect(row?["m"] == "v")
        }
    }

    @Test func damagedMessagesAreRefusedAndNeverTrap() {
        var random = SeededRandom(seed: 11)
        for round in 0..<2_000 {
            var bytes = round % 2 == 0 ? Self.otlp.bytes : Self.loki.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...5, using: &random))
            bytes.withUnsafeBytes { bytes in
                do throws(ProtobufReader.Fault) {
                    _ = try OTLPMessage.value(bytes)
                    _ = try LokiMessage.value(bytes)
                } catch {
                    #expect(!error.reason.isEmpty)
                }
            }
        }
    }
}

@Suite struct SnappyTests {
    /// A block of one literal.
    static func literal(_ bytes: [UInt8]) -> [UInt8] {
        Message.varint(UInt64(bytes.count)) + [61 << 2, UInt8((bytes.count - 1) & 0xFF), UInt8((bytes.count - 1) >> 8)]
            + bytes
    }

    @Test func literalsAndCopiesAreExpanded() throws {
        #expect(try Snappy.expand(Self.literal(Array("hello".utf8)), limit: 100) == Array("hello".utf8))
        // "ab" and a copy of ten bytes from two back, which overlaps itself.
        let block: [UInt8] = [12, 1 << 2, 0x61, 0x62, (10 - 4) << 2 | 1, 2]
        #expect(try Snappy.expand(block, limit: 100) == Array("abababababab".utf8))
        #expect(try Snappy.expand([0], limit: 100) == [])
    }

    @Test func beyondTheLimitItIsRefused() {
        #expect(throws: RequestFault.self) { try Snappy.expand(Self.literal(Array("hello".utf8)), limit: 4) }
    }

    @Test func damagedBlocksAreNoticed() throws {
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            do throws(RequestFault) {
                if let result = try Snappy.expand(bytes, limit: 1_000) { #expect(result.count <= 1_000) }
            } catch {
                #expect(error.status == 413)
            }
        }
        #expect(try Snappy.expand([5, 0, 0x61], limit: 10) == nil)
    }
}
