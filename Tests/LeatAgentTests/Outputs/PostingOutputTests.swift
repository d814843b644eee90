import Glibc
import LeatCore
import LeatParsing
import LeatTesting
import Testing

@testable import LeatAgent

/// What the outputs over HTTP send, as a server sees it.
struct PostingOutputTests {
    /// A server that keeps requests, and answers with `status`.
    private final class CaptureServer {
        private(set) var requests: [ReceivedRequest] = []
        var status = 200
        private let answer: String
        private var listener: HTTPListener?

        init(_ loop: EventLoop, answer: String = "") throws {
            self.answer = answer
            self.listener = try HTTPListener(StreamServer.Options(host: "127.0.0.1"), loop: loop) {
                [weak self] request, respond in
                self?.requests.append(request)
                respond(.json(self?.answer ?? "", status: self?.status ?? 500))
            }
        }

        var port: Int { self.listener?.port ?? 0 }

        func close() { self.listener?.close() }

        var bodies: [String] { self.requests.map { String(decoding: $0.body, as: UTF8.self) } }
    }

    private static let records = [
        #"{"log":"a\"b","stream":"stdout","n":1,"kubernetes":{"pod_name":"web-1","labels":{"app.kubernetes.io/name":"web"}}}"#,
        #"{"log":"c","stream":"stderr","n":2}"#,
    ]

