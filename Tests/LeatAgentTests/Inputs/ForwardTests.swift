import Glibc
import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// The forward protocol: our output to our input, and what other senders write.
struct ForwardTests {
    private static func input(_ keys: String, _ world: AgentWorld) -> String {
        """
        [SERVICE]
            Flush 0.01
        [INPUT]
            Name forward
            Listen 127.0.0.1
            Port 0
        \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        [OUTPUT]
            Name file
            Match *
            Format out_file
            Path \(world.folder.path)
            File out.log
        """
    }

    private static func output(_ keys: String, port: Int) -> String {
        """
        [SERVICE]
            Flush 0.01
        [INPUT]
            Name dummy
            Tag from.dummy
            Dummy {"n":1,"nested":{"text":"é\\"x","list":[1,null,2.5]}}
            Samples 3
            Interval_Nsec 1000000
        [OUTPUT]
            Name forward
            Match *
            Host 127.0.0.1
            Port \(port)
        \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        """
    }

    private static func withoutTimes(_ lines: [String]) -> [String] {
        lines.map { $0.replacing(#/\[\d+\.\d+, /#, with: "[") }
    }

    static let pairs: [(input: String, output: String, tag: String)] = [
        ("", "", "from.dummy"), ("Tag_Prefix at.", "", "at.from.dummy"), ("Tag fixed", "Compress gzip", "fixed"),
        ("", "Tag x.$TAG[1]", "x.dummy"), ("", "Require_Ack_Response Off", "from.dummy"),
        ("Shared_Key secret\nSelf_Hostname server", "Shared_Key secret\nSelf_Hostname client", "from.dummy"),
        (
            "Shared_Key secret\nSecurity.Users alice pass word",
            "Shared_Key secret\nUsername alice\nPassword pass word",
            "from.dummy"
        ),
        ("Empty_Shared_Key On\nSecurity.Users bob pw", "Empty_Shared_Key On\nUsername bob\nPassword pw", "from.dummy"),
    ]

    @Test(arguments: pairs)
    func eventsArriveOnceUnderTheirTag(input: String, output: String, tag: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let receiver = try world.start(Self.input(input, world), name: "receiver")
            let port = try #require((receiver.inputs[0] as? ForwardInput)?.port)
            let sender = try world.start(Self.output(output, port: port), name: "sender")
            let lines = try world.lines("out.log", count: 3)
            let record = #"{"n":1,"nested":{"text":"é\"x","list":[1,null,2.5]}}"#
            #expect(Self.withoutTimes(lines) == [String](repeating: "\(tag): [\(record)]", count: 3))
            try world.turn("everything is acknowledged") { sender.queues[0]?.counters.deliveredEvents == 3 }
            #expect(receiver.inputCounters[0].events == 3)
        }
    }

    /// An acknowledged event that a filter holds is on disk: an agent that is killed then hands it on in its next life.
    @Test func whatAFilterHoldsIsDurableBeforeItIsAcknowledged() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let filter = "[FILTER]\n    Name multiline\n    Match *\n    Multiline.Parser java\n    Flush_ms 600000\n"
            let receiver = try world.start(Self.input("", world) + "\n" + filter, name: "receiver", state: "state")
            let port = try #require((receiver.inputs[0] as? ForwardInput)?.port)
            let text = Self.output("", port: port).replacing(/\{"n":.*\}/, with: #"{"log":"Error: x"}"#)
            let sender = try world.start(text.replacing("Samples 3", with: "Samples 1"), name: "sender")
            try world.turn("the event is acknowledged") { sender.queues[0]?.counters.deliveredEvents == 1 }
            #expect(world.lines("out.log") == [])
            // As after SIGKILL: nothing is told to stop, and another process begins on the same folder.
            for input in receiver.inputs { input.stop() }
            try world.start(Self.input("", world), name: "next", state: "state")
            #expect(Self.withoutTimes(try world.lines("out.log", count: 1)) == [#"from.dummy: [{"log":"Error: x"}]"#])
        }
    }

    static let strangers: [(input: String, output: String)] = [
        ("Shared_Key secret", "Shared_Key other"),
        ("Shared_Key secret\nSecurity.Users alice right", "Shared_Key secret\nUsername alice\nPassword wrong"),
    ]

