import LeatTesting
import Testing

@testable import LeatShell

@Suite struct UnmarkedPasteTests {
    static let reads: [(bytes: String, isPaste: Bool, mayGoOn: Bool)] = [
        ("a", false, false), ("\r", false, false), ("count()\r", false, true), ("count()\n", false, true),
        ("a\rb", false, false), ("a\rb\r", true, true), ("a\nb\nc", true, false), ("a\r\rb", true, false),
        ("level=error\r| count()", true, false), ("level=error | head(5)\r\n", false, true),
        ("level=error\r\n| count()", true, false), ("\u{1B}[A\rlevel=error | count()", false, false),
        ("abc\r\u{3}level=error | count()", false, false), ("", false, false),
    ]

    @Test(arguments: reads)
    func lineEndsWithinOneReadAreTold(bytes: String, isPaste: Bool, mayGoOn: Bool) {
        #expect(UnmarkedPaste.isPaste(Array(bytes.utf8)) == isPaste)
        #expect(UnmarkedPaste.mayGoOn(Array(bytes.utf8)) == mayGoOn)
    }
}

/// Pastes in a terminal that does not mark them.
@Suite(.enabled(if: Tmux.isUsable, Tmux.missing)) struct UnmarkedPasteSessionTests {
    @Test func linesThatArePastedAreNotSent() throws {
        try withTemporaryFolder { folder in
            let server = CannedServer(ShellSessionTests.answer)
            defer { server.stop() }
            let tmux = try Tmux(width: 80, height: 24, server: server.url, folder: folder)
            try tmux.waitFor("default>")
            try tmux.paste("level=error\n| groupBy(service)\n| sort(_count)\n")
            try tmux.waitFor("| sort(_count)")
            #expect(!server.requests.contains { $0.body.contains("level=error") })
            try tmux.press("Enter")
            try eventually(within: .seconds(60), "one query of three lines") {
                server.requests.contains { $0.body.contains(#"level=error\n| groupBy(service)\n| sort(_count)"#) }
            }
        }
    }
}
