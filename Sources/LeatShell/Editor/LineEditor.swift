/// Decides what each key does to the line: emacs or vi keys, history, search, kill and yank, undo.
///
/// No input or output happens here: `handle` changes the state and says what its driver has to do.
struct LineEditor: Sendable {
    enum KeyStyle: String, Hashable, Sendable, CaseIterable {
        case emacs, vi
    }

    enum Action: Hashable, Sendable {
        case none
        case redraw
        /// The line is complete and goes away.
        case submit(String)
        /// Ctrl-C: the line is thrown away.
        case abandon
        /// Ctrl-D on an empty line.
        case endOfInput
        /// Tab, forward or back: the driver knows what could stand here.
        case complete(forward: Bool)
        case clearScreen
        /// The line is to be edited in `$EDITOR`.
        case openEditor
    }

    /// A search through the history, backwards, while it is typed.
    struct Search: Hashable, Sendable {
        var pattern = ""
        /// The line that matches.
        var position: Int?
        let original: String
    }

    var buffer = LineBuffer()
    private(set) var search: Search?
    /// Whether vi is in normal mode.
    var isNormalMode = false
    var keyStyle = KeyStyle.emacs

    private let lines: [String]
    /// Which line of the history is shown; `lines.count` is the new one.
    private var position: Int
    /// The new line, while an older one is shown.
    private var draft = ""
    /// What was removed last, to be put elsewhere.
    var killed = ""
    private var undoStack: [LineBuffer] = []
    var viReader = ViCommandReader()
    /// The last `f`, `F`, `t` or `T`, which `;` and `,` repeat.
    var lastFind: ViCommand?
    /// The last change of vi's normal mode, which `.` makes again.
    var lastChange: ViChange?

    private static let undoCountMax = 200

    init(history: [String], keyStyle: KeyStyle = .emacs, text: String = "") {
        self.lines = history
        self.position = history.count
        self.keyStyle = keyStyle
        self.buffer = LineBuffer(text)
    }

    /// Puts a completion in place of the range.
    mutating func replace(_ range: Range<Int>, with text: String) {
        self.remember()
        self.buffer.replace(range, with: text)
    }

    /// Puts another text in place of the line.
    mutating func replaceAll(_ text: String) {
        self.remember()
        self.buffer.replaceAll(text)
    }

    /// Takes one key.
    mutating func handle(_ key: Key) -> Action {
        if self.search != nil { return self.handleSearch(key) }
        if self.keyStyle == .vi {
            if case .alt(let character) = key { return self.handleFastEscape(character) }
            if self.isNormalMode { return self.handleNormal(key) }
            if key == .escape { return self.leaveInsertMode() }
        }
        return self.handleInsert(key)
    }

    // MARK: inserting, with emacs's keys

    private mutating func handleInsert(_ key: Key) -> Action {
        switch key {
        case .character(let character): return self.insert(String(character))
        case .paste(let text): return self.insert(Self.clean(text))
        case .newline: return self.insert("\n")
        case .enter: return self.enter()
        case .tab: return .complete(forward: true)
        case .backTab: return .complete(forward: false)
        case .backspace, .control("h"): return self.delete(max(0, self.buffer.cursor - 1)..<self.buffer.cursor)
        case .delete: return self.deleteForward()
        case .deleteWord: return self.kill(self.buffer.wordStart..<self.buffer.cursor)
        case .control(let letter): return self.handleControl(letter)
        case .alt(let character): return self.handleAlt(character)
        case .escape, .unknown, .pageUp, .pageDown: return .none
        default:
            let action = self.handleMove(key)
            self.insertAnew()
            return action
        }
    }

    mutating func handleMove(_ key: Key) -> Action {
        switch key {
        case .left: self.buffer.move(to: self.buffer.cursor - 1)
        case .right: self.buffer.move(to: self.buffer.cursor + 1)
        case .home: self.buffer.move(to: self.buffer.lineStart)
        case .end: self.buffer.move(to: self.buffer.lineEnd)
        case .wordLeft: self.buffer.move(to: self.buffer.wordStart)
        case .wordRight: self.buffer.move(to: self.buffer.wordEnd)
        case .up: if !self.buffer.moveLine(by: -1) { return self.recall(-1) }
        case .down: if !self.buffer.moveLine(by: 1) { return self.recall(1) }
        default: return .none
        }
        return .redraw
    }