    @Test(arguments: strangers)
    func strangersDeliverNothingAndLoseNothing(input: String, output: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let receiver = try world.start(Self.input(input, world), name: "receiver")
            let port = try #require((receiver.inputs[0] as? ForwardInput)?.port)
            let sender = try world.start(Self.output(output, port: port), name: "sender")
            try world.turn("a failed try") { (sender.queues[0]?.counters.retries ?? 0) >= 2 }
            #expect(receiver.inputCounters[0].events == 0)
            let counters = try #require(sender.queues[0]?.counters)
            #expect(world.lines("agent.log").contains { $0.contains("does not accept us") && $0.contains("mismatch") })
            #expect(counters.deliveredEvents == 0 && counters.bufferedEvents == counters.acceptedEvents)
        }
    }

    private static func message(_ json: String) -> [UInt8] {
        var bytes: [UInt8] = []
        ByteSlice(json).withUnsafeBytes { MessagePackWriter.append(json: $0, to: &bytes) }
        return bytes
    }

    @Test
    func allFormsOfMessagesAreRead() throws {
        var session = ForwardSession(ForwardSecurity(), byteCountMax: 1_000_000)
        var stream = Self.message(#"["m",1700000000,{"a":1}]"#)
        stream += Self.message(#"["f",[[1700000000,{"a":2}],[1700000001,{"a":3}]],{"chunk":"c1","size":2}]"#)
        // [[EventTime, metadata], record], as newer senders write.
        var entry: [UInt8] = [0x92, 0x92]
        MessagePackWriter.append(time: 1_700_000_002_123_456_789, asInteger: false, to: &entry)
        entry += [0x80] + Self.message(#"{"a":4}"#)
        for compression in ["", "gzip", "zstd"] {
            let packed = ByteSlice(entry + entry).withUnsafeBytes { bytes in
                compression == "gzip"
                    ? Deflate.gzip(bytes) : compression == "zstd" ? Zstandard.compress(bytes) : Array(bytes)
            }
            stream += [0x93] + Self.message("\"p\"")
            MessagePackWriter.append(binary: packed, to: &stream)
            stream += Self.message(compression.isEmpty ? "{}" : #"{"compressed":"\#(compression)"}"#)
        }
        var seen: [String] = []
        for byte in stream {
            for action in ByteSlice([byte]).withUnsafeBytes({ session.take($0, now: Timestamp(nanoseconds: 1)) }) {
                guard case .accept(let tag, let events, let chunk) = action else {
                    Issue.record("\(action)")
                    continue
                }
                seen.append("\(tag) \(events.times) \(FilterRun.records(events)) \(chunk ?? "-")")
            }
        }
        let packed = #"p [1700000002123456789, 1700000002123456789] ["{\"a\":4}", "{\"a\":4}"] -"#
        #expect(
            seen == [
                #"m [1700000000000000000] ["{\"a\":1}"] -"#,
                #"f [1700000000000000000, 1700000001000000000] ["{\"a\":2}", "{\"a\":3}"] c1"#, packed, packed, packed,
            ]
        )
    }

    static let nonsense: [(bytes: [UInt8], reason: String)] = [
        ([0x01], "no forward message"), (Array("GET / HTTP/1.1\r\n".utf8), "no forward message"),
        (message(#"["t",1,2]"#), "a record is no map"), (message(#"["t",[[1]]]"#), "an entry has two parts"),
        ([0xC1], "begins no value"),
    ]

    @Test(arguments: nonsense)
    func nonsenseEndsTheConnection(bytes: [UInt8], reason: String) {
        var session = ForwardSession(ForwardSecurity(), byteCountMax: 100)
        let actions = ByteSlice(bytes).withUnsafeBytes { session.take($0, now: Timestamp(nanoseconds: 0)) }
        guard case .close(_, let text)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains(reason))
    }

    @Test
    func aMessageBeyondTheLimitEndsTheConnection() {
        var session = ForwardSession(ForwardSecurity(), byteCountMax: 100)
        let bytes = [0x93, 0xA1, 0x74, 0xC6, 0, 1, 0, 0] + [UInt8](repeating: 0, count: 200)
        let actions = ByteSlice(bytes).withUnsafeBytes { session.take($0, now: Timestamp(nanoseconds: 0)) }
        guard case .close(_, let text)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(text.contains("buffer_max_size"))
    }
}
