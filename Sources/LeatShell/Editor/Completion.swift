/// Something that could stand at the cursor.
struct Choice: Hashable, Sendable {
    var text: String
    /// What follows once it is the only choice, such as `(` behind a function.
    var suffix = ""
    /// What it is, for the list.
    var note = ""
}

/// What could stand at the cursor, and how much of the text before it would be replaced.
struct Completion: Hashable, Sendable {
    /// Characters before the cursor that a choice replaces.
    var replacedCount: Int
    var choices: [Choice]

    /// What all choices begin with.
    var commonPrefix: String {
        guard var prefix = self.choices.first?.text else { return "" }
        for choice in self.choices.dropFirst() {
            while !choice.text.lowercased().hasPrefix(prefix.lowercased()) { prefix.removeLast() }
        }
        return prefix
    }
}

/// Knows what could stand at the cursor.
///
/// Conformers: the shell's, which asks the repository, and those of tests.
protocol Completer: AnyObject {
    /// What could follow `text`, which ends at the cursor; gives up soon after `isWanted` says `false`, which it is only asked
    /// while something is waited for.
    func complete(_ text: String, isWanted: () -> Bool) -> Completion?
}

/// The choices below the line, of which one may be selected.
struct CompletionMenu {
    let choices: [Choice]
    /// What of the line the selected choice replaces, in characters.
    var range: Range<Int>
    private(set) var selected: Int?

    init(choices: [Choice], range: Range<Int>) {
        self.choices = choices
        self.range = range
    }

    var selectedText: String { self.choices[self.selected ?? 0].text }

    mutating func select(forward: Bool) {
        guard let selected else {
            self.selected = forward ? 0 : self.choices.count - 1
            return
        }
        self.selected = (selected + (forward ? 1 : self.choices.count - 1)) % self.choices.count
    }

    /// The choices in columns, or, when they have notes and there are few, one a line.
    func lines(terminal: Terminal) -> [String] {
        let rowsMax = max(1, terminal.height / 2 - 1)
        if self.choices.count <= rowsMax, self.choices.contains(where: { !$0.note.isEmpty }) {
            let width = self.choices.map { DisplayWidth.of($0.text) }.max() ?? 0
            return self.choices.indices.map { index in
                let gap = String(repeating: " ", count: width - DisplayWidth.of(self.choices[index].text) + 2)
                let room = terminal.width - width - 3
                let note = room > 8 ? gap + self.choices[index].note.prefix(room) : ""
                return self.cell(index, terminal) + Self.dimmed(note, terminal)
            }
        }
        let cellWidth = min(terminal.width, (self.choices.map { DisplayWidth.of($0.text) }.max() ?? 0) + 2)
        let columnCount = max(1, terminal.width / cellWidth)
        let rowCount = (self.choices.count + columnCount - 1) / columnCount
        var lines = (0..<min(rowCount, rowsMax)).map { row in
            (0..<columnCount).map { column in
                let index = row + column * rowCount
                guard index < self.choices.count else { return "" }
                let width = DisplayWidth.of(self.choices[index].text)
                return self.cell(index, terminal) + String(repeating: " ", count: max(0, cellWidth - width))
            }.joined().trimmedAtEnd
        }
        if rowCount > rowsMax { lines.append(Self.dimmed("\(self.choices.count) choices", terminal)) }
        return lines
    }

    private func cell(_ index: Int, _ terminal: Terminal) -> String {
        let text = self.choices[index].text
        guard index == self.selected else { return text }
        return terminal.hasColor ? "\u{1B}[7m\(text)\u{1B}[0m" : ">\(text)"
    }

    private static func dimmed(_ text: String, _ terminal: Terminal) -> String {
        terminal.hasColor && !text.isEmpty ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }
}
