import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

@Suite struct CommandTests {
    /// A live tail has no end at which its columns would be known.
    @Test func liveRowsAreWrittenAsTheyCome() async throws {
        let row = #"{"a":"1","b":"x,y"}"#
        for (format, columns, text) in [
            (AnswerFormat.csv, ["b", "a"], "b,a\n\"x,y\",1\n"), (.json, [], row + "\n"), (.table, [], "a=1 b=x,y\n"),
        ] {
            var writer = format.liveWriter(terminal: .pipe, isFolded: true, columns: columns)
            var output = OutputStream()
            try Array(row.utf8).withUnsafeBytes { try writer.write($0, to: &output) }
            #expect(String(decoding: output.takeBytes(), as: UTF8.self) == text)
        }
        #expect(QueryCheck.columns("x | select([b, a])") == ["b", "a"])
        let address = try #require(ServerAddress("localhost:1"))
        var tail = TailCommand(text: "x", settings: ShellSettings(server: address))
        tail.format = .csv
        await #expect {
            try await tail.run(terminal: .pipe)
        } throws: { error in
            (error as? CommandError)?.status == .usage && "\(error)".contains("select([…])")
        }
    }

    @Test func tailFiltersAreAddedBeforeTheQuery() {
        let settings = ShellSettings(server: ServerAddress("a") ?? Self.address)
        var command = TailCommand(text: "level=error", settings: settings)
        command.included = ["a \"b\""]
        command.excluded = ["healthz"]
        #expect(command.filteredText == #""a \"b\"" and not "healthz" | level=error"#)
    }

    private static let address: ServerAddress = {
        guard let address = ServerAddress("localhost") else { preconditionFailure("localhost is an address") }
        return address
    }()

    @Test func bulkBodiesHaveAnActionForEachDocument() {
        var body = BulkBody(isBulk: false)
        for line in ["{\"a\":1}", "plain \"text\"", "", "{broken"] {
            Array(line.utf8).withUnsafeBytes { body.add($0) }
        }
        #expect(body.documentCount == 3)
        #expect(
            String(decoding: body.bytes, as: UTF8.self) == """
                {"create":{}}
                {"a":1}
                {"create":{}}
                {"message":"plain \\"text\\""}
                {"create":{}}
                {"message":"{broken"}

                """
        )
    }

    @Test func linesForAParserAreTexts() {
        var body = BulkBody(isBulk: false, isForParser: true)
        Array(#"{"a":1}"#.utf8).withUnsafeBytes { body.add($0) }
        #expect(String(decoding: body.bytes, as: UTF8.self) == "{\"create\":{}}\n{\"@rawstring\":\"{\\\"a\\\":1}\"}\n")
    }

    static let parsedLines: [(lines: String, documents: [String])] = [
        (
            "2026-11-20T12:00:00.123456789Z stdout F {\"level\":\"info\",\"msg\":\"up\"}\n"
                + "2026-11-20T12:00:01Z stderr P one \n2026-11-20T12:00:02Z stderr F line\n",
            [
                #"{"@timestamp":"2026-11-20T12:00:00.123456789Z","stream":"stdout","log":"{\"level\":\"info\",\"msg\":\"up\"}","#
                    + #""level":"info","msg":"up"}"#,
                #"{"@timestamp":"2026-11-20T12:00:01.000000000Z","stream":"stderr","log":"one line"}"#,
            ]
        ),
        (
            "level=info msg=\"all well\"\nlevel=warn msg=late n=2\n",
            [
                #"{"level":"info","msg":"all well","@rawstring":"level=info msg=\"all well\""}"#,
                #"{"level":"warn","msg":"late","n":"2","@rawstring":"level=warn msg=late n=2"}"#,
            ]
        ),
        ("plain words\n", [#"{"message":"plain words"}"#]),
    ]

    @Test(arguments: parsedLines)
    func linesAreSentWithTheirTimesAndFields(lines: String, documents: [String]) async throws {
        let server = CannedServer { _ in .reply(status: 200, body: #"{"errors":false,"items":[]}"#) }
        defer { server.stop() }
        try await withTemporaryFolder { folder in
            let path = try folder.write("app.log", lines)
            let command = IngestCommand(path: path, settings: try AdministrationTests.settings(server))
            #expect(try await command.run() == .success)
        }
        let body = try #require(server.requests.first).body
        let sent = body.split(separator: "\n").map(String.init)
        #expect(sent.enumerated().filter { $0.offset % 2 == 1 }.map(\.element) == documents)
    }

    @Test func realParserScriptsPassTheirTests() throws {
        guard let path = SharedData.path("data/parsers/dev.jsonl") else { return }
        let status = try ParserTestCommand(paths: [], jsonlPath: path).run()
        #expect(status == .success)
    }

    @Test func parserTestsTellWhatIsWrong() throws {
        let yaml = """
            name: demo
            script: |
              parseJson() | kind := "x"
            tagFields: [kind]
            testCases:
              - event: {rawString: '{"a":"1"}'}
                outputAssertions:
                  - outputEventIndex: 0
                    assertions: {fieldsHaveValues: {a: "1", "#kind": x}, fieldsNotPresent: [b]}
              - event: {rawString: '{"a":"2"}'}
                outputAssertions:
                  - assertions: {fieldsHaveValues: {a: "1"}}
            """
        let parser = try ParserDefinition(yaml: yaml, path: "demo.yaml")
        #expect(ParserTester.failures(of: parser) == ["case 2: 'a' is '2', not '1'"])
    }

    @Test func manualHasAPagePerCommand() throws {
        let description = """
            {"command":{"commandName":"leat","abstract":"Ask.","arguments":[],"subcommands":[{"commandName":"query",
            "abstract":"Run.","arguments":[{"kind":"option","names":[{"kind":"long","name":"start"}],"valueName":"time",
            "abstract":"First.","shouldDisplay":true}]}]}}
            """
        let pages = try ManualCommand.pages(description)
        #expect(pages.map(\.name) == ["leat", "leat-query"])
        #expect(pages[1].text.contains(".B \\-\\-start <time>\nFirst.\n"))
    }

    static let moments: [(text: String, nanoseconds: Int64?)] = [
        ("now", 1_000_000_000_000_000), ("1m", 999_940_000_000_000), ("1.5s", 999_998_500_000_000),
        ("2 minutes", 999_880_000_000_000), ("1970-01-01T00:00:01Z", 1_000_000_000), ("1970-01-02", 86_400_000_000_000),
        ("1795176000000", 1_795_176_000_000_000_000), ("soon", nil), ("", nil), ("5 parsecs", nil),
        // Numbers are milliseconds, as in the API, however small; anchors are the API's too.
        ("1000", 1_000_000_000), ("0", 0), ("now@d", 950_400_000_000_000), ("1h30m", 994_600_000_000_000),
    ]

    @Test(arguments: moments)
    func momentsAreRead(text: String, nanoseconds: Int64?) {
        let now = Timestamp(nanoseconds: 1_000_000_000_000_000)
        #expect(Moment.read(text, now: now)?.nanoseconds == nanoseconds)
    }

    static let forServers: [(text: String, sent: String)] = [
        ("24h", "24h"), ("now", "now"), ("1d@d", "1d@d"), ("1000", "1000"), ("1795176000000", "1795176000000"),
        ("1970-01-01T00:00:01Z", "1000"), ("all", "all"),
    ]

    @Test(arguments: forServers)
    func momentsAreSentAsTheyAreMeant(text: String, sent: String) { #expect(Moment.forServer(text) == sent) }

    @Test func secondsAreNotTakenForMillisecondsInSilence() {
        #expect(
            Moment.doubt("1795176000")
                == "1795176000 is in milliseconds, 1970-01-21T18:39:36Z; for seconds write 1795176000000"
        )
        #expect(Moment.doubt("2026") == "2026 is in milliseconds, 1970-01-01T00:00:02Z; for the year write 2026-01-01")
        for text in ["1795176000000", "1000", "24h", "-795176000", "2026-11-20"] { #expect(Moment.doubt(text) == nil) }
    }
}
