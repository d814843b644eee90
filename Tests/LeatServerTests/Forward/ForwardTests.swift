import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatServer

/// The forward protocol of Fluentd and Fluent Bit into a running server.
@Suite struct ForwardTests {
    /// A value to be written as MessagePack.
    indirect enum Value {
        case text(String), binary([UInt8]), int(Int), time(UInt32, UInt32), array([Value]), map([(String, Value)])

        var bytes: [UInt8] {
            switch self {
            case .text(let text): [0xD9, UInt8(text.utf8.count)] + Array(text.utf8)
            case .binary(let bytes): [0xC5, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
            case .int(let value): [0xD3] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
            case .time(let seconds, let nanoseconds):
                [0xD7, 0x00] + (0..<4).map { UInt8(truncatingIfNeeded: seconds >> (24 - 8 * $0)) }
                    + (0..<4).map { UInt8(truncatingIfNeeded: nanoseconds >> (24 - 8 * $0)) }
            case .array(let values): [0xDC, 0, UInt8(values.count)] + values.flatMap(\.bytes)
            case .map(let members):
                [0xDE, 0, UInt8(members.count)] + members.flatMap { Value.text($0.0).bytes + $0.1.bytes }
            }
        }
    }

    static func record(_ text: String) -> Value { .map([("message", .text(text)), ("n", .map([("x", .int(1))]))]) }

    static let entries: Value = .array([
        .array([.time(1_700_000_000, 500_000_000), record("two")]),
        // As Fluent Bit sends it: a time with metadata.
        .array([.array([.time(1_700_000_001, 0), .map([])]), record("three")]),
    ])

    static let packed =
        Value.array([.int(1_700_000_002), record("four")]).bytes
        + Value.array([.int(1_700_000_003), .map([("log", .text("five")), ("tag", .text("own"))])]).bytes

    @Test func everyModeIsStoredAndAcknowledged() async throws {
        try await TestServer.with {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
        } _: { server in
            let port = server.ports["forward"] ?? 0
            let compressed = Self.packed.withUnsafeBytes { Deflate.gzip($0) }
            let option = { (chunk: String) in [("chunk", Value.text(chunk)), ("size", Value.int(2))] }
            let messages: [Value] = [
                .array([.text("a.b"), .int(1_700_000_000), Self.record("one")]),
                .array([.text("a.b"), Self.entries, .map(option("c1"))]),
                .array([.text("a.b"), .binary(Self.packed), .map(option("c2"))]),
                .array([.text("a.b"), .binary(compressed), .map(option("c3") + [("compressed", .text("gzip"))])]),
            ]
            let acks = try await onThread {
                let connection = try TestConnection(port: port)
                for message in messages { try connection.write(message.bytes) }
                // A chunk that is sent again is acknowledged again, and stored once.
                try connection.write(messages[1].bytes)
                return try ["c1", "c2", "c3", "c1"].map { _ in try connection.take(Self.ack("c1").count) }
            }
            #expect(acks == ["c1", "c2", "c3", "c1"].map(Self.ack))
            let rows = try await server.query("* | sort(@timestamp, order=asc)")
            #expect(
                rows.compactMap { $0["@rawstring"]?.string } == ["one", "two", "three", "four", "four", "five", "five"]
            )
            #expect(rows.first?["tag"] == "a.b")
            #expect(rows.first?["n.x"] == "1")
            #expect(rows.last?["tag"] == "own")
            #expect(rows[1]["@timestamp"] == 1_700_000_000_500)
        }
    }

    static func ack(_ chunk: String) -> [UInt8] {
        [0x81, 0xA3] + Array("ack".utf8) + [0xA0 | UInt8(chunk.utf8.count)] + Array(chunk.utf8)
    }

