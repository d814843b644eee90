import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatShell

@Suite struct ServerClientTests {
    static let done =
        #"{"@leat":{"done":true,"warnings":["slow"],"partial":true,"columns":["a"],"aggregate":true,"cost":{"events":5}}}"#

    /// What a query gives when the server answers so.
    static func ask(
        _ answer: CannedServer.Answer,
        token: Secret? = nil,
        rowCount: Int = .max
    ) async throws -> (rows: [String], summary: AnswerSummary?, request: CannedServer.Request?) {
        let server = CannedServer { _ in answer }
        defer { server.stop() }
        let address = try #require(ServerAddress(server.url))
        var rows: [String] = []
        var summary: AnswerSummary?
        let client = ServerClient(address: address, token: token)
        try await client.query(QueryRequest(repository: "shop", text: "a=\"b\"")) { row in
            rows.append(String(decoding: row, as: UTF8.self))
            return rows.count < rowCount
        } onEvent: { event in
            if case .done(let end) = event { summary = end }
        } onPause: {
        }
        return (rows, summary, server.requests.first)
    }

    /// What `--explain` asks for, and says.
    @Test func whatBecameOfEachBlockIsAskedForAndShown() async throws {
        let explanation =
            #"{"prefilter":"any \"x\"","blocks":{"total":80,"outOfTime":2,"pruned":60,"answered":0,"read":18},"#
            + #""storedBytesRead":2048,"microseconds":{"total":12345,"prune":40,"filter":9000,"finish":0}}"#
        let end = #"{"@leat":{"done":true,"warnings":[],"cost":{"bytes":3145728},"explain":\#(explanation)}}"#
        let server = CannedServer { _ in .reply(status: 200, body: "{\"a\":\"1\"}\n\(end)\n") }
        defer { server.stop() }
        var request = QueryRequest(repository: "shop", text: "x")
        request.explains = true
        var found: AnswerSummary?
        let client = ServerClient(address: try #require(ServerAddress(server.url)))
        try await client.query(request) { _ in
            true
        } onEvent: { event in
            if case .done(let summary) = event { found = summary }
        } onPause: {
        }
        #expect(server.requests.first?.body.contains(#""explain":true"#) == true)
        let summary = try #require(found)
        let account = try #require(summary.account)
        #expect(
            ShownAccount.text(account, summary) == """
                prefilter  any "x"
                blocks     80: 2 out of time, 60 pruned, 18 read
                bytes      2.0 KiB read of blocks with 3.0 MiB
                time       12.34 ms: 40 us prune, 9.0 ms filter
                """
        )
    }

    @Test func rowsProgressAndEndAreToldApart() async throws {
        let progress = #"{"@leat":{"progress":{"events":1,"bytes":2,"total":3}}}"#
        let answer = try await Self.ask(
            .reply(status: 200, body: "\(progress)\n{\"a\":\"1\"}\n{\"a\":\"2\"}\n\(Self.done)\n")
        )
        #expect(answer.rows == [#"{"a":"1"}"#, #"{"a":"2"}"#])
        #expect(answer.summary?.warnings == ["slow"])
        #expect(answer.summary?.isPartial == true)
        #expect(answer.summary?.columns == ["a"])
        #expect(answer.summary?.isAggregate == true)
    }

    @Test func requestSaysWhatTheContractWants() async throws {
        let answer = try await Self.ask(.reply(status: 200, body: Self.done + "\n"), token: Secret("t0ken"))
        let request = try #require(answer.request)
        #expect(request.method == "POST")
        #expect(request.path == "/api/v1/repositories/shop/query")
        #expect(request.headers.contains("X-Leat-Stream: 1"))
        #expect(request.headers.contains("Authorization: Bearer t0ken"))
        #expect(request.body == #"{"queryString":"a=\"b\"","start":"24h","end":"now","isLive":false}"#)
    }

