internal import Glibc
internal import LeatCore

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
    /// How long nothing is typed before a mistake is pointed at.
    private static let idleMilliseconds = 600
    /// How long a completion is waited for before that is said, and what is said, in nanoseconds.
    private static let quietNanoseconds: UInt64 = 300_000_000
    private static let waitNote = "asking the server; any key goes on without"

    private let raw: RawTerminal
    private let keys: KeyReader
    private var terminal: Terminal
    private var screen: EditorScreen
    private var menu: CompletionMenu?
    /// What is wrong with the line, while nothing is typed.
    private var problem: [String] = []
    private let completer: any Completer
    /// Whether the terminal was read since the prompt is there: what it had then was typed before.
    private var hasWaited = false

    init(raw: RawTerminal, keys: KeyReader = KeyReader(), terminal: Terminal, completer: any Completer) {
        self.raw = raw
        self.keys = keys
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
        guard RawTerminal.isUsable else {
            self.raw.leave()
            return Self.readPlainLine(prompt)
        }
        self.raw.enter()
        defer { self.raw.leave() }
        var editor = LineEditor(history: history, keyStyle: keyStyle, text: text)
        self.screen.reset()
        self.menu = nil
        self.hasWaited = false
        self.draw(editor, prompt)
        while true {
            guard let key = self.nextKey(editor, prompt) else { return .end }
            self.problem = []
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
                self.complete(&editor, forward: forward, prompt)
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

    /// A line from a terminal that knows no cursor: what the system's own line editing gives.
    private static func readPlainLine(_ prompt: String) -> Outcome {
        RawTerminal.send(prompt)
        guard var text = Swift.readLine() else { return .end }
        while !text.hasPrefix("\\"), QueryLexer.isUnfinished(text) {
            RawTerminal.send("... ")
            guard let more = Swift.readLine() else { return .end }
            text += "\n" + more
        }
        return .line(text)
    }

    private func nextKey(_ editor: LineEditor, _ prompt: String) -> Key? {
        var idleMilliseconds = 0
        while true {
            let isFirst = !self.hasWaited
            let wait = isFirst ? 0 : self.keys.isWithinKey ? Self.escapeMilliseconds : Self.resizeMilliseconds
            self.hasWaited = true
            switch self.keys.next(milliseconds: wait, typedAhead: isFirst) {
            case .key(let key): return key
            case .nothing:
                if self.updateSize() { self.draw(editor, prompt) }
                let wasIdle = idleMilliseconds >= Self.idleMilliseconds
                idleMilliseconds += wait
                if !wasIdle, idleMilliseconds >= Self.idleMilliseconds { self.pointAtProblem(editor, prompt) }
            case .end: return nil
            }
        }
    }

    /// Shows below the line what would be wrong with it if it were sent now.
    private func pointAtProblem(_ editor: LineEditor, _ prompt: String) {
        guard self.menu == nil, editor.search == nil else { return }
        let indent = self.screen.promptWidth(prompt)
        self.problem = LineProblem.lines(editor.buffer.text, indent: indent, terminal: self.terminal)
        if !self.problem.isEmpty { self.draw(editor, prompt) }
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
        if !self.keys.hasKeys { self.draw(editor, prompt) }
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
        } else {
            frame.below = self.problem
        }
        RawTerminal.send(self.screen.draw(frame))
    }

    private func drawFinal(_ editor: LineEditor, _ prompt: String) {
        self.menu = nil
        RawTerminal.send(self.screen.draw(EditorScreen.Frame(prompt: prompt, buffer: editor.buffer, isFinal: true)))
    }

    // MARK: completion

    private func complete(_ editor: inout LineEditor, forward: Bool, _ prompt: String) {
        if var menu = self.menu {
            menu.select(forward: forward)
            editor.replace(menu.range, with: menu.selectedText)
            menu.range = menu.range.lowerBound..<(menu.range.lowerBound + menu.selectedText.count)
            self.menu = menu
            return
        }
        let before = editor.buffer.textBeforeCursor
        var wait = CompletionWait(startedAt: SystemTime().monotonicNanoseconds())
        let found = self.completer.complete(before) { self.goesOnWaiting(&wait, editor, prompt) }
        self.problem = []
        // Without all names the only one that is known is not the only one that there is.
        guard !wait.isCancelled, let found, !found.choices.isEmpty else { return }
        let start = editor.buffer.cursor - found.replacedCount
        let range = start..<editor.buffer.cursor
        if found.choices.count == 1 {
            editor.replace(range, with: found.choices[0].text + found.choices[0].suffix)
            return
        }
        let common = found.commonPrefix
        var menu = CompletionMenu(choices: found.choices, range: range)
        let typed = String(before.suffix(found.replacedCount)).lowercased()
        if common.count > found.replacedCount, common.lowercased().hasPrefix(typed) {
            editor.replace(range, with: common)
            menu.range = start..<(start + common.count)
        }
        self.menu = menu
    }

    /// A completion that waits for the server.
    private struct CompletionWait {
        let startedAt: UInt64
        var isCancelled = false
        var isSaid = false
    }

    /// Whether no key was pressed while names were waited for; keys that only mean "stop" have no other effect.
    private func goesOnWaiting(_ wait: inout CompletionWait, _ editor: LineEditor, _ prompt: String) -> Bool {
        self.keys.look()
        if self.keys.hasKeys {
            wait.isCancelled = true
            self.keys.drop([.control("c"), .control("g"), .escape])
        } else if !wait.isSaid, SystemTime().monotonicNanoseconds() - wait.startedAt > Self.quietNanoseconds {
            wait.isSaid = true
            self.problem = [Self.waitNote]
            self.draw(editor, prompt)
        }
        return !wait.isCancelled
    }
}