    static let bodies: [(output: String, path: String, type: String, body: String)] = [
        (
            "Name http\nJson_Date_Key false", "/", "application/json",
            #"[{"log":"a\"b","stream":"stdout","n":1,"kubernetes":{"pod_name":"web-1","labels":{"app.kubernetes.io/name":"web"}}},{"log":"c","stream":"stderr","n":2}]"#
        ),
        (
            "Name http\nFormat json_lines\nJson_Date_Key t\nUri x/y", "/x/y", "application/x-ndjson",
            #"""
            {"t":TIME,"log":"a\"b","stream":"stdout","n":1,"kubernetes":{"pod_name":"web-1","labels":{"app.kubernetes.io/name":"web"}}}
            {"t":TIME,"log":"c","stream":"stderr","n":2}

            """#
        ),
        (
            "Name http\nFormat gelf\nGelf_Short_Message_Key log\nGelf_Host_Key stream", "/", "application/json",
            #"""
            {"version":"1.1","short_message":"a\"b","host":"stdout","_n":1,"_kubernetes_pod_name":"web-1","_kubernetes_labels_app.kubernetes.io/name":"web","timestamp":TIME}
            {"version":"1.1","short_message":"c","host":"stderr","_n":2,"timestamp":TIME}

            """#
        ),
        (
            "Name splunk\nSplunk_Token x\nEvent_Host $stream\nEvent_Index main\nEvent_Field pod $kubernetes['pod_name']\nEvent_Field site north \"1\"",
            "/services/collector/event", "application/json",
            #"{"time":TIME,"host":"stdout","index":"main","fields":{"pod":"web-1","site":"north \"1\""},"event":{"log":"a\"b","stream":"stdout","n":1,"kubernetes":{"pod_name":"web-1","labels":{"app.kubernetes.io/name":"web"}}}}{"time":TIME,"host":"stderr","index":"main","fields":{"site":"north \"1\""},"event":{"log":"c","stream":"stderr","n":2}}"#
        ),
        (
            "Name splunk\nSplunk_Token x\nEvent_Key $log\nEvent_Sourcetype_Key $missing\nEvent_Sourcetype st",
            "/services/collector/event", "application/json",
            #"{"time":TIME,"sourcetype":"st","event":"a\"b"}{"time":TIME,"sourcetype":"st","event":"c"}"#
        ),
        (
            "Name splunk\nSplunk_Token x\nEvent_Key $log\nAuto_Extract_Timestamp On", "/services/collector/event",
            "application/json", #"{"event":"a\"b"}{"event":"c"}"#
        ),
        (
            "Name splunk\nSplunk_Token x\nSplunk_Send_Raw On", "/services/collector/event", "application/json",
            #"{"log":"a\"b","stream":"stdout","n":1,"kubernetes":{"pod_name":"web-1","labels":{"app.kubernetes.io/name":"web"}}}{"log":"c","stream":"stderr","n":2}"#
        ),
        (
            "Name loki\nLabels job=x, pod=$kubernetes['pod_name'], $stream\nRemove_Keys n,$kubernetes['labels']",
            "/loki/api/v1/push", "application/json",
            #"{"streams":[{"stream":{"job":"x","pod":"web-1","stream":"stdout"},"values":[["TIME","{\"log\":\"a\\\"b\",\"kubernetes\":{}}"]]},{"stream":{"job":"x","stream":"stderr"},"values":[["TIME","{\"log\":\"c\"}"]]}]}"#
        ),
        (
            "Name loki\nAuto_Kubernetes_Labels On\nRemove_Keys kubernetes,stream,n\nDrop_Single_Key raw",
            "/loki/api/v1/push", "application/json",
            #"{"streams":[{"stream":{"app_kubernetes_io_name":"web"},"values":[["TIME","a\"b"]]},{"stream":{},"values":[["TIME","c"]]}]}"#
        ),
        (
            "Name loki\nLine_Format key_value\nRemove_Keys kubernetes\nStructured_Metadata pod=$kubernetes['pod_name']",
            "/loki/api/v1/push", "application/json",
            #"{"streams":[{"stream":{"job":"fluent-bit"},"values":[["TIME","log=\"a\\\"b\" stream=\"stdout\" n=1",{"pod":"web-1"}],["TIME","log=\"c\" stream=\"stderr\" n=2",{}]]}]}"#
        ),
    ]

    @Test(arguments: bodies)
    func bodiesAreThoseOfTheProtocol(output: String, path: String, type: String, body: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            let agent = try world.send(Self.records, through: "\(output)\nHost 127.0.0.1\nPort \(server.port)")
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 2 }
            let request = try #require(server.requests.first)
            #expect(request.path == path)
            #expect(request.headers["content-type"] == type)
            let text = server.bodies.joined().replacing(#/"?1[0-9]{9}\.[0-9]{6}|1[0-9]{18}/#) { _ in "TIME" }
            #expect(text == body)
            server.close()
            agent.stop()
        }
    }

    @Test
    func headersAndCredentialsAreSent() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            let cases: [(keys: String, header: String, value: String)] = [
                ("Name http\nHttp_User u\nHttp_Passwd p w", "authorization", "Basic dTpwIHc="),
                ("Name http\nHeader X-A b c\nHeader_Tag X-Tag", "x-a", "b c"),
                ("Name http\nHeader_Tag X-Tag", "x-tag", "t.x"),
                ("Name http\nHeader Content-Type text/x\nFormat msgpack", "content-type", "text/x"),
                ("Name http\nFormat msgpack", "content-type", "application/msgpack"),
                ("Name http\nBearer_Token tok", "authorization", "Bearer tok"),
                ("Name es\nHttp_API_Key key", "authorization", "ApiKey key"),
                ("Name es\nCloud_Auth u:p", "authorization", "Basic dTpw"),
                ("Name splunk\nSplunk_Token tok\nChannel c1", "authorization", "Splunk tok"),
                ("Name splunk\nSplunk_Token tok\nChannel c1", "x-splunk-request-channel", "c1"),
                ("Name loki\nTenant_ID me", "x-scope-orgid", "me"),
                ("Name loki\nTenant_ID_Key $stream", "x-scope-orgid", "stdout"),
                ("Name http\nCompress gzip", "content-encoding", "gzip"),
                ("Name http\nCompress zstd", "content-encoding", "zstd"),
                ("Name es\nCompress gzip", "content-encoding", "gzip"),
                ("Name opensearch\nCompress zstd", "content-encoding", "zstd"),
            ]
            for (index, (keys, header, value)) in cases.enumerated() {
                let before = server.requests.count
                let agent = try world.send(
                    Self.records,
                    through: "\(keys)\nHost 127.0.0.1\nPort \(server.port)",
                    name: "agent\(index)"
                )
                // The agent before may have sent its events again meanwhile.
                try world.turn("a request of \(keys)") {
                    server.requests.dropFirst(before).contains { $0.headers[header] == value }
                }
                agent.stop()
            }
            server.close()
        }
    }

    @Test
    func eventsOfOneTenantGoTogether() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            let records = ["a", "a", "b", "a"].map { "{\"tenant\":\"\($0)\"}" }
            let agent = try world.send(
                records,
                through: "Name loki\nTenant_ID_Key $tenant\nHost 127.0.0.1\nPort \(server.port)\nWorkers 1"
            )
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 4 }
            #expect(server.requests.map { $0.headers["x-scope-orgid"] } == ["a", "b", "a"])
            agent.stop()
            server.close()
        }
    }

    @Test
    func anUpdateWithoutIDIsKeptAsADeadLetter() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop, answer: #"{"errors":false}"#)
            let records = [#"{"id":"a"}"#, #"{"n":1}"#, #"{"id":"b"}"#, #"{"id":""}"#]
            let keys = "Write_Operation update\nId_Key id\nSuppress_Type_Name On"
            let output = "Name es\n\(keys)\nHost 127.0.0.1\nPort \(server.port)"
            let agent = try world.send(records, through: output)
            try world.turn("settled") { agent.queues[0]?.isDone == true && server.requests.count == 1 }
            let ids = server.bodies[0].matches(of: /"_id":"(.*?)"/).map { String($0.output.1) }
            #expect(ids == ["a", "b"])
            #expect(agent.queues[0]?.counters.deliveredEvents == 2)
            #expect(agent.queues[0]?.counters.rejectedEvents == 2)
            let letters = world.lines("state-agent/dead-letter/es.0.ndjson")
            #expect(letters.count == 2 && letters.allSatisfy { $0.contains("missing_id") })
            agent.stop()
            server.close()
        }
    }

    @Test(arguments: ["update", "upsert"])
    func anOperationThatNeedsIDsIsRefusedWithoutThem(operation: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let keys = "[OUTPUT]\nName opensearch\nMatch *\nWrite_Operation \(operation)"
            let problem = try world.problems(of: keys)
            #expect(problem.contains("Write_Operation \(operation) needs ids") && problem.contains("Id_Key"))
            #expect(try world.problems(of: keys + "\nGenerate_ID On") == "")
        }
    }

    @Test
    func messagePackBodiesAreEvents() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            let output = "Name http\nFormat msgpack\nHost 127.0.0.1\nPort \(server.port)"
            let agent = try world.send(Self.records, through: output)
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 2 }
            var json: [UInt8] = []
            try ByteSlice(server.requests[0].body).withUnsafeBytes { bytes throws(MessagePackReader.Failure) in
                var reader = MessagePackReader(bytes)
                while !reader.isAtEnd { try reader.appendJSON(to: &json) }
            }
            let text = String(decoding: json, as: UTF8.self).replacing(#/"[0-9a-f]{16}"/#) { _ in "TIME" }
            #expect(text.hasPrefix(#"[[TIME,{}],{"log":"a\"b","stream":"stdout","n":1,"#))
            #expect(text.hasSuffix(#"[[TIME,{}],{"log":"c","stream":"stderr","n":2}]"#))
            agent.stop()
            server.close()
        }
    }

    @Test
    func aServerThatIsGoneLeavesItsEventsToTheOthers() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let servers = try (0..<3).map { _ in try CaptureServer(world.loop) }
            let nodes = servers.enumerated().map {
                "[NODE]\n    Name n\($0)\n    Host 127.0.0.1\n    Port \($1.port)\n"
            }
            let upstream = try folder.write("upstream.conf", "[UPSTREAM]\n    Name u\n" + nodes.joined())
            servers[1].close()
            let agent = try world.start(
                """
                [SERVICE]
                    Flush 0.001
                [INPUT]
                    Name dummy
                    Samples 40
                    Interval_Nsec 2000000
                [OUTPUT]
                    Name http
                    Match *
                    Upstream \(upstream)
                    Workers 1
                """
            )
            try world.turn("delivered") { agent.queues[0]?.counters.deliveredEvents == 40 }
            #expect(agent.queues[0]?.counters.errors == 0)
            #expect(!servers[0].requests.isEmpty && !servers[2].requests.isEmpty)
            let seen = servers.map { $0.bodies.joined() }.joined().split(separator: "\"message\"").count - 1
            #expect(seen == 40)
            agent.stop()
            for server in servers { server.close() }
        }
    }

    static let answers: [(status: Int, isRejected: Bool)] = [
        (400, true), (413, true), (429, false), (401, false), (500, false),
    ]

    @Test(arguments: answers)
    func refusedEventsAreKeptWithTheReasonAndOthersGoAgain(status: Int, isRejected: Bool) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            server.status = status
            let agent = try world.send(Self.records, through: "Name loki\nHost 127.0.0.1\nPort \(server.port)")
            let counters = try #require(agent.queues[0]?.counters)
            try world.turn("an outcome") { isRejected ? counters.rejectedEvents == 2 : counters.retries > 0 }
            if isRejected {
                let lines = world.lines("state-agent/dead-letter/loki.0.ndjson")
                #expect(lines.count == 2 && lines.allSatisfy { $0.contains("http_\(status)") })
            } else {
                server.status = 204
                try world.turn("delivered") { counters.deliveredEvents == 2 }
            }
            #expect(counters.acceptedEvents == counters.deliveredEvents + counters.rejectedEvents)
            agent.stop()
            server.close()
        }
    }

    @Test
    func fieldsAreTheBodyAndTheHeadersOfARequestOfTheirOwn() throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let server = try CaptureServer(world.loop)
            let records = [
                #"{"b":"one\ntwo","h":{"X-A":"1","Content-Type":"text/x","Host":"evil","bad name":"x","X-N":7}}"#,
                #"{"h":{}}"#, #"{"b":"three","h":{"X-A":"a\r\nX-Evil: 1"}}"#, #"{"b":5,"h":{}}"#, #"{"b":"x","h":"y"}"#,
            ]
            let agent = try world.send(
                records,
                through: """
                    Name http
                    Body_Key $b
                    Headers_Key $h
                    Header_Tag X-Tag
                    Host 127.0.0.1
                    Port \(server.port)
                    Workers 1
                    """
            )
            try world.turn("settled") { agent.queues[0]?.isDone == true && server.requests.count == 2 }
            #expect(server.bodies == ["one\ntwo", "three"])
            let headers = server.requests.map(\.headers)
            #expect(headers.map { $0["x-a"] } == ["1", "a  X-Evil: 1"])
            #expect(headers.map { $0["x-tag"] } == ["t.x", "t.x"])
            #expect(headers.map { $0["content-type"] } == ["text/x", "application/json"])
            #expect(headers[0]["x-n"] == "7" && headers[0]["host"] != "evil" && headers[0]["bad name"] == nil)
            #expect(agent.queues[0]?.counters.rejectedEvents == 3)
            let letters = world.lines("state-agent/dead-letter/http.0.ndjson")
            #expect(letters.map { $0.contains("missing_body") } == [true, true, false])
            agent.stop()
            server.close()
        }
    }

    static let refusals: [(keys: String, problem: String)] = [
        ("Name http\nBody_Key b", "body_key needs headers_key"),
        ("Name http\nHeaders_Key b", "headers_key needs body_key"),
        ("Name es\nRetry_Limit abc", "'abc' is no value of retry_limit: it must be a number of tries"),
        ("Name null\nRetry_Limit -1", "'-1' is no value of retry_limit"), ("Name es\nRetry_Limit no_limits", ""),
        ("Name es\nRetry_Limit False", ""), ("Name es\nRetry_Limit no_retries", ""), ("Name es\nRetry_Limit 0", ""),
        (
            "Name http\noauth2.enable On\noauth2.client_id x\noauth2.client_secret x",
            "oauth2.enable needs oauth2.token_url"
        ),
        (
            "Name http\noauth2.enable On\noauth2.token_url x\noauth2.client_id x\noauth2.client_secret x",
            "'x' is no address"
        ),
        ("Name http\noauth2.auth_method private_key_jwt", "oauth2.auth_method: it must be basic or post"),
        ("Name http\nProxy proxy:3128", "'proxy:3128' is no proxy"),
        ("Name es\nAWS_Auth Off\nAWS_Region eu-1", ""),
        ("Name file\nPath $TAG/x", "a path must begin with a folder"),
        ("Name file\nFile x-$TAG\nOn_Missing_Field fallback", "on_missing_field fallback needs a fallback_file"),
        ("Name file\nOn_Limit_Reached perhaps", "'perhaps' is no value of on_limit_reached"),
        ("Name file\nRotate On\nRotate_Max_Files 0", "rotate_max_files must be more than 0"),
        ("Name file\nEnable_Strftime On\nFile %q", "unknown conversion '%q'"),
    ]

    @Test(arguments: refusals)
    func whatCannotWorkIsRefused(keys: String, problem: String) throws {
        try withTemporaryFolder { folder in
            let world = try AgentWorld(folder)
            let found = try world.problems(of: "[OUTPUT]\nMatch *\n\(keys)")
            #expect(problem.isEmpty ? found.isEmpty : found.contains(problem), "\(found)")
        }
    }

    @Test
    func openTelemetryHasSeverityAndTraceOfTheRecord() throws {
        var form = OTLPForm()
        form.severityText = FieldPath("level")
        form.severityNumber = FieldPath("n")
        form.traceID = FieldPath("$t['id']")
        form.spanID = FieldPath("s")
        let trace = String(repeating: "0a", count: 16)
        let good = form.context(of: #""level":"warn","n":13,"t":{"id":"\#(trace)"},"s":"00112233445566ff""#)
        let expected: [UInt8] =
            [0x10, 13, 0x1A, 4] + Array("warn".utf8) + [0x4A, 16] + [UInt8](repeating: 0x0A, count: 16)
            + [0x52, 8, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0xFF]
        #expect(good == expected)
        // Not in the form that OTLP wants.
        #expect(form.context(of: #""level":5,"n":25,"t":{"id":"0a"},"s":"zz112233445566ff""#) == [])
        #expect(form.context(of: #""n":"13""#) == [])
    }
}

extension OTLPForm {
    /// What a record says of its severity and trace, as protobuf.
    fileprivate func context(of members: String) -> [UInt8] {
        var bytes: [UInt8] = []
        Array(members.utf8).withUnsafeBytes { self.appendContext(of: $0, to: &bytes) }
        return bytes
    }
}
