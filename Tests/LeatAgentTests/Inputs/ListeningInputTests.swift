import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The inputs that listen, with real sockets, and the file output behind them.
struct ListeningInputTests {
    private static let output = """
        [OUTPUT]
            Name file
            Match *
            Format plain
            Path FOLDER
            File out.jsonl
        """

    private static func withWorld(_ body: (AgentWorld) throws -> Void) throws {
        try withTemporaryFolder { folder in try body(try AgentWorld(folder)) }
    }

    private static func configuration(_ input: String, _ world: AgentWorld, output: String = Self.output) -> String {
        "[SERVICE]\n    Flush 0.01\n[INPUT]\n"
            + input.split(separator: "\n").map { "    \($0)\n" }.joined()
            + output.split(separator: "FOLDER", omittingEmptySubsequences: false).joined(separator: world.folder.path)
    }

    // MARK: tcp

    @Test
    func tcpTakesObjectsLinesAndWhatHasNoEnd() throws {
        try Self.withWorld { world in
            let agent = try world.start(
                Self.configuration("Name tcp\nListen 127.0.0.1\nPort 0\nSource_Address_Key from", world)
            )
            let socket = try TestSocket(port: try #require((agent.inputs[0] as? TCPInput)?.port))
            socket.send("{\"a\":1}{\"b\":2}\nplain \"text\"\n{\"c\":{\"d\":[1,2]}}")
            let lines = try world.lines("out.jsonl", count: 4)
            #expect(
                lines == [
                    #"{"a":1,"from":"127.0.0.1"}"#, #"{"b":2,"from":"127.0.0.1"}"#,
                    #"{"log":"plain \"text\"","from":"127.0.0.1"}"#, #"{"c":{"d":[1,2]},"from":"127.0.0.1"}"#,
                ]
            )
        }
    }

