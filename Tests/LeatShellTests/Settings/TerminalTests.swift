import Testing

@testable import LeatShell

@Suite struct TerminalTests {
    struct Case: Sendable {
        var color = Terminal.ColorChoice.auto
        var environment: [String: String] = [:]
        var isTerminal = true
        var hasColor: Bool
    }

    static let cases: [Case] = [
        Case(hasColor: true),
        Case(isTerminal: false, hasColor: false),
        Case(color: .always, isTerminal: false, hasColor: true),
        Case(color: .never, hasColor: false),
        Case(environment: ["NO_COLOR": "1"], hasColor: false),
        Case(environment: ["NO_COLOR": ""], hasColor: true),
        Case(environment: ["TERM": "dumb"], hasColor: false),
        Case(color: .always, environment: ["NO_COLOR": "1", "TERM": "dumb"], hasColor: true),
    ]

    @Test(arguments: cases)
    func colourIsDecidedOnce(of aCase: Case) {
        let terminal = Terminal.decide(
            color: aCase.color,
            environment: aCase.environment,
            outputIsTerminal: aCase.isTerminal,
            errorIsTerminal: aCase.isTerminal,
            size: (80, 24)
        )
        #expect(terminal.hasColor == aCase.hasColor)
    }

    static let locales: [(environment: [String: String], isUnicode: Bool)] = [
        ([:], true), (["LANG": "C"], false), (["LANG": "en_US.UTF-8"], true),
        (["LC_ALL": "POSIX", "LANG": "en_US.UTF-8"], false), (["LC_CTYPE": "C.utf8"], true),
    ]

    @Test(arguments: locales)
    func localeSaysWhatCanBeShown(environment: [String: String], isUnicode: Bool) {
        let terminal = Terminal.decide(
            color: .auto,
            environment: environment,
            outputIsTerminal: true,
            errorIsTerminal: true,
            size: nil
        )
        #expect(terminal.isUnicode == isUnicode)
    }

    @Test func longMessagesAreBrokenBetweenWords() {
        let diagnostic = "query:1:1: error: unknown function 'cont'\n  cont()\n  ^~~~\nhint: did you mean 'count'?"
        #expect(Notes.wrapped(diagnostic, width: 20).hasPrefix("query:1:1: error: unknown function 'cont'\n  cont()\n"))
        #expect(Notes.wrapped(diagnostic, width: 20).hasSuffix("hint: did you mean\n  'count'?"))
        #expect(Notes.wrapped("leat: one two three", width: 12) == "leat: one\n  two three")
        #expect(Notes.wrapped("leat: one", width: 12) == "leat: one")
    }
}
