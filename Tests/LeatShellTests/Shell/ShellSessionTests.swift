import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatShell

/// The real program in a pseudo-terminal, against a server of canned answers.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct ShellSessionTests {
    static let end = #"{"@leat":{"done":true,"warnings":[],"partial":false,"columns":null,"aggregate":false}}"#

    static func answer(_ request: CannedServer.Request) -> CannedServer.Answer {
        if request.path.hasSuffix("/fields") {
            return .reply(status: 200, body: #"{"fields":["level","latency_ms","service","@rawstring"]}"#)
        }
        if request.path == "/api/v1/repositories" {
            return .reply(status: 200, body: #"[{"name":"default","events":3,"bytes":10,"plainBytes":90}]"#)
        }
        if request.path.contains("/queryjobs") { return Self.job(request) }
        if request.body.contains("\"isLive\":true") { return .stream("{\"@leat\":{\"live\":true}}\n") }
        if request.body.contains("groupBy(\\\"level\\\"") {
            return .reply(
                status: 200,
                body: "{\"level\":\"error\",\"_count\":\"2\"}\n{\"level\":\"info\",\"_count\":\"1\"}\n\(Self.end)\n"
            )
        }
        if request.body.contains("timeChart") { return .reply(status: 200, body: Self.chart) }
        let event = #"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"ERROR it broke"}"#
        return .reply(status: 200, body: "\(event)\n\(Self.end)\n")
    }

    /// A live aggregate that counts how often it is asked.
    static func job(_ request: CannedServer.Request) -> CannedServer.Answer {
        switch request.method {
        case "POST": return .reply(status: 200, body: #"{"id":"job1"}"#)
        case "DELETE": return .reply(status: 204, body: "")
        default:
            return .reply(
                status: 200,
                body: #"{"done":true,"events":[{"service":"cart","_count":"4"},{"service":"web","_count":"2"}],"#
                    + #""metaData":{"fieldOrder":["service","_count"],"processedEvents":6,"warnings":[]}}"#
            )
        }
    }

    static let chart: String = {
        let rows = (0..<12).map { #"{"_bucket":"\#(1_795_176_000_000 + $0 * 60_000)","_count":"\#($0 * $0)"}"# }
        let end =
            #"{"@leat":{"done":true,"warnings":[],"partial":false,"columns":["_bucket","_count"],"aggregate":true}}"#
        return (rows + [end]).joined(separator: "\n") + "\n"
    }()

    static func session(
        width: Int = 80,
        height: Int = 24,
        environment: String = "",
        _ body: (Tmux, CannedServer) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let server = CannedServer(Self.answer)
            defer { server.stop() }
            let tmux = try Tmux(
                width: width,
                height: height,
                server: server.url,
                folder: folder,
                environment: environment
            )
            try tmux.waitFor("default>")
            try body(tmux, server)
        }
    }

    /// The screen without what differs from run to run.
    static func golden(_ tmux: Tmux, _ server: CannedServer) throws -> String {
        try tmux.screen().replacing(":\(server.port)", with: ":PORT")
    }

    @Test func aSessionFromTypingToLeaving() throws {
        try Self.session { tmux, server in
            try tmux.type("lev")
            try tmux.press("Tab")
            try tmux.waitFor("default> level")
            try tmux.type("=e")
            try tmux.press("Tab")
            try tmux.waitFor("level=error")
            try tmux.press("Enter")
            try tmux.waitFor("ERROR it broke")
            try tmux.type("level=error | cont()")
            try tmux.press("Enter")
            try tmux.waitFor("did you mean 'count'?")
            try tmux.press("Up", "Up")
            try tmux.waitFor("hint: did you mean 'count'?\ndefault> level=error")
            try tmux.press("C-c")
            try tmux.type("timeChart()")
            try tmux.press("Enter")
            try tmux.waitFor("└───")
            try tmux.press("C-d")
            try tmux.waitFor("ended with 0")
        }
    }

    @Test func errorIsShownWithACaretAndNotSent() throws {
        try Self.session { tmux, server in
            try tmux.type("a=1 | cont()")
            try tmux.press("Enter")
            try tmux.waitFor("hint:")
            #expect(
                try Self.golden(tmux, server) == """
                    leat 0.1.0 on http://127.0.0.1:PORT. \\help lists commands, Tab completes.
                    default> a=1 | cont()
                    query:1:7: error: unknown function 'cont'
                      a=1 | cont()
                            ^~~~
                    hint: did you mean 'count'?
                    default>
                    """
            )
            #expect(server.requests.allSatisfy { !$0.body.contains("cont()") })
        }
    }

    static let chart80 = """
        leat 0.1.0 on http://127.0.0.1:PORT. \\help lists commands, Tab completes.
        default> timeChart()
        ■ _count  max 121
         121 ┤                                                                  ██████
             ┤                                                            ▂▂▂▂▂▂██████
             ┤                                                            ████████████
             ┤                                                      ▆▆▆▆▆▆████████████
             ┤                                                ▂▂▂▂▂▂██████████████████
             ┤                                                ████████████████████████
             ┤                                          ██████████████████████████████
             ┤                              ▁▁▁▁▁▁████████████████████████████████████
             ┤                        ▃▃▃▃▃▃██████████████████████████████████████████
           0 ┤      ▁▁▁▁▁▁▃▃▃▃▃▃▆▆▆▆▆▆████████████████████████████████████████████████
             └────────────────────────────────────────────────────────────────────────
              2026-11-20T12:00:00Z                12:06:00Z       2026-11-20T12:11:00Z
        12 rows
        default>
        """

    @Test func chartAt80By24() throws {
        try Self.session { tmux, server in
            try tmux.type("timeChart()")
            try tmux.press("Enter")
            try tmux.waitFor("12 rows\ndefault>")
            #expect(try Self.golden(tmux, server) == Self.chart80)
        }
    }

    @Test func linesFitAt120By40() throws {
        try Self.session(width: 120, height: 40) { tmux, server in
            try tmux.type("timeChart()")
            try tmux.press("Enter")
            try tmux.waitFor("12 rows\ndefault>")
            let lines = try Self.golden(tmux, server).split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("     └") && $0.count == 114 })
        }
    }

    @Test func severalLinesAndPasteAreOneQuery() throws {
        try Self.session { tmux, server in
            try tmux.type("groupBy(")
            try tmux.press("Enter")
            try tmux.type("service)")
            try tmux.press("Enter")
            try tmux.waitFor("it broke")
            #expect(server.requests.contains { $0.body.contains(#"groupBy(\nservice)"#) })
        }
    }

    @Test func searchFindsWhatWasSent() throws {
        try Self.session { tmux, server in
            try tmux.type("service=cart")
            try tmux.press("Enter")
            try tmux.waitFor("it broke")
            try tmux.press("C-r")
            try tmux.type("cart")
            try tmux.waitFor("search: cart")
            try tmux.press("Enter")
            try eventually { server.requests.filter { $0.body.contains("service=cart") }.count == 2 }
        }
    }

    @Test func liveTailPausesResumesAndEnds() throws {
        try Self.session { tmux, server in
            try tmux.type("\\tail level=error")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            try tmux.waitFor("cart first")
            try tmux.press("Space")
            try tmux.waitFor("PAUSED")
            server.push(#"{"@timestamp":1795176001250,"@id":"2","service":"cart","@rawstring":"second"}"#)
            try tmux.waitFor("1 waiting")
            #expect(try !tmux.screen().contains("second"))
            try tmux.press("Space")
            try tmux.waitFor("cart second")
            try tmux.press("q")
            try tmux.waitFor("second\ndefault>")
        }
    }

    @Test func runningQueryEndsWithControlC() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { request in
                request.body.contains("slow") ? .stream("") : Self.answer(request)
            }
            defer { server.stop() }
            let tmux = try Tmux(width: 80, height: 24, server: server.url, folder: folder)
            try tmux.waitFor("default>")
            try tmux.type("slow")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            try tmux.press("C-c")
            try tmux.waitFor("cancelled\ndefault>")
            try tmux.type("quick")
            try tmux.press("Enter")
            try tmux.waitFor("it broke")
        }
    }

    @Test func narrowTerminalAndResizeAreSurvived() throws {
        try Self.session { tmux, server in
            try tmux.type("level=error and service=cart and latency_ms > 100")
            try tmux.resize(width: 20, height: 10)
            try tmux.type(" x")
            try tmux.waitFor("100 x")
            try tmux.press("Enter")
            try tmux.waitFor("1 row\ndefault>")
        }
    }

    @Test func dumbTerminalGetsPlainLines() throws {
        try Self.session(environment: "TERM=dumb") { tmux, server in
            try tmux.type("groupBy(")
            try tmux.press("Enter")
            try tmux.waitFor("...")
            try tmux.type("service)")
            try tmux.press("Enter")
            try eventually { server.requests.contains { $0.body.contains(#"groupBy(\nservice)"#) } }
            try tmux.type("a=b")
            try tmux.press("Enter")
            try tmux.waitFor("2026-11-20T12:00:00.250Z cart ERROR it broke")
        }
    }

    @Test func sizesAndLocalesOfAllKindsGiveAPrompt() throws {
        for (width, height, locale) in [(20, 5, "C"), (40, 10, "en_US.ISO-8859-1")] {
            try Self.session(width: width, height: height, environment: "LC_ALL=\(locale)") { tmux, _ in
                try tmux.type("timeChart()")
                try tmux.press("Enter")
                try tmux.waitFor("12 rows")
                #expect(try tmux.screen().utf8.allSatisfy { $0 < 0x80 })
            }
        }
    }

    @Test func commandsAreListedAndObeyed() throws {
        try Self.session { tmux, _ in
            try tmux.type("\\repos")
            try tmux.press("Enter")
            try tmux.waitFor("repository")
            try tmux.type("\\fromat csv")
            try tmux.press("Enter")
            try tmux.waitFor("did you mean '\\format'?")
            try tmux.type("\\format csv")
            try tmux.press("Enter")
            try tmux.type("a=b")
            try tmux.press("Enter")
            try tmux.waitFor("1795176000250,1,cart,ERROR it broke")
            try tmux.type("\\q")
            try tmux.press("Enter")
            try tmux.waitFor("ended with 0")
        }
    }

    @Test func mistakesArePointedAtBeforeTheLineIsSent() throws {
        try Self.session { tmux, server in
            try tmux.type("a=1 | cont()")
            try tmux.waitFor(
                "default> a=1 | cont()\n               ^~~~\nunknown function 'cont'; did you mean 'count'?"
            )
            try tmux.type(" ")
            try tmux.press("C-c")
            try tmux.waitFor("default> a=1 | cont()\ndefault>")
            #expect(server.requests.allSatisfy { !$0.body.contains("cont()") })
        }
    }

    @Test func tailKeepsItsPlaceWhenTheQueryChanges() throws {
        try Self.session { tmux, server in
            try tmux.type("\\tail")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            try tmux.waitFor("cart first")
            try tmux.type("/")
            try tmux.waitFor("tail>")
            try tmux.type("level=error")
            try tmux.press("Enter")
            try eventually { server.requests.contains { $0.body.contains(#""queryString":"level=error""#) } }
            let request = try #require(server.requests.last { $0.body.contains("level=error") })
            #expect(request.body.firstMatch(of: /"start":"\d{13}"/) != nil, "\(request.body)")
            // What was shown before is not shown again.
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            server.push(#"{"@timestamp":1795176000251,"@id":"2","service":"cart","@rawstring":"second"}"#)
            try tmux.waitFor("cart second")
            #expect(try tmux.screen().split(separator: "cart first", omittingEmptySubsequences: false).count == 2)
        }
    }

    @Test func tailLooksBackThroughThePager() throws {
        try Self.session { tmux, server in
            try tmux.type("\\tail")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            try tmux.waitFor("cart first")
            // The pager of these tests is cat: what is kept appears once more.
            try tmux.type("s")
            try tmux.waitFor("cart first\n2026-11-20T12:00:00.250Z cart first")
            server.push(#"{"@timestamp":1795176000251,"@id":"2","service":"cart","@rawstring":"second"}"#)
            try tmux.waitFor("cart second")
        }
    }

    @Test func tailIsTakenUpAgainAfterALostConnection() throws {
        try Self.session { tmux, server in
            try tmux.type("\\tail")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            try tmux.waitFor("cart first")
            server.dropStreams()
            try tmux.waitFor("connecting again")
            try tmux.waitFor("-- connected again after")
            server.push(#"{"@timestamp":1795176000250,"@id":"1","service":"cart","@rawstring":"first"}"#)
            server.push(#"{"@leat":{"dropped":7}}"#)
            try tmux.waitFor("7 events were missed")
            #expect(try tmux.screen().split(separator: "cart first", omittingEmptySubsequences: false).count == 2)
        }
    }

    @Test func liveAggregateIsDrawnInItsPlace() throws {
        try Self.session { tmux, server in
            try tmux.type("\\tail groupBy(service)")
            try tmux.press("Enter")
            try tmux.waitFor("cart          4")
            try eventually { server.requests.filter { $0.method == "GET" && $0.path.hasSuffix("job1") }.count >= 2 }
            let lines = try tmux.screen().split(separator: "\n")
            #expect(lines.count == 4, "\(lines)")
            #expect(lines[3].contains("last 10m"))
            try tmux.press("q")
            try eventually { server.requests.contains { $0.method == "DELETE" } }
        }
    }

    @Test func liveAggregateOutlivesItsServer() throws {
        let isGone = Mutex(false)
        try withTemporaryFolder { folder in
            let server = CannedServer { request in
                request.path.contains("/queryjobs") && isGone.withLock { $0 } ? .nothing : Self.answer(request)
            }
            defer { server.stop() }
            let tmux = try Tmux(width: 80, height: 24, server: server.url, folder: folder)
            try tmux.waitFor("default>")
            try tmux.type("\\tail groupBy(service)")
            try tmux.press("Enter")
            try tmux.waitFor("cart          4")
            isGone.withLock { $0 = true }
            try tmux.waitFor("trying again: ")
            #expect(try tmux.screen().hasSuffix("…  [space] pause  [/] query  [s] scroll  [q] end"))
            isGone.withLock { $0 = false }
            try tmux.waitFor("Z  last 10m  [space] pause")
            try tmux.press("q")
            try tmux.waitFor("default>")
        }
    }

    @Test func filesAreAskedAndCompletedWithoutAServer() throws {
        try withTemporaryFolder { folder in
            let path = try folder.write("app.log", DocumentationTests.log)
            let tmux = try Tmux(width: 80, height: 24, server: "http://127.0.0.1:1", folder: folder)
            try tmux.waitFor("default>")
            try tmux.type("\\file \(path)")
            try tmux.press("Enter")
            try tmux.waitFor("asking")
            try tmux.press("C-l")
            try tmux.type("lat")
            try tmux.press("Tab")
            try tmux.waitFor("latency_ms")
            try tmux.type(" > 100")
            try tmux.press("Enter")
            try tmux.waitFor("cart info paid")
            try tmux.waitFor("1 row  4 events")
        }
    }
}