    @Test
    func tcpLinesEndWithAnySeparator() throws {
        try Self.withWorld { world in
            let agent = try world.start(
                Self.configuration("Name tcp\nListen 127.0.0.1\nPort 0\nFormat none\nSeparator ||", world)
            )
            let socket = try TestSocket(port: try #require((agent.inputs[0] as? TCPInput)?.port))
            for piece in ["one|", "|two", "||", "three"] {
                socket.send(piece)
                world.loop.turn(waitsAtMost: .milliseconds(20))
            }
            socket.finish()
            let lines = try world.lines("out.jsonl", count: 3)
            #expect(lines == [#"{"log":"one"}"#, #"{"log":"two"}"#, #"{"log":"three"}"#])
        }
    }

    // MARK: http

    private static func post(_ socket: TestSocket, _ path: String, _ type: String, _ body: [UInt8], _ more: String = "")
    {
        let head =
            "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\(more)\r\n"
        socket.send(Array(head.utf8) + body)
    }

    private static func answer(_ socket: TestSocket, _ world: AgentWorld) throws -> String {
        var text = ""
        try world.turn("an answer") {
            text += String(decoding: socket.receive() ?? [], as: UTF8.self)
            return text.contains("\r\n\r\n")
        }
        return text
    }

    @Test
    func httpAnswersWhenTheRecordsAreOnDisk() throws {
        try Self.withWorld { world in
            let output = """
                [OUTPUT]
                    Name file
                    Match *
                    Format out_file
                    Path FOLDER
                    File out.log
                """
            let agent = try world.start(
                Self.configuration(
                    "Name http\nListen 127.0.0.1\nPort 0\nSuccess_Header X-Custom yes\nAdd_Remote_Addr On",
                    world,
                    output: output
                )
            )
            let socket = try TestSocket(port: try #require((agent.inputs[0] as? HTTPInput)?.port))
            Self.post(socket, "/app.log/x", "application/json", Array(#"[{"a":1},{"b":{"c":"é"}}]"#.utf8))
            let first = try Self.answer(socket, world)
            #expect(first.hasPrefix("HTTP/1.1 201 Created\r\n"))
            #expect(first.contains("X-Custom: yes\r\n"))
            let gzip = ByteSlice(#"{"d":2}"#).withUnsafeBytes { Deflate.gzip($0) }
            Self.post(socket, "/", "application/json; charset=utf-8", gzip, "Content-Encoding: gzip\r\n")
            #expect(try Self.answer(socket, world).hasPrefix("HTTP/1.1 201"))
            Self.post(socket, "/f", "application/x-www-form-urlencoded", Array("k=a+b%21&n=1".utf8))
            #expect(try Self.answer(socket, world).hasPrefix("HTTP/1.1 201"))
            let lines = try world.lines("out.log", count: 4).map { line in
                line.replacing(#/\[\d+\.\d+, /#, with: "")
            }
            #expect(
                lines == [
                    #"app.log_x: {"a":1,"REMOTE_ADDR":"127.0.0.1"}]"#,
                    #"app.log_x: {"b":{"c":"é"},"REMOTE_ADDR":"127.0.0.1"}]"#,
                    #"http.0: {"d":2,"REMOTE_ADDR":"127.0.0.1"}]"#,
                    #"f: {"k":"a b!","n":"1","REMOTE_ADDR":"127.0.0.1"}]"#,
                ]
            )
        }
    }

    static let refusals: [(type: String, body: String, more: String, status: Int)] = [
        ("application/json", "{\"a\":", "", 400), ("application/json", "[{\"a\":1},2]", "", 400),
        ("text/plain", "x", "", 400), ("application/json", "", "", 400),
        ("application/json", "{}", "Content-Encoding: br\r\n", 415),
        ("application/json", "{}", "Content-Encoding: gzip\r\n", 400),
    ]

    @Test
    func httpRefusesWhatItCannotReadAsAWhole() throws {
        try Self.withWorld { world in
            let agent = try world.start(
                Self.configuration("Name http\nListen 127.0.0.1\nPort 0\nBuffer_Max_Size 1000", world)
            )
            let port = try #require((agent.inputs[0] as? HTTPInput)?.port)
            let socket = try TestSocket(port: port)
            for (type, body, more, status) in Self.refusals {
                Self.post(socket, "/", type, Array(body.utf8), more)
                #expect(try Self.answer(socket, world).hasPrefix("HTTP/1.1 \(status) "), "\(type) \(body)")
            }
            Self.post(socket, "/", "application/json", [UInt8](repeating: 0x20, count: 1_001))
            #expect(try Self.answer(socket, world).hasPrefix("HTTP/1.1 413 "))
            #expect(agent.inputCounters[0].events == 0)
        }
    }

    // MARK: syslog

    private static let rfc5424 =
        #"<34>1 2003-10-11T22:14:15.003Z host app 8710 ID47 [ex@32473 class="high"] it failed"#

    @Test
    func syslogOverTCPReadsBothFramings() throws {
        try Self.withWorld { world in
            let agent = try world.start(
                Self.configuration("Name syslog\nMode tcp\nListen 127.0.0.1\nPort 0", world)
            )
            let socket = try TestSocket(port: try #require((agent.inputs[0] as? SyslogInput)?.port))
            let stream =
                "\(Self.rfc5424.utf8.count) \(Self.rfc5424)<13>Oct 11 22:14:15 web nginx[12]: GET /\n11 <1>it: a\nxyno form\n"
            for byte in stream.utf8 {
                socket.send([byte])
                world.loop.turn(waitsAtMost: .zero)
            }
            let lines = try world.lines("out.jsonl", count: 4)
            #expect(
                lines == [
                    #"{"pri":"34","host":"host","ident":"app","pid":"8710","msgid":"ID47","extradata":"[ex@32473 class=\"high\"]","message":"it failed"}"#,
                    #"{"pri":"13","host":"web","ident":"nginx","pid":"12","message":"GET /"}"#,
                    #"{"pri":"1","ident":"it","message":"a\nxy"}"#,
                    #"{"log":"no form"}"#,
                ]
            )
        }
    }

    @Test
    func syslogDatagramsKeepTheirSender() throws {
        try Self.withWorld { world in
            let agent = try world.start(
                Self.configuration(
                    "Name syslog\nMode udp\nListen 127.0.0.1\nPort 0\nSource_Address_Key ip\nRaw_Message_Key raw",
                    world
                )
            )
            let socket = try TestSocket(
                port: try #require((agent.inputs[0] as? SyslogDatagramInput)?.port),
                isDatagram: true
            )
            socket.send("<13>Oct 11 22:14:15 web app: hi\n")
            let lines = try world.lines("out.jsonl", count: 1)
            #expect(
                lines == [
                    #"{"pri":"13","host":"web","ident":"app","message":"hi","raw":"<13>Oct 11 22:14:15 web app: hi","ip":"127.0.0.1"}"#
                ]
            )
        }
    }

    @Test(arguments: ["unix_udp", "unix_tcp"])
    func syslogTakesSocketsOfTheFileSystem(mode: String) throws {
        try Self.withWorld { world in
            let path = "\(world.folder.path)/s"
            let agent = try world.start(
                Self.configuration("Name syslog\nMode \(mode)\nPath \(path)\nUnix_Perm 0600", world)
            )
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let socket = try TestSocket(path: path, isDatagram: mode == "unix_udp")
            socket.send("<13>Oct 11 22:14:15 app: over a path\n")
            #expect(try world.lines("out.jsonl", count: 1)[0].contains("over a path"))
            agent.stop()
            #expect(stat(path, &status) != 0)
        }
    }

    @Test
    func aTooLongSyslogMessageIsCutAndTheNextOneIsWhole() throws {
        var framing = SyslogFraming(.either, byteCountMax: 10)
        var seen: [String] = []
        for piece in ["<1>0123456789abcdef", "ghi\n<2>next\n", "30 <3>456789012345", "678901234567890<4>z\n"] {
            ByteSlice(piece).withUnsafeBytes { framing.take($0) { seen.append(String(decoding: $0, as: UTF8.self)) } }
        }
        #expect(seen.first == "<1>0123456")
        #expect(seen.contains("<2>next"))
        #expect(seen.last == "<4>z")
    }
}
