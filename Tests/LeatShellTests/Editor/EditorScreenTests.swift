import LeatCore
import Testing

@testable import LeatShell

@Suite struct EditorScreenTests {
    static func draw(_ text: String, width: Int, cursor: Int? = nil, below: [String] = []) -> String {
        var screen = EditorScreen(terminal: Terminal(isTerminal: true, width: width, height: 10))
        var buffer = LineBuffer(text)
        if let cursor { buffer.move(to: cursor) }
        let frame = EditorScreen.Frame(prompt: "p> ", buffer: buffer, below: below)
        return String(decoding: screen.draw(frame), as: UTF8.self)
    }

    @Test func longLinesAreBrokenAtTheWidth() {
        #expect(Self.draw("abcdefgh", width: 8) == "\r\u{1B}[Jp> abcde\r\nfgh\r\u{1B}[3C")
    }

    @Test func wideCharactersAreNotCut() {
        #expect(Self.draw("日本日", width: 8) == "\r\u{1B}[Jp> 日本\r\n日\r\u{1B}[2C")
    }

    @Test func fullLastColumnWraps() {
        #expect(Self.draw("abcde", width: 8) == "\r\u{1B}[Jp> abcde \r\r")
    }

    @Test func cursorGoesBackOverLinesBelow() {
        #expect(
            Self.draw("ab", width: 20, cursor: 1, below: ["x", "y"]) == "\r\u{1B}[Jp> ab\r\nx\r\ny\u{1B}[2A\r\u{1B}[4C"
        )
    }

    @Test func narrowTerminalsGetAShortPrompt() {
        #expect(Self.draw("a", width: 5) == "\r\u{1B}[J> a\r\u{1B}[3C")
    }
}
