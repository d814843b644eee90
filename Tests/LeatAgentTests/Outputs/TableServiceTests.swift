import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// The outputs `kafka-rest` and `td`, as their servers see them.
struct TableServiceTests {
    /// A server that keeps requests, and answers with the next of some texts, the last one for ever.
    private final class Server {
        private(set) var requests: [ReceivedRequest] = []
        private var answers: [String]
        private var listener: HTTPListener?

        init(_ loop: EventLoop, answers: [String]) throws {
            self.answers = answers
            self.listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: loop) {
                [weak self] request, respond in
                guard let self else { return }
                self.requests.append(request)
                respond(.json(self.answers.count > 1 ? self.answers.removeFirst() : self.answers[0]))
            }
        }

        var port: Int { self.listener?.port ?? 0 }

        var bodies: [String] { self.requests.map { String(decoding: $0.body, as: UTF8.self) } }
    }

    /// Sends records, which lie in a file, through an output.
    private static func send(_ records: [String], _ keys: String, _ server: Server, _ world: AgentWorld) throws -> Agent
    {
        try world.folder.write("in/x.log", records.map { $0 + "\n" }.joined())
        return try world.start(
            """
            [SERVICE]
                Flush 0.01
                scheduler.base 0.001
                scheduler.cap 0.002
            [PARSER]
                Name json
                Format json
                Time_Key at
                Time_Format %s.%L
            [INPUT]
                Name tail
                Tag t.x
                Path \(world.folder.path)/in/*.log
                Read_from_Head On
                Parser json
            [OUTPUT]
                Match *
                Host 127.0.0.1
                Port \(server.port)
            \(keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
            """
        )
    }

    private static let records = [#"{"at":"1700000000.5","n":1}"#, #"{"at":"1700000001.25","@timestamp":"own"}"#]

    static let kafkaBodies: [(keys: String, path: String, body: String)] = [
        (
            "", "/topics/fluent-bit",
            #"{"records":[{"value":{"@timestamp":"2023-11-14T22:13:20.500000000Z","n":1}},{"value":{"@timestamp":"own"}}]}"#
        ),
        (
            "Topic logs\nUrl_Path /proxy/\nPartition 3\nMessage_Key k\nTime_Key t\nTime_Key_Format %H:%M\nInclude_Tag_Key On\nTag_Key _tag",
            "/proxy/topics/logs",
            #"{"records":[{"partition":3,"key":"k","value":{"t":"22:13.500000000Z","_tag":"t.x","n":1}},{"partition":3,"key":"k","value":{"t":"22:13.250000000Z","_tag":"t.x","@timestamp":"own"}}]}"#
        ),
    ]

    @Test(arguments: kafkaBodies)
    func kafkaRestSendsTheProxysForm(keys: String, path: String, body: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try Server(world.loop, answers: [#"{"offsets":[{"error_code":null},{"error_code":null}]}"#])
            let agent = try Self.send(Self.records, "Name kafka-rest\nHttp_User u\n\(keys)", server, world)
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 2 }
            #expect(server.requests[0].path == path)
            #expect(server.requests[0].headers["content-type"] == "application/vnd.kafka.json.v2+json")
            #expect(server.requests[0].headers["authorization"] == "Basic dTo=")
            #expect(server.bodies == [body])
            agent.stop()
        }
    }

    @Test
    func whatKafkaDidNotTakeGoesAgainAndWhatItNeverTakesIsADeadLetter() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try Server(
                world.loop,
                answers: [
                    #"{"key_schema_id":null, "offsets": [{"partition":0,"offset":1,"error_code":null,"error":null},{"error_code":2,"error":"no leader"},{"error_code":1,"error":"too large"}]}"#,
                    #"{"offsets":[{"partition":0,"offset":2,"error_code":null,"error":null}]}"#,
                ]
            )
            let records = (1...3).map { #"{"at":"1700000000.0","n":\#($0)}"# }
            let agent = try Self.send(records, "Name kafka-rest\nTime_Key t", server, world)
            try world.turn("both that can be") { agent.queues[0]?.counters.deliveredEvents == 2 }
            try world.turn("the dead letter") { agent.queues[0]?.counters.rejectedEvents == 1 }
            #expect(server.bodies.count == 2)
            #expect(server.bodies[1].contains(#""n":2"#) && !server.bodies[1].contains(#""n":1"#))
            agent.stop()
        }
    }

    @Test(arguments: ["", "x", "{", "{}", "[]", #"{"offsets":1}"#, #"{"offsets":["#, #"{"offsets":[{},1,"]}"#])
    func anAnswerWithoutOffsetsNamesNoFault(answer: String) throws {
        let form = KafkaRestForm(timeFormat: try TimeFormat("%s"))
        let result = ByteSlice(answer).withUnsafeBytes { form.result(of: $0) }
        switch result {
        case nil, .delivered: break
        default: Issue.record("\(answer) is no answer of the proxy")
        }
    }

    @Test
    func treasureDataGetsMapsWithTheirTime() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try Server(world.loop, answers: ["{}"])
            let keys = "Name td\nAPI 1/abc\nDatabase d\nTable t\nTLS Off"
            let records = [
                #"{"at":"1700000000.5","n":1}"#, #"{"at":"1700000001.5","time":5}"#,
                #"{"at":"1700000002.5","time":"x"}"#,
            ]
            let agent = try Self.send(records, keys, server, world)
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 3 }
            let request = server.requests[0]
            #expect(request.method == "PUT" && request.path == "/v3/table/import/d/t/msgpack.gz")
            #expect(request.headers["authorization"] == "TD1 1/abc")
            #expect(request.headers["content-type"] == "application/gzip")
            #expect(request.headers["content-encoding"] == nil)
            var maps: [UInt8] = []
            try request.body.withUnsafeBytes { body in
                try GzipStream().expand(body) { piece in
                    maps.append(contentsOf: piece)
                    return true
                }
            }
            var expected: [UInt8] = []
            for map in [#"{"n":1,"time":1700000000}"#, #"{"time":5}"#, #"{"time":1700000002}"#] {
                ByteSlice(map).withUnsafeBytes { MessagePackWriter.append(json: $0, to: &expected) }
            }
            #expect(maps == expected)
            agent.stop()
        }
    }

    @Test
    func treasureDataNeedsItsKeys() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let problems = try world.problems(of: "[OUTPUT]\n    Name td\n    Match *\n    Database d\n    Table t\n")
            #expect(problems.contains("the output td needs api"), "\(problems)")
            #expect(TreasureDataForm.host(region: "JP") == "api.treasuredata.co.jp")
            #expect(TreasureDataForm.host(region: nil) == "api.treasuredata.com")
        }
    }
}
