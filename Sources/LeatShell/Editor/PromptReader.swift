internal import Glibc

/// Reads one line after the other from the terminal, with everything an editor does.
final class PromptReader {
    enum Outcome {
        case line(String)
        /// Ctrl-C.
        case abandoned
        /// Ctrl-D, or the terminal has gone.
        case end
    }

    /// How long a lone Escape waits for what makes it a sequence, and how often the terminal's size is looked at.
    private static let escapeMilliseconds = 40
    private static let resizeMilliseconds = 200

    private let raw: RawTerminal
    private var decoder = KeyDecoder()
    private var waitingKeys: [Key] = []
    private var terminal: Terminal
    private var screen: EditorScreen
    private var menu: CompletionMenu?
    private let completer: any Completer

    init(raw: RawTerminal, terminal: Terminal, completer: any Completer) {
        self.raw = raw
        self.terminal = terminal
        self.screen = EditorScreen(terminal: terminal)
        self.completer = completer
    }

    /// The next line; `text` is what stands there already.
    func readLine(
        prompt: String,
        history: [String],
        keyStyle: LineEditor.KeyStyle,
        text: String = ""
    ) -> Outcome {
        self.raw.enter()
        defer { self.raw.leave() }
        var editor = LineEditor(history: history, keyStyle: keyStyle, text: text)
        self.screen.reset()
        self.menu = nil
        self.draw(editor, prompt)
        while true {
            guard let key = self.nextKey(whenResized: { self.draw(editor, prompt) }) else { return .end }
            if self.menu != nil, key != .tab, key != .backTab { self.menu = nil }
            switch editor.handle(key) {
            case .none: self.draw(editor, prompt)
            case .redraw: self.drawUnlessMore(editor, prompt)
            case .submit(let line):
                self.drawFinal(editor, prompt)
                return .line(line)
            case .abandon:
                self.drawFinal(editor, prompt)
                return .abandoned
            case .endOfInput:
                self.drawFinal(editor, prompt)
                return .end
            case .complete(let forward):
                self.complete(&editor, forward: forward)
                self.draw(editor, prompt)
            case .clearScreen:
                RawTerminal.send("\u{1B}[H\u{1B}[2J")
                self.screen.reset()
                self.draw(editor, prompt)
            case .openEditor:
                self.raw.leave()
                if let edited = ExternalEditor.edit(editor.buffer.text, suffix: ".query") { editor.replaceAll(edited) }
                self.raw.enter()
                self.screen.reset()
                self.draw(editor, prompt)
            }
        }
    }

    private func nextKey(whenResized redraw: () -> Void) -> Key? {
        while self.waitingKeys.isEmpty {
            let wait = self.decoder.isWaiting ? Self.escapeMilliseconds : Self.resizeMilliseconds
            switch RawTerminal.read(milliseconds: wait) {
            case .bytes(let bytes): self.waitingKeys += self.decoder.add(bytes)
            case .nothing:
                self.waitingKeys += self.decoder.flush()
                if self.updateSize() { redraw() }
            case .end: return nil
            }
        }
        return self.waitingKeys.removeFirst()
    }

    private func updateSize() -> Bool {
        guard let size = Terminal.size(of: STDOUT_FILENO) else { return false }
        guard size.width != self.terminal.width || size.height != self.terminal.height else { return false }
        self.terminal.width = size.width
        self.terminal.height = size.height
        self.screen.resize(to: self.terminal)
        return true
    }

    // MARK: drawing

    /// While more keys wait, as within a paste, one drawing at the end is enough.
    private func drawUnlessMore(_ editor: LineEditor, _ prompt: String) {
        if self.waitingKeys.isEmpty { self.draw(editor, prompt) }
    }

    private func draw(_ editor: LineEditor, _ prompt: String) {
        var frame = EditorScreen.Frame(prompt: prompt, buffer: editor.buffer)
        if let search = editor.search {
            let found = search.position == nil && !search.pattern.isEmpty ? "no line has " : "search: "
            frame.below = [found + search.pattern]
        } else if let menu {
            frame.below = menu.lines(terminal: self.terminal)
        } else if editor.isNormalMode {
            frame.below = ["-- NORMAL --"]
        }
        RawTerminal.send(self.screen.draw(frame))
    }

    private func drawFinal(_ editor: LineEditor, _ prompt: String) {
        self.menu = nil
        RawTerminal.send(self.screen.draw(EditorScreen.Frame(prompt: prompt, buffer: editor.buffer, isFinal: true)))
    }

    // MARK: completion

    private func complete(_ editor: inout LineEditor, forward: Bool) {
        if var menu = self.menu {
            menu.select(forward: forward)
            editor.replace(menu.range, with: menu.selectedText)
            menu.range = menu.range.lowerBound..<(menu.range.lowerBound + menu.selectedText.count)
            self.menu = menu
            return
        }
        let before = editor.buffer.textBeforeCursor
        guard let found = self.completer.complete(before, isWanted: { self.waitingKeys.isEmpty }),
            !found.choices.isEmpty
        else { return }
        let start = editor.buffer.cursor - found.replacedCount
        let range = start..<editor.buffer.cursor
        if found.choices.count == 1 {
            editor.replace(range, with: found.choices[0].text + found.choices[0].suffix)
            return
        }
        let common = found.commonPrefix
        var menu = CompletionMenu(choices: found.choices, range: range)
        if common.count > found.replacedCount {
            editor.replace(range, with: common)
            menu.range = start..<(start + common.count)
        }
        self.menu = menu
    }
}
