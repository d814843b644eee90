/// Draws the line that is edited, with colours, search or choices below, and puts the cursor in its place.
///
/// Only relative movements are used, so that the prompt can stand anywhere on the screen. `draw` gives the bytes to send.
struct EditorScreen {
    /// What is drawn.
    struct Frame {
        var prompt: String
        var buffer: LineBuffer
        /// What stands below the line: choices of completion, a note.
        var below: [String] = []
        var isFinal = false
    }

    /// Choices below the line take at most this share of the screen's rows.
    private static let belowShare = 2

    private var terminal: Terminal
    /// The row of the cursor, counted from the first row of the prompt.
    private var cursorRow = 0

    init(terminal: Terminal) { self.terminal = terminal }

    /// The terminal has another size now; what was drawn may be broken differently.
    mutating func resize(to terminal: Terminal) {
        self.terminal = terminal
        self.cursorRow = min(self.cursorRow, max(0, terminal.height - 1))
    }

    /// The next frame begins on a fresh line.
    mutating func reset() { self.cursorRow = 0 }

    /// The bytes that replace the last frame by this one.
    mutating func draw(_ frame: Frame) -> [UInt8] {
        var output: [UInt8] = []
        output.append(contentsOf: "\r".utf8)
        if self.cursorRow > 0 { output.append(contentsOf: "\u{1B}[\(self.cursorRow)A".utf8) }
        output.append(contentsOf: "\u{1B}[J".utf8)
        var pen = Pen(width: self.terminal.width)
        let prompt = self.prompt(frame.prompt)
        output.append(prompt, .bold, if: self.terminal.hasColor)
        pen.advance(by: DisplayWidth.of(prompt))
        let cursor = self.drawText(frame.buffer, indent: DisplayWidth.of(prompt), isFinal: frame.isFinal, &pen, &output)
        if frame.isFinal {
            output.append(contentsOf: "\r\n".utf8)
            self.cursorRow = 0
            return output
        }
        if pen.column == self.terminal.width {
            // The cursor waits behind the last column; a character makes the terminal go on.
            output.append(contentsOf: " \r".utf8)
            pen.wrap()
        }
        let rowsMax = max(1, self.terminal.height / Self.belowShare)
        for line in frame.below.prefix(rowsMax) {
            output.append(contentsOf: "\r\n".utf8)
            output.append(contentsOf: line.utf8)
            pen.newline()
        }
        if pen.row > cursor.row { output.append(contentsOf: "\u{1B}[\(pen.row - cursor.row)A".utf8) }
        output.append(contentsOf: "\r".utf8)
        if cursor.column > 0 { output.append(contentsOf: "\u{1B}[\(cursor.column)C".utf8) }
        self.cursorRow = cursor.row
        return output
    }

    /// Columns that a prompt takes here.
    func promptWidth(_ text: String) -> Int { DisplayWidth.of(self.prompt(text)) }

    /// The prompt, shortened where the terminal is narrow.
    private func prompt(_ text: String) -> String {
        DisplayWidth.of(text) * 2 > self.terminal.width ? "> " : text
    }

    private func drawText(
        _ buffer: LineBuffer,
        indent: Int,
        isFinal: Bool,
        _ pen: inout Pen,
        _ output: inout [UInt8]
    ) -> (row: Int, column: Int) {
        let styles = self.styles(of: buffer, isFinal: isFinal)
        var cursor = (row: pen.row, column: pen.column)
        var current = Style.plain
        for (position, character) in buffer.characters.enumerated() {
            if position == buffer.cursor { cursor = pen.cursor }
            if styles[position] != current {
                output.end(current, if: self.terminal.hasColor)
                current = styles[position]
                output.begin(current, if: self.terminal.hasColor)
            }
            if character == "\n" {
                output.append(contentsOf: "\r\n".utf8)
                output.append(contentsOf: [UInt8](repeating: 0x20, count: indent))
                pen.newline()
                pen.advance(by: indent)
            } else {
                let shown = Self.shown(character)
                let width = DisplayWidth.of(shown)
                if pen.column + width > self.terminal.width {
                    output.append(contentsOf: "\r\n".utf8)
                    pen.wrap()
                }
                output.append(contentsOf: shown.utf8)
                pen.advance(by: width)
            }
        }
        output.end(current, if: self.terminal.hasColor)
        if buffer.isAtEnd { cursor = pen.cursor }
        return cursor
    }

    /// A character as it may be sent.
    private static func shown(_ character: Character) -> String {
        let isSafe = character.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7F && !ShownText.isDangerous($0)
        }
        return isSafe ? String(character) : "?"
    }

    private func styles(of buffer: LineBuffer, isFinal: Bool) -> [Style] {
        var styles = [Style](repeating: .plain, count: buffer.characters.count)
        guard self.terminal.hasColor, buffer.characters.first != "\\" else { return styles }
        for token in QueryLexer.tokens(of: buffer.characters) {
            for position in token.range { styles[position] = token.kind.style }
        }
        if !isFinal, let (one, other) = buffer.matchingBrackets {
            styles[one] = .match
            styles[other] = .match
        }
        return styles
    }

    /// Where output stands, relative to the start of the prompt.
    private struct Pen {
        let width: Int
        var row = 0
        var column = 0

        /// Where a cursor is shown that stands before the next character.
        var cursor: (row: Int, column: Int) {
            self.column >= self.width ? (self.row + 1, 0) : (self.row, self.column)
        }

        mutating func advance(by columns: Int) { self.column += columns }

        mutating func wrap() {
            self.row += 1
            self.column = 0
        }

        mutating func newline() { self.wrap() }
    }
}