    @Test func whoDoesNotKnowTheKeyMayNotSend() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("key", "secret\n")
        try await TestServer.with(folder: folder) {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
            $0.forward.keyPath = path
        } _: { server in
            let port = server.ports["forward"] ?? 0
            #expect(try await onThread { try Self.login(port: port, key: "wrong") } == false)
            #expect(try await onThread { try Self.login(port: port, key: "secret") })
            try await eventually("the event is stored") { try await server.query("*").count == 1 }
        }
    }

    /// Shakes hands and sends one event if that is allowed.
    static func login(port: Int, key: String) throws -> Bool {
        let connection = try TestConnection(port: port)
        let hello = try connection.take(49)
        let nonce = Array(hello[15..<31])
        let salt = Array("salt".utf8)
        let digest = SHA512.hexadecimal(salt + Array("me".utf8) + nonce + Array(key.utf8))
        let ping = Value.array([.text("PING"), .text("me"), .binary(salt), .text(digest), .text(""), .text("")])
        try connection.write(ping.bytes)
        // ["PONG", ok, …]
        guard try connection.take(7)[6] == 0xC3 else { return false }
        try connection.write(Value.array([.text("t"), .int(1_700_000_000), Self.record("in")]).bytes)
        return true
    }

    @Test func whatIsNoMessageEndsTheConnectionOnly() async throws {
        try await TestServer.with {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
            $0.logLevel = .error
        } _: { server in
            let port = server.ports["forward"] ?? 0
            for bytes in [[0xC1], [0x93, 0x01, 0x02, 0x03], Array("GET / HTTP/1.1\r\n\r\n".utf8)] as [[UInt8]] {
                try await onThread {
                    let connection = try TestConnection(port: port)
                    try connection.write(bytes)
                    #expect(throws: TestFailure.self) { try connection.take(1) }
                }
            }
            let good = Value.array([.text("t"), .int(1_700_000_000), Self.record("in")]).bytes
            try await onThread { try TestConnection(port: port).write(good) }
            try await eventually("the event is stored") { try await server.query("*").count == 1 }
        }
    }

    /// As long messages come: in pieces, of which the last does not double what is there.
    @Test func aMessageOfManyPiecesIsAcknowledgedOnceItIsComplete() async throws {
        try await TestServer.with {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
        } _: { server in
            let port = server.ports["forward"] ?? 0
            let entry = Value.array([.int(1_700_000_000), Self.record(String(repeating: "x", count: 200))]).bytes
            let count = 3 * (1 << 19) / entry.count
            let packed = (0..<count).flatMap { _ in entry }
            let message =
                [0x93] + Value.text("t").bytes + Self.longBinary(packed) + Value.map([("chunk", .text("c1"))]).bytes
            let ack = try await onThread {
                let connection = try TestConnection(port: port)
                for start in stride(from: 0, to: message.count, by: 300_000) {
                    try connection.write(Array(message[start..<min(start + 300_000, message.count)]))
                }
                return try connection.take(Self.ack("c1").count)
            }
            #expect(ack == Self.ack("c1"))
            #expect(try await server.query("count()").first?["_count"]?.string == "\(count)")
        }
    }

    @Test func aTimeOfManyArraysIsRefused() async throws {
        try await TestServer.with {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
            $0.logLevel = .error
        } _: { server in
            let port = server.ports["forward"] ?? 0
            let nested = [0x92] + [UInt8](repeating: 0x91, count: 1_000_000)
            try await onThread {
                let connection = try TestConnection(port: port)
                try connection.write([0x92] + Value.text("t").bytes + Self.longBinary(nested))
                #expect(throws: TestFailure.self) { try connection.take(1) }
            }
            #expect(try await server.send("GET", "/api/v1/health").status == 200)
        }
    }

    @Test func connectionsBeyondTheLimitAreClosedAndTheOthersServed() async throws {
        try await TestServer.with {
            $0.forward.tcp = ListenAddress("127.0.0.1:0")
            $0.forward.connectionCountMax = 1
            $0.logLevel = .error
        } _: { server in
            let port = server.ports["forward"] ?? 0
            let message = Value.array([.text("t"), Self.entries, .map([("chunk", .text("c1"))])]).bytes
            let ack = try await onThread {
                let first = try TestConnection(port: port)
                try first.write(message)
                _ = try first.take(Self.ack("c1").count)
                for _ in 0..<3 {
                    let beyond = try TestConnection(port: port)
                    #expect(throws: TestFailure.self) { try beyond.take(1) }
                }
                try first.write(message)
                return try first.take(Self.ack("c1").count)
            }
            #expect(ack == Self.ack("c1"))
        }
    }

    private static func longBinary(_ bytes: [UInt8]) -> [UInt8] {
        [0xC6] + (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
    }

    @Test func noInputTraps() throws {
        var random = SeededRandom(seed: 42)
        let valid = Value.array([.text("a"), Self.entries, .map([("chunk", .text("c"))])]).bytes
        for _ in 0..<20_000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0...3, using: &random))
            bytes.withUnsafeBytes { bytes in
                do throws(MessagePackReader.Failure) {
                    var end = ForwardMessageEnd()
                    if let count = try end.find(in: bytes) { #expect(count <= bytes.count) }
                    _ = try ForwardMessage(bytes, byteCountMax: 1 << 16)
                } catch {
                    // Refused, as most of these should be.
                }
            }
        }
    }
}
