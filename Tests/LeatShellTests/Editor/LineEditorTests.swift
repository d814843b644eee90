import LeatCore
import Testing

@testable import LeatShell

@Suite struct LineEditorTests {
    /// Types keys, as a terminal sends them, and gives the text with `|` at the cursor and the last action.
    static func type(
        _ bytes: String,
        history: [String] = [],
        style: LineEditor.KeyStyle = .emacs,
        text: String = ""
    ) -> (text: String, action: LineEditor.Action) {
        var decoder = KeyDecoder()
        var editor = LineEditor(history: history, keyStyle: style, text: text)
        var action = LineEditor.Action.none
        for key in decoder.add(bytes.utf8) + decoder.flush() { action = editor.handle(key) }
        var shown = editor.buffer.text
        shown.insert("|", at: shown.index(shown.startIndex, offsetBy: editor.buffer.cursor))
        return (shown, action)
    }

    static let emacs: [(keys: String, text: String)] = [
        ("abc", "abc|"),
        ("abc\u{1}x", "x|abc"),
        ("ab c\u{1B}b\u{B}", "ab |"),
        ("one two\u{17}\u{19}\u{19}", "one twotwo|"),
        ("abc\u{2}\u{2}\u{4}", "a|c"),
        ("ab\u{14}", "ba|"),
        ("abc\u{1}\u{B}\u{1F}", "|abc"),
        ("one\u{1B}\rtwo\u{1B}[A", "one|\ntwo"),
        ("e\u{301}\u{7F}", "|"),
        ("日本\u{1B}[D", "日|本"),
        ("\u{1B}[200~one\r\ntwo\t\u{1B}[31m\r\n\u{1B}[201~", "one\ntwo [31m|"),
    ]

    @Test(arguments: emacs)
    func emacsKeysEdit(keys: String, text: String) {
        #expect(Self.type(keys).text == text)
    }

    static let vi: [(keys: String, text: String)] = [
        ("one two\u{1B}0dw", "|two"),
        ("one two\u{1B}bcwx", "one x|"),
        ("abc\u{1B}x", "a|b"),
        ("one\u{1B}A!", "one!|"),
        ("one\u{1B}I!", "!|one"),
        ("one\u{1B}ddu", "on|e"),
        ("ab\u{1B}0ylp", "a|ab"),
        ("a(b, c)\u{1B}0f(ct)x\u{1B}", "a|x)"),
        ("one two three\u{1B}02dw", "|three"),
        ("one two three\u{1B}0d2w", "|three"),
        ("a.b c\u{1B}0dW", "|c"),
        ("a.b c\u{1B}0dw", "|.b c"),
        ("one two\u{1B}0de", "| two"),
        ("one two\u{1B}0ex", "on| two"),
        ("one\u{1B}0rX", "|Xne"),
        ("one\u{1B}03~", "ON|E"),
        ("a,b,c\u{1B}0f,;", "a,b|,c"),
        ("a,b,c\u{1B}0f,;,x", "a|b,c"),
        ("f(a)\u{1B}%x", "f|a)"),
        ("abc\u{1B}0sx\u{1B}", "|xbc"),
        ("abc\u{1B}hC!\u{1B}", "a|!"),
        ("one\u{1B}0dfx", "|one"),
        ("\u{1B}xhlbwe$D", "|"),
        // `.` makes the last change again: operators, what was typed after them, counts of its own.
        ("one two three\u{1B}0dw.", "|three"),
        ("one two three four\u{1B}0dw2.", "|four"),
        ("a b c\u{1B}0x.", "|b c"),
        ("one two\u{1B}0cwx\u{1B}w.", "x |x"),
        ("a,b,c\u{1B}0f,r;;.", "a;b|;c"),
        ("ab\u{1B}0ix\u{1B}l.", "x|xab"),
        ("ab\u{1B}Ax\u{1B}0.", "abx|x"),
        ("abc\u{1B}0~.", "AB|c"),
        ("ab\u{1B}0xp.", "ba|a"),
        ("a(b)c(d)\u{1B}0dt)f(.", ")c|)"),
        // A command that changes nothing, and one that was never given, are not repeated; yanking is no change.
        ("ab\u{1B}.", "a|b"),
        ("ab cd\u{1B}0xywl.", "b|cd"),
        // What is typed behind a movement is what counts.
        ("ab\u{1B}0ix\u{1B}[Cy\u{1B}.", "xa|yyb"),
    ]