    @Test func enoughRowsEndTheQuery() async throws {
        let body = (0..<50_000).map { "{\"a\":\"\($0)\"}\n" }.joined()
        let answer = try await Self.ask(.reply(status: 200, body: body), rowCount: 3)
        #expect(answer.rows.count == 3)
    }

    static let failures: [(answer: CannedServer.Answer, status: LeatShell.ExitStatus, text: String)] = [
        (
            .reply(
                status: 400,
                body: #"{"errors":[{"line":1,"column":1,"length":4,"message":"unknown function 'cont'","#
                    + #""hint":"did you mean 'count'?","lineText":"cont()"}]}"#
            ),
            .badData,
            "query:1:1: error: unknown function 'cont'\n  cont()\n  ^~~~\nhint: did you mean 'count'?"
        ),
        (.reply(status: 400, body: "too long"), .badData, "too long"),
        (.reply(status: 401, body: "no token"), .notPermitted, "LEAT_TOKEN"),
        (.reply(status: 403, body: "no"), .notPermitted, "shop"),
        (
            .reply(status: 404, body: "no repository 'shop'; did you mean 'shops'?"), .missingInput,
            "did you mean 'shops'?"
        ),
        (.reply(status: 503, body: "stopping"), .serverUnreachable, "try again"),
        (.nothing, .serverUnreachable, "closed the connection"),
    ]

    @Test(arguments: failures)
    func failuresSayWhatToDo(answer: CannedServer.Answer, status: LeatShell.ExitStatus, text: String) async throws {
        let error = await #expect(throws: CommandError.self) { try await Self.ask(answer) }
        #expect(error?.status == status)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }

    @Test func silentServerIsUnreachable() async throws {
        let server = CannedServer { _ in .nothing }
        server.stop()
        let address = try #require(ServerAddress(server.url))
        let error = await #expect(throws: CommandError.self) {
            _ = try await ServerClient(address: address).fetch(ServerRequest(.get, "/"))
        }
        #expect(error?.status == .serverUnreachable)
        #expect(error?.message.contains("start leat-server there") == true)
    }

    @Test func liveTailComesBackWithoutRepeating() async throws {
        let server = CannedServer { _ in .stream("{\"@leat\":{\"live\":true}}\n{\"@timestamp\":5000,\"@id\":\"1\"}\n") }
        defer { server.stop() }
        let address = try #require(ServerAddress(server.url))
        let follower = LiveFollower(text: "", settings: ShellSettings(server: address), since: nil)
        let heard = Heard()
        let task = Task {
            try await follower.run { row in
                heard.add(row: String(decoding: row, as: UTF8.self))
            } onPause: {
            } onNote: { note in
                heard.add(note: note)
            }
        }
        try await eventually {
            await Task.yield(); return server.streamCount == 1 && heard.rows.count == 1
        }
        server.push("{\"@timestamp\":6000,\"@id\":\"2\"}")
        try await eventually {
            await Task.yield(); return heard.rows.count == 2
        }
        server.dropStreams()
        try await eventually {
            await Task.yield(); return server.streamCount == 1
        }
        server.push("{\"@timestamp\":6000,\"@id\":\"2\"}\n{\"@timestamp\":7000,\"@id\":\"3\"}")
        try await eventually {
            await Task.yield(); return heard.rows.count >= 3
        }
        task.cancel()
        _ = await task.result
        #expect(heard.rows.map { $0.contains("\"1\"") ? 1 : $0.contains("\"2\"") ? 2 : 3 } == [1, 2, 3])
        #expect(heard.notes.contains { $0.contains("again") })
        #expect(server.requests.last?.body.contains("\"start\":\"6000\"") == true)
    }
}

/// What a follower has told, for the test to look at from another thread.
private final class Heard: Sendable {
    private let state = Mutex<(rows: [String], notes: [String])>(([], []))

    var rows: [String] { self.state.withLock { $0.rows } }
    var notes: [String] { self.state.withLock { $0.notes } }

    func add(row: String) { self.state.withLock { $0.rows.append(row) } }
    func add(note: String) { self.state.withLock { $0.notes.append(note) } }
}
