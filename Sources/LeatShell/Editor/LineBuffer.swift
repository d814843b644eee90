/// The text that is being edited, and where the cursor is in it.
///
/// Positions count characters as people see them (grapheme clusters). The text may have several lines.
struct LineBuffer: Hashable, Sendable {
    private(set) var characters: [Character] = []
    /// 0...`characters.count`.
    private(set) var cursor = 0

    init(_ text: String = "") { self.replaceAll(text) }

    var text: String { String(self.characters) }
    var isEmpty: Bool { self.characters.isEmpty }
    var isAtEnd: Bool { self.cursor == self.characters.count }

    /// The text before the cursor.
    var textBeforeCursor: String { String(self.characters[..<self.cursor]) }

    // MARK: changing

    /// Replaces everything and goes to the end.
    mutating func replaceAll(_ text: String) {
        self.characters = Array(text)
        self.cursor = self.characters.count
    }

    /// Inserts text at the cursor; a combining mark joins the character before it.
    mutating func insert(_ text: String) {
        guard !text.isEmpty else { return }
        let end = self.characters.count - self.cursor
        let joined = String(self.characters[..<self.cursor]) + text + String(self.characters[self.cursor...])
        self.characters = Array(joined)
        self.cursor = max(0, self.characters.count - end)
    }

    /// Replaces a range by text, and puts the cursor behind it.
    mutating func replace(_ range: Range<Int>, with text: String) {
        self.characters.replaceSubrange(range, with: Array(text))
        self.cursor = range.lowerBound + text.count
    }

    /// Removes a range and returns what it held.
    @discardableResult
    mutating func remove(_ range: Range<Int>) -> String {
        let removed = String(self.characters[range])
        self.characters.removeSubrange(range)
        if self.cursor > range.lowerBound { self.cursor = max(range.lowerBound, self.cursor - range.count) }
        return removed
    }

    /// Swaps the characters around the cursor.
    mutating func transpose() {
        guard self.characters.count >= 2, self.cursor > 0 else { return }
        let second = min(self.cursor, self.characters.count - 1)
        self.characters.swapAt(second - 1, second)
        self.cursor = second + 1
    }

    // MARK: moving

    mutating func move(to position: Int) { self.cursor = min(max(0, position), self.characters.count) }

    /// Where the line of the cursor begins.
    var lineStart: Int {
        var start = self.cursor
        while start > 0, self.characters[start - 1] != "\n" { start -= 1 }
        return start
    }

    /// Where the line of the cursor ends, before its newline.
    var lineEnd: Int {
        var end = self.cursor
        while end < self.characters.count, self.characters[end] != "\n" { end += 1 }
        return end
    }

    /// The start of the word before the cursor.
    var wordStart: Int {
        var position = self.cursor
        while position > 0, !Self.isWord(self.characters[position - 1]) { position -= 1 }
        while position > 0, Self.isWord(self.characters[position - 1]) { position -= 1 }
        return position
    }

    /// The end of the word after the cursor.
    var wordEnd: Int {
        var position = self.cursor
        while position < self.characters.count, !Self.isWord(self.characters[position]) { position += 1 }
        while position < self.characters.count, Self.isWord(self.characters[position]) { position += 1 }
        return position
    }

    /// The start of the text without spaces before the cursor.
    var blankStart: Int {
        var position = self.cursor
        while position > 0, self.characters[position - 1].isWhitespace { position -= 1 }
        while position > 0, !self.characters[position - 1].isWhitespace { position -= 1 }
        return position
    }

    static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "@" || character == "#"
    }

    /// Moves a line up or down, keeping the column; `false` when there is no such line.
    mutating func moveLine(by step: Int) -> Bool {
        let column = self.cursor - self.lineStart
        if step < 0 {
            guard self.lineStart > 0 else { return false }
            self.cursor = self.lineStart - 1
        } else {
            guard self.lineEnd < self.characters.count else { return false }
            self.cursor = self.lineEnd + 1
        }
        let start = self.lineStart
        self.cursor = min(start + column, self.lineEnd)
        return true
    }

    // MARK: brackets

    private static let pairs: [Character: Character] = ["(": ")", "[": "]", "{": "}"]

    /// The positions of the bracket beside the cursor and of its partner; `nil` when there is none.
    var matchingBrackets: (Int, Int)? {
        for position in [self.cursor - 1, self.cursor] where self.characters.indices.contains(position) {
            if let partner = self.partner(of: position) { return (position, partner) }
        }
        return nil
    }

    private func partner(of position: Int) -> Int? {
        let character = self.characters[position]
        if let closing = Self.pairs[character] {
            return self.scan(from: position, step: 1, opening: character, closing: closing)
        }
        guard let opening = Self.pairs.first(where: { $0.value == character })?.key else { return nil }
        return self.scan(from: position, step: -1, opening: character, closing: opening)
    }

    private func scan(from start: Int, step: Int, opening: Character, closing: Character) -> Int? {
        var depth = 0
        var position = start
        while self.characters.indices.contains(position) {
            if self.characters[position] == opening { depth += 1 }
            if self.characters[position] == closing { depth -= 1 }
            if depth == 0 { return position }
            position += step
        }
        return nil
    }
}
