import LeatTesting
import Testing

@testable import LeatShell

/// What is typed and pasted while a query runs.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct TypedAheadTests {
    /// A session in which a query runs until the body calls the function that it gets.
    static func whileAQueryRuns(_ body: (Tmux, CannedServer, _ endQuery: () -> Void) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { request in
                request.body.contains("slow") ? .stream("") : ShellSessionTests.answer(request)
            }
            defer { server.stop() }
            let tmux = try Tmux(width: 80, height: 24, server: server.url, folder: folder)
            try tmux.waitFor("default>")
            try tmux.type("slow")
            try tmux.press("Enter")
            try eventually(within: .seconds(60), "the query runs") { server.streamCount == 1 }
            try body(tmux, server) {
                server.push(ShellSessionTests.end)
                server.dropStreams()
            }
        }
    }

    @Test(arguments: [true, false])
    func aPasteWaitsForThePromptAsOneText(marked: Bool) throws {
        try Self.whileAQueryRuns { tmux, server, endQuery in
            try tmux.paste("level=error\n| groupBy(service)\n| sort(_count)\n", marked: marked)
            #expect(try !tmux.screen().contains("level=error"))
            endQuery()
            try tmux.waitFor("default> level=error\n")
            try tmux.waitFor("| sort(_count)")
            #expect(!server.requests.contains { $0.body.contains("level=error") })
            try tmux.press("Enter")
            try eventually(within: .seconds(60), "one query of three lines") {
                server.requests.contains { $0.body.contains(#"level=error\n| groupBy(service)\n| sort(_count)"#) }
            }
        }
    }

    @Test func aPasteThatIsLongerThanTheTerminalKeepsDoesNotHoldUpControlC() throws {
        try Self.whileAQueryRuns { tmux, server, _ in
            try tmux.paste((0..<800).map { "field\($0)=value or" }.joined(separator: "\n"))
            try tmux.press("C-c")
            try tmux.waitFor("cancelled\ndefault>")
            // What was pasted before Ctrl-C goes with the query.
            try tmux.type("quick")
            try tmux.press("Enter")
            try tmux.waitFor("it broke")
            #expect(!server.requests.contains { $0.body.contains("field0") })
        }
    }

    @Test func aLineThatIsTypedAheadIsSentAfterwards() throws {
        try Self.whileAQueryRuns { tmux, server, endQuery in
            try tmux.type("quiet")
            try tmux.press("BSpace", "BSpace")
            try tmux.type("ck")
            try tmux.press("Enter")
            #expect(try !tmux.screen().contains("qui"))
            endQuery()
            try tmux.waitFor("it broke")
            #expect(server.requests.contains { $0.body.contains(#""queryString":"quick""#) })
        }
    }
}
