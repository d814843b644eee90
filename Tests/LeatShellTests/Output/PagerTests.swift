import LeatCore
import LeatTesting
import Testing

@testable import LeatShell

/// What goes through a pager and what does not.
@Suite(.serialized, .enabled(if: Tmux.isUsable, Tmux.missing)) struct PagerTests {
    static let rows: [(text: String, count: Int)] = [
        ("", 0), ("a\n", 1), ("\n\n", 2), ("12345678\n", 1), ("123456789\n", 2), ("\u{1B}[1m12345678\u{1B}[0m\n", 1),
        ("日本語日\n", 1), ("日本語日本\n", 2),
    ]

    @Test(arguments: rows)
    func longLinesTakeSeveralRows(text: String, count: Int) {
        #expect(Pager.rowCount(of: Array(text.utf8), width: 8) == count)
    }

    static func event(_ number: Int) -> String {
        #"{"@timestamp":\#(1_795_176_000_000 + number),"@id":"\#(number)","@rawstring":"event \#(number)."}"#
    }

    /// A query whose rows come one by one: each is shown when it comes, and the pager, once it starts, has them all.
    @Test func rowsAreShownAtOnceAndAllOfThemInThePager() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { _ in .stream("") }
            defer { server.stop() }
            let tmux = try Tmux(
                width: 60,
                height: 12,
                server: server.url,
                folder: folder,
                environment: "LEAT_PAGER='sed s/event/paged/'"
            )
            try tmux.waitFor("default>")
            try tmux.type("slow")
            try tmux.press("Enter")
            try eventually { server.streamCount == 1 }
            server.push(Self.event(1))
            try tmux.waitFor("Z event 1.")
            for number in 2...20 { server.push(Self.event(number)) }
            server.push(ShellSessionTests.end)
            server.dropStreams()
            try tmux.waitFor("20 rows\ndefault>")
            let screen = try tmux.screen()
            #expect(screen.contains("paged 12.") && screen.contains("paged 20."))
            #expect(!screen.contains("event 1."), "what was shown has left the screen\n\(screen)")
        }
    }

    /// Ctrl-C is the pager's while it runs; leaving it ends the query.
    @Test func interruptsGoToThePager() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer { _ in .stream("") }
            defer { server.stop() }
            let tmux = try Tmux(
                width: 60,
                height: 12,
                server: server.url,
                folder: folder,
                arguments: "query slow",
                environment: "LEAT_PAGER='less -FRX'"
            )
            try eventually { server.streamCount == 1 }
            for number in 1...40 { server.push(Self.event(number)) }
            try tmux.waitFor("event 11.\n:")
            try tmux.press("C-c")
            try tmux.press("Space")
            try tmux.waitFor("event 22.")
            try tmux.press("q")
            for number in 41...400 { server.push(Self.event(number)) }
            try tmux.waitFor("ended with 0")
        }
    }
}