    mutating func handleControl(_ letter: Character) -> Action {
        switch letter {
        case "a": return self.handleMove(.home)
        case "b": return self.handleMove(.left)
        case "c": return .abandon
        case "d": return self.buffer.isEmpty ? .endOfInput : self.deleteForward()
        case "e": return self.handleMove(.end)
        case "f": return self.handleMove(.right)
        case "g": return .none
        case "k":
            // At the end of a line its newline goes.
            let end = self.buffer.lineEnd
            let last = end == self.buffer.cursor ? min(end + 1, self.buffer.characters.count) : end
            return self.kill(self.buffer.cursor..<last)
        case "l": return .clearScreen
        case "n": return self.recall(1)
        case "p": return self.recall(-1)
        case "r":
            self.search = Search(original: self.buffer.text)
            return .redraw
        case "t":
            self.remember()
            self.buffer.transpose()
            return .redraw
        case "u": return self.kill(self.buffer.lineStart..<self.buffer.cursor)
        case "w": return self.kill(self.buffer.blankStart..<self.buffer.cursor)
        case "x": return .openEditor
        case "y": return self.insert(self.killed)
        case "_": return self.undo()
        default: return .none
        }
    }

    private mutating func handleAlt(_ character: Character) -> Action {
        switch character {
        case "b": return self.handleMove(.wordLeft)
        case "f": return self.handleMove(.wordRight)
        case "d": return self.kill(self.buffer.cursor..<self.buffer.wordEnd)
        default: return .none
        }
    }

    mutating func enter() -> Action {
        let text = self.buffer.text
        if !text.hasPrefix("\\"), QueryLexer.isUnfinished(text) { return self.insert("\n") }
        return .submit(text)
    }

    mutating func insert(_ text: String) -> Action {
        guard !text.isEmpty else { return .none }
        self.remember()
        self.buffer.insert(text)
        return .redraw
    }

    /// Pasted text: line ends become newlines, a tab a space, other control characters go.
    static func clean(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": if last != "\r" { result.append("\n") }
            case "\r": result.append("\n")
            case "\t": result.append(" ")
            default: if scalar.value >= 0x20, !(0x7F..<0xA0).contains(scalar.value) { result.append(scalar) }
            }
            last = scalar
        }
        // A paste that ends a line is not a line that is sent.
        while result.last == "\n" { result.removeLast() }
        return String(result)
    }

    private mutating func delete(_ range: Range<Int>) -> Action {
        guard !range.isEmpty else { return .none }
        self.remember()
        self.buffer.remove(range)
        return .redraw
    }

    private mutating func deleteForward() -> Action {
        self.delete(self.buffer.cursor..<min(self.buffer.cursor + 1, self.buffer.characters.count))
    }

    mutating func kill(_ range: Range<Int>) -> Action {
        guard !range.isEmpty else { return .none }
        self.remember()
        self.killed = self.buffer.remove(range)
        return .redraw
    }

    mutating func remember() {
        if self.undoStack.last != self.buffer { self.undoStack.append(self.buffer) }
        if self.undoStack.count > Self.undoCountMax { self.undoStack.removeFirst() }
    }

    mutating func undo() -> Action {
        guard let last = self.undoStack.popLast() else { return .none }
        self.buffer = last
        return .redraw
    }

    // MARK: history

    private mutating func recall(_ step: Int) -> Action {
        let target = self.position + step
        guard (0...self.lines.count).contains(target) else { return .none }
        if self.position == self.lines.count { self.draft = self.buffer.text }
        self.position = target
        self.buffer.replaceAll(target == self.lines.count ? self.draft : self.lines[target])
        self.undoStack = []
        return .redraw
    }

    private mutating func handleSearch(_ key: Key) -> Action {
        guard var search = self.search else { return .none }
        switch key {
        case .character(let character):
            search.pattern.append(character)
            search.position = self.find(search.pattern, before: search.position.map { $0 + 1 } ?? self.lines.count)
        case .backspace, .control("h"):
            if !search.pattern.isEmpty { search.pattern.removeLast() }
            search.position = self.find(search.pattern, before: self.lines.count)
        case .control("r"):
            search.position = self.find(search.pattern, before: search.position ?? self.lines.count) ?? search.position
        case .control("g"), .control("c"), .escape:
            self.search = nil
            self.buffer.replaceAll(search.original)
            return .redraw
        default:
            self.search = nil
            if let found = search.position { self.position = found }
            let action = self.handle(key)
            return action == .none ? .redraw : action
        }
        self.search = search
        self.buffer.replaceAll(search.position.map { self.lines[$0] } ?? search.original)
        return .redraw
    }

    private func find(_ pattern: String, before end: Int) -> Int? {
        guard !pattern.isEmpty else { return nil }
        let folded = pattern.lowercased()
        return (0..<min(end, self.lines.count)).last { self.lines[$0].lowercased().contains(folded) }
    }
}
