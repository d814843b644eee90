import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The input `mqtt`: what clients send, byte by byte and over sockets.
struct MQTTTests {
    // MARK: packets as clients write them

    private static func text(_ text: String) -> [UInt8] {
        [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 0xFF)] + Array(text.utf8)
    }

    private static func packet(_ kind: UInt8, _ flags: UInt8 = 0, _ contents: [UInt8]) -> [UInt8] {
        var bytes = [kind << 4 | flags]
        var rest = contents.count
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes + contents
    }

    private static func connect(level: UInt8 = 4, name: String = "MQTT") -> [UInt8] {
        self.packet(1, Self.text(name) + [level, 2, 0, 60] + Self.text("client"))
    }

    private static func packet(_ kind: UInt8, _ contents: [UInt8]) -> [UInt8] { self.packet(kind, 0, contents) }

    private static func publish(_ topic: String, _ message: String, quality: UInt8 = 0, id: UInt16 = 0) -> [UInt8] {
        let identifier = quality == 0 ? [] : [UInt8(id >> 8), UInt8(id & 0xFF)]
        return self.packet(3, quality << 1, Self.text(topic) + identifier + Array(message.utf8))
    }

    private static func session(payloadKey: String? = nil, byteCountMax: Int = 1 << 20) -> MQTTSession {
        MQTTSession(payloadKey: payloadKey, byteCountMax: byteCountMax)
    }

    /// What a session makes of bytes: records as text, answers as bytes, the reason of an end.
    private struct Outcome {
        var records: [String] = []
        var answers: [UInt8] = []
        var isClosed = false
        var reason: String?

        init(_ session: inout MQTTSession, _ bytes: [UInt8], piece: Int = .max) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(piece))
                rest = rest.dropFirst(part.count)
                let actions = part.withUnsafeBytes { session.take($0, now: Timestamp(milliseconds: 1)) }
                for action in actions { self.add(action) }
            }
        }

        private mutating func add(_ action: MQTTSession.Action) {
            switch action {
            case .accept(let events, let answer):
                for index in 0..<events.count {
                    self.records.append(events.withMembers(of: index) { "{\(String(decoding: $0, as: UTF8.self))}" })
                }
                self.answers += answer
            case .send(let bytes): self.answers += bytes
            case .close(let answer, let reason):
                self.answers += answer
                self.isClosed = true
                self.reason = reason
            }
        }
    }

    // MARK: a session

    @Test(arguments: [1, 2, 3, 7, .max])
    func messagesOfEveryQualityAreTakenAndAnswered(piece: Int) {
        var session = Self.session()
        let bytes =
            Self.connect() + Self.publish("a/b", #"{ "n": 1, "topic": "own" }"#)
            + Self.publish("a", #"{"n":2}"#, quality: 1, id: 0x0102) + Self.publish("a", "{}", quality: 2, id: 7)
            + Self.packet(6, 2, [0, 7]) + Self.packet(12, []) + Self.packet(14, [])
        let outcome = Outcome(&session, bytes, piece: piece)
        #expect(
            outcome.records == [#"{"n":1,"topic":"own"}"#, #"{"topic":"a","n":2}"#, #"{"topic":"a"}"#]
        )
        let answers: [[UInt8]] = [
            [0x20, 2, 0, 0], [0x40, 2, 1, 2], [0x50, 2, 0, 7], [0x70, 2, 0, 7], [0xD0, 0],
        ]
        #expect(outcome.answers == answers.flatMap { $0 })
        #expect(outcome.isClosed && outcome.reason == nil)
    }

    @Test
    func aMessageOfQuality2ThatComesAgainIsTheSameUntilItIsReleased() {
        var session = Self.session()
        let message = Self.publish("a", #"{"n":1}"#, quality: 2, id: 7)
        let outcome = Outcome(&session, Self.connect() + message + message + Self.packet(6, 2, [0, 7]) + message)
        #expect(outcome.records.count == 2)
    }

    @Test(arguments: [
        ("21.5", nil, #"{"topic":"t","log":"21.5"}"#), ("[1]", nil, #"{"topic":"t","log":"[1]"}"#),
        ("{\"a\":", nil, #"{"topic":"t","log":"{\"a\":"}"#), ("", nil, #"{"topic":"t","log":""}"#),
        (#"{"a":1}"#, "p", #"{"topic":"t","p":{"a":1}}"#), ("x", "p", #"{"topic":"t","p":"x"}"#),
    ])
    func noMessageIsLost(message: String, key: String?, record: String) {
        var session = Self.session(payloadKey: key)
        #expect(Outcome(&session, Self.connect() + Self.publish("t", message)).records == [record])
    }

    @Test
    func whoSubscribesIsToldThatThereIsNothing() {
        var session = Self.session()
        let bytes =
            Self.connect() + Self.packet(8, 2, [0, 9] + Self.text("a/#") + [1] + Self.text("b") + [0])
            + Self.packet(10, 2, [0, 10] + Self.text("a/#"))
        let outcome = Outcome(&session, bytes)
        #expect(outcome.answers.dropFirst(4) == [0x90, 4, 0, 9, 0x80, 0x80, 0xB0, 2, 0, 10])
    }

    static let ends: [(bytes: [UInt8], reason: String)] = [
        (Self.publish("a", "{}"), "did not begin with CONNECT"), (Self.connect() + Self.connect(), "second CONNECT"),
        (Self.connect(level: 5), "version 5 of MQTT"), (Self.connect(name: "HTTP"), "protocol 'HTTP'"),
        (Self.connect() + Self.packet(3, 6, Self.text("a") + [0, 1]), "quality of service 3"),
        (Self.connect() + Self.packet(3, 0, [0, 9, 0x61]), "text that is too short"),
        (Self.connect() + Self.packet(3, 2, Self.text("a") + [1]), "too short"),
        (Self.connect() + [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "more than four bytes"),
        (Self.connect() + [0x30, 0xFF, 0xFF, 0xFF, 0x7F], "268435455 bytes, more than buffer_size"),
        (Self.connect() + [0xF0, 0], "unknown type"), (Self.connect() + [0x20, 2, 0, 0], "only servers send"),
        (Array("GET / HTTP/1.1\r\n\r\n".utf8), "did not begin with CONNECT"),
    ]

    @Test(arguments: ends)
    func whatMakesNoSenseEndsTheConnection(bytes: [UInt8], reason: String) {
        var session = Self.session()
        let outcome = Outcome(&session, bytes)
        #expect(outcome.isClosed && outcome.reason?.contains(reason) == true, "\(outcome.reason ?? "no reason")")
        #expect(Outcome(&session, Self.connect() + Self.publish("a", "{}")).records == [])
    }

    @Test
    func nonsenseNeverTraps() {
        var random = SeededRandom(seed: 3)
        let sound =
            Self.connect() + Self.publish("a/b", #"{"n":1}"#, quality: 1, id: 1)
            + Self.packet(8, 2, [0, 9] + Self.text("a") + [1])
            + Self.publish("t", #"{"x":{"y":[1,2]}}"#, quality: 2, id: 2)
        for round in 0..<5_000 {
            var bytes = round % 2 == 0 ? sound : (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            var session = Self.session(byteCountMax: 1_000)
            let piece = Int.random(in: 1...50, using: &random)
            let outcome = Outcome(&session, bytes, piece: piece)
            for record in outcome.records {
                let isSound = ByteSlice(record).withUnsafeBytes { (try? JSONCompact.compacted($0)) != nil }
                #expect(isSound, "\(record) of \(bytes)")
            }
        }
    }

    // MARK: over sockets

    private static func configuration(_ keys: String, _ world: AgentWorld) -> String {
        """
        [SERVICE]
            Flush 0.01
        [INPUT]
            Name mqtt
            Tag m
            Listen 127.0.0.1
            Port 0
        \(keys)
        [OUTPUT]
            Name file
            Match m
            Format plain
            Path \(world.folder.path)
            File out.jsonl
        """
    }

    @Test
    func aMessageIsOnDiskBeforeItIsAcknowledged() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(Self.configuration("", world))
            let client = try TestSocket(port: try #require((agent.inputs[0] as? MQTTInput)?.port))
            var answers: [UInt8] = []
            func wait(_ count: Int) throws {
                try world.turn("\(count) bytes") {
                    answers += client.receive() ?? []
                    return answers.count >= count
                }
            }
            client.send(Self.connect())
            try wait(4)
            client.send(Self.publish("a/b", #"{"n":1}"#, quality: 1, id: 5) + Self.packet(12, []))
            try wait(10)
            #expect(answers == [0x20, 2, 0, 0, 0x40, 2, 0, 5, 0xD0, 0])
            #expect(agent.store.failure == nil && agent.inputCounters[0].memoryByteCount == 0)
            #expect(try world.lines("out.jsonl", count: 1) == [#"{"topic":"a/b","n":1}"#])
            client.send(Self.packet(14, []))
            try world.turn("the end") { client.receive() == nil }
            agent.stop()
        }
    }

    @Test
    func aClientOfAnotherVersionIsAnsweredBeforeTheEnd() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let agent = try world.start(Self.configuration("", world))
            let client = try TestSocket(port: try #require((agent.inputs[0] as? MQTTInput)?.port))
            client.send(Self.connect(level: 5))
            var answer: [UInt8] = []
            try world.turn("the end") {
                guard let bytes = client.receive() else { return true }
                answer += bytes
                return false
            }
            #expect(answer == [0x20, 2, 0, 1])
            #expect(world.lines("agent.log").contains { $0.contains("version 5 of MQTT") })
            agent.stop()
        }
    }
}
