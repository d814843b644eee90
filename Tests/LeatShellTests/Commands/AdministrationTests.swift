import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// Commands that change what a server keeps, and what they send.
@Suite struct AdministrationTests {
    static func settings(_ server: CannedServer) throws -> ShellSettings {
        ShellSettings(server: try #require(ServerAddress(server.url)), repository: "shop")
    }

    /// A command's surroundings; beside other suites a try may wait long for its turn.
    static func context(_ server: CannedServer, retrySeconds: Int = 600) throws -> CommandContext {
        CommandContext(settings: try Self.settings(server), terminal: .pipe, retrySeconds: retrySeconds)
    }

    @Test func savedQueriesAreKeptUnderTheirName() async throws {
        let server = CannedServer { _ in .reply(status: 200, body: "{}") }
        defer { server.stop() }
        let command = LibraryCommand(.savedQuery, .create("slow ones", .text("ms > 9")))
        #expect(try await command.run(in: try Self.context(server)) == .success)
        let request = try #require(server.requests.first)
        #expect(request.method == "PUT")
        #expect(request.path == "/api/v1/repositories/shop/savedqueries/slow%20ones")
        #expect(request.body == #"{"queryString":"ms > 9"}"#)
    }

    @Test func aWrongQueryIsNotSaved() async throws {
        let server = CannedServer { _ in .reply(status: 200, body: "{}") }
        defer { server.stop() }
        let command = LibraryCommand(.savedQuery, .create("slow", .text("cont()")))
        await #expect(throws: CommandError.self) { try await command.run(in: try Self.context(server)) }
        #expect(server.requests.isEmpty)
    }

    /// Without its name the path of a thing is that of all things.
    @Test func anEmptyNameIsNotSent() async throws {
        let server = CannedServer { _ in .reply(status: 200, body: "[]") }
        defer { server.stop() }
        let context = try Self.context(server)
        for action in [AdministrationCommand.Action.show(""), .showVersion("", 2), .delete("")] {
            for subject in [AdministrationCommand.Subject.repositories, .tokens, .parsers] {
                let error = await #expect(throws: CommandError.self) {
                    try await AdministrationCommand(subject, action).run(in: context)
                }
                #expect(error?.status == .usage)
            }
        }
        for action in [LibraryCommand.Action.show(""), .delete(""), .create("", .text("count()"))] {
            await #expect(throws: CommandError.self) { try await LibraryCommand(.savedQuery, action).run(in: context) }
        }
        await #expect(throws: CommandError.self) { try await ParserEditCommand(name: "").run(in: context) }
        #expect(server.requests.isEmpty)
    }

    @Test func whatTheServerLacksIsToldInItsWords() async throws {
        let server = CannedServer { _ in .reply(status: 404, body: "no saved query 'slwo'; did you mean 'slow'?") }
        defer { server.stop() }
        let command = LibraryCommand(.savedQuery, .show("slwo"))
        await #expect {
            try await command.run(in: try Self.context(server))
        } throws: { error in
            (error as? CommandError)?.status == .missingInput && "\(error)".contains("did you mean 'slow'?")
        }
    }

    @Test func lookupFilesAreSentUnderTheirName() async throws {
        let server = CannedServer { _ in .reply(status: 200, body: "{}") }
        defer { server.stop() }
        try await withTemporaryFolder { folder in
            let path = try folder.write("hosts.csv", "host,name\na,b\n")
            let command = LibraryCommand(.lookupFile, .create(nil, .file(path: path)))
            #expect(try await command.run(in: try Self.context(server)) == .success)
        }
        let request = try #require(server.requests.first)
        #expect(request.method == "PUT")
        #expect(request.path == "/api/v1/repositories/shop/files/hosts.csv")
        #expect(request.body == "host,name\na,b\n")
    }

    @Test func parsersSurviveBeingWrittenAndRead() throws {
        var parser = ParserDefinition()
        parser.name = "odd \"name\""
        parser.script = "parseJson()\n\n  | x := \"a: b # c\"\n| y := \"é\\t\""
        parser.tagFields = ["a", "#b"]
        parser.cases = [
            ParserDefinition.Case(
                input: "{\"a\":\"1\"}\n\ttabbed",
                assertions: [
                    ParserDefinition.Assertion(
                        eventIndex: 0,
                        values: [("a", "1"), ("#x", "yes: no")],
                        absentFields: ["gone"]
                    )
                ]
            ),
            ParserDefinition.Case(input: "  leading"),
        ]
        let read = try ParserDefinition(yaml: parser.yaml, path: "x.yaml")
        let json = try ParserDefinition(json: try parser.json.withUnsafeBytes { try JSONValue($0) })
        for again in [read, json] {
            #expect(again.name == parser.name)
            #expect(again.script == parser.script)
            #expect(again.tagFields == parser.tagFields)
            #expect(again.cases.map(\.input) == parser.cases.map(\.input))
            #expect(again.cases[0].assertions[0].values.map(\.value) == ["1", "yes: no"])
            #expect(again.cases[0].assertions[0].absentFields == ["gone"])
        }
    }

    @Test func aNewParserBeginsWithOneThatPasses() {
        #expect(ParserEditCommand.problems(of: .template(name: "x")) == [])
        var broken = ParserDefinition.template(name: "x")
        broken.cases = []
        broken.script = "parsJson()"
        #expect(ParserEditCommand.problems(of: broken).first?.contains("unknown function 'parsJson'") == true)
    }
}