    @Test(arguments: vi)
    func viKeysEdit(keys: String, text: String) {
        // A terminal sends Escape alone; the decoder must not take it for Alt.
        var decoder = KeyDecoder()
        var editor = LineEditor(history: [], keyStyle: .vi)
        for part in keys.split(separator: "\u{1B}", omittingEmptySubsequences: false).enumerated() {
            let isArrow = part.element.hasPrefix("[C")
            if part.offset > 0 { _ = editor.handle(isArrow ? .right : .escape) }
            for key in decoder.add(part.element.dropFirst(isArrow ? 2 : 0).utf8) { _ = editor.handle(key) }
        }
        var shown = editor.buffer.text
        shown.insert("|", at: shown.index(shown.startIndex, offsetBy: editor.buffer.cursor))
        #expect(shown == text)
    }

    @Test func escapeAndWhatFollowsItMayComeTogether() {
        var decoder = KeyDecoder()
        var editor = LineEditor(history: [], keyStyle: .vi)
        for key in decoder.add("one two\u{1B}0\u{1B}xdw".utf8) { _ = editor.handle(key) }
        #expect(editor.buffer.text == "two")
        #expect(editor.isNormalMode)
    }

    static let endings: [(keys: String, action: LineEditor.Action)] = [
        ("error\r", .submit("error")),
        ("f(\r", .redraw),
        ("f(\r)\r", .submit("f(\n)")),
        ("a |\r", .redraw),
        ("\"open\r", .redraw),
        ("\\tail (\r", .submit("\\tail (")),
        ("abc\u{3}", .abandon),
        ("\u{4}", .endOfInput),
        ("\t", .complete(forward: true)),
        ("\u{C}", .clearScreen),
    ]

    @Test(arguments: endings)
    func keysThatEnd(keys: String, action: LineEditor.Action) {
        #expect(Self.type(keys).action == action)
    }

    @Test func upRecallsAndDownComesBackToTheDraft() {
        let history = ["first", "second"]
        #expect(Self.type("dra\u{1B}[A", history: history).text == "second|")
        #expect(Self.type("dra\u{1B}[A\u{1B}[A\u{1B}[A", history: history).text == "first|")
        #expect(Self.type("dra\u{1B}[A\u{1B}[B", history: history).text == "dra|")
    }

    @Test func searchFindsOlderLinesInAnyCase() {
        let history = ["level=ERROR", "count()", "error | head(1)"]
        #expect(Self.type("\u{12}erro", history: history).text == "error | head(1)|")
        #expect(Self.type("\u{12}erro\u{12}", history: history).text == "level=ERROR|")
        #expect(Self.type("mine\u{12}erro\u{7}", history: history).text == "mine|")
        #expect(Self.type("\u{12}count\r", history: history).action == .submit("count()"))
    }

    @Test func anyKeysAreSurvived() {
        var random = SeededRandom(seed: 11)
        let keys: [Key] = [
            .character("a"), .character("("), .character(" "), .character("w"), .character("d"), .character("$"),
            .enter,
            .newline, .backspace, .delete, .up, .down, .left, .right, .home, .end, .wordLeft, .wordRight, .deleteWord,
            .escape, .control("k"), .control("u"), .control("y"), .control("r"), .control("w"), .control("t"),
            .control("_"), .alt("d"), .paste("x\ny"), .tab, .unknown, .control("p"), .control("n"), .control("g"),
        ]
        for style in LineEditor.KeyStyle.allCases {
            var editor = LineEditor(history: ["one", "two(\n)"], keyStyle: style)
            for _ in 0..<20_000 {
                _ = editor.handle(keys[Int.random(in: 0..<keys.count, using: &random)])
                #expect((0...editor.buffer.characters.count).contains(editor.buffer.cursor))
                if editor.buffer.characters.count > 200 { editor.replaceAll("") }
            }
        }
    }
}