/// What happens when servers and disks fail.
@Suite struct FailureTests {
    @Test func aServerThatComesBackIsAsked() async throws {
        let event = #"{"@timestamp":1795176000250,"@id":"1","@rawstring":"it broke"}"#
        let server = CannedServer(
            answering: .nothing,
            .reply(status: 503, body: "stopping"),
            .reply(status: 200, body: "\(event)\n\(ShellSessionTests.end)\n")
        )
        defer { server.stop() }
        var command = QueryCommand(text: "a=b", settings: try AdministrationTests.settings(server))
        // Beside other suites a try may wait long for its turn.
        command.retrySeconds = 600
        var rows = 0
        try await command.forEachRow { _ in
            rows += 1
            return true
        } onEnd: { _ in
        }
        #expect(rows == 1)
        #expect(server.requests.count == 3)
    }

    /// Commands other than queries wait too; what must not happen twice is not sent twice.
    @Test func administrationWaitsForAServerThatComesBack() async throws {
        for (action, requestCount) in [
            (AdministrationCommand.Action.list, 3), (.createRepository("shop", retention: nil), 1),
            (.delete("shop"), 1),
        ] {
            let server = CannedServer(
                answering: .nothing,
                .reply(status: 503, body: "stopping"),
                .reply(status: 200, body: "[]")
            )
            defer { server.stop() }
            let command = AdministrationCommand(.repositories, action)
            let context = try AdministrationTests.context(server)
            if requestCount == 3 {
                #expect(try await command.run(in: context) == .success)
            } else {
                await #expect(throws: CommandError.self) { try await command.run(in: context) }
            }
            #expect(server.requests.count == requestCount, "\(action)")
        }
    }

    /// A refusal of the whole request is no reason not to send it again.
    @Test func aRefusalWhileStoppingIsTriedAgain() async throws {
        let server = CannedServer(answering: .reply(status: 503, body: "stopping"), .reply(status: 201, body: "{}"))
        defer { server.stop() }
        let action = AdministrationCommand.Action.createRepository("shop", retention: nil)
        let command = AdministrationCommand(.repositories, action)
        #expect(try await command.run(in: try AdministrationTests.context(server)) == .success)
        #expect(server.requests.count == 2)
    }

    @Test func anEarlierVersionOfAParserIsAskedFor() async throws {
        let server = CannedServer { _ in .reply(status: 200, body: #"{"name":"mine","version":2,"script":"kvParse()"}"#)
        }
        defer { server.stop() }
        let command = AdministrationCommand(.parsers, .showVersion("mine", 2))
        #expect(try await command.run(in: try AdministrationTests.context(server)) == .success)
        #expect(server.requests.first?.path == "/api/v1/parsers/mine?version=2")
    }

    @Test func anAnswerThatBreaksOffIsNotAskedForAgain() async throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":\"1\"}\n"
        let broken = CannedServer { _ in .raw(text) }
        defer { broken.stop() }
        var command = QueryCommand(text: "a=b", settings: try AdministrationTests.settings(broken))
        // Beside other suites a try may wait long for its turn.
        command.retrySeconds = 600
        await #expect {
            try await command.forEachRow(onRow: { _ in true }, onEnd: { _ in })
        } throws: { error in
            "\(error)".contains("are not all")
        }
        #expect(broken.requests.count == 1)
    }

    @Test func exportReplacesFilesAndLeavesDevicesWhereTheyAre() async throws {
        try await withTemporaryFolder { folder in
            let log = try folder.write("app.log", "one\ntwo\n")
            let address = try #require(ServerAddress("localhost"))
            var query = QueryCommand(text: "", settings: ShellSettings(server: address))
            query.files = [log]
            let path = try folder.write("out.csv", "old")
            #expect(try await ExportCommand(query: query, path: path).run(terminal: .pipe) == 2)
            let text = try PosixFileSystem().contents(path).text
            #expect(text.hasSuffix("one\n") && text.hasPrefix("@timestamp,"), "\(text)")
            for (path, reason) in [("/dev/full", "no space left"), (folder.path, "it is a folder")] {
                await #expect {
                    _ = try await ExportCommand(query: query, path: path).run(terminal: .pipe)
                } throws: { error in
                    (error as? CommandError)?.status == .inputOutput && "\(error)".contains(reason)
                }
            }
            var status = stat()
            #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
            #expect(try PosixFileSystem().list(folder.path).filter { $0.hasSuffix(".part") } == [])
        }
    }

    @Test func previewsAreNoRows() async throws {
        let body = """
            {"@leat":{"preview":2,"columns":["a"]}}
            {"a":"1"}
            {"a":"2"}
            {"@leat":{"preview":0,"columns":null}}
            {"a":"3"}
            \(ServerClientTests.done)

            """
        let server = CannedServer { _ in .reply(status: 200, body: body) }
        defer { server.stop() }
        let client = ServerClient(address: try #require(ServerAddress(server.url)))
        var rows: [String] = []
        var previews: [[String]] = []
        var request = QueryRequest(repository: "shop", text: "a")
        request.wantsPreviews = true
        try await client.query(request) { row in
            rows.append(String(decoding: row, as: UTF8.self))
            return true
        } onEvent: { event in
            if case .preview(let preview) = event {
                previews.append(preview.rows.map { String(decoding: $0, as: UTF8.self) })
            }
        } onPause: {
        }
        #expect(rows == [#"{"a":"3"}"#])
        #expect(previews == [[#"{"a":"1"}"#, #"{"a":"2"}"#], []])
        #expect(server.requests.first?.headers.contains("X-Leat-Preview: 1") == true)
    }
}
