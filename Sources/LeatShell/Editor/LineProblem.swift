internal import LeatCore
internal import LeatQuery

/// Points at what is wrong with a line before it is sent.
enum LineProblem {
    /// The lines to show below: a caret under the place, and what is wrong with it; none for a line that is not finished,
    /// right, or a command.
    static func lines(_ text: String, indent: Int, terminal: Terminal) -> [String] {
        guard let query = self.query(in: text), !QueryLexer.isUnfinished(query.text) else { return [] }
        guard let problem = QueryCheck.problem(query.text) else { return [] }
        // What is missing at the end may still be typed.
        if problem.line == 1, problem.column > query.text.trimmedAtEnd.unicodeScalars.count { return [] }
        let message = problem.message + (problem.hint.map { "; \($0)" } ?? "")
        let shown = TextWrapping.lines(message, width: max(1, terminal.width - 1)).map { Self.warning($0, terminal) }
        let column = indent + self.width(text, upTo: query.offset + problem.column - 1)
        guard !text.contains("\n"), column + 1 < terminal.width else { return shown }
        let length = max(1, min(problem.length, terminal.width - column - 1))
        let caret = String(repeating: " ", count: column) + "^" + String(repeating: "~", count: length - 1)
        return [Self.warning(caret, terminal)] + shown
    }

    /// The query that a line holds and where it begins, in scalars; `nil` when there is none.
    private static func query(in text: String) -> (text: String, offset: Int)? {
        guard text.hasPrefix("\\") else { return text.trimmed.isEmpty ? nil : (text, 0) }
        guard let space = text.firstIndex(of: " "),
            let command = ShellCommand.find(String(text[text.index(after: text.startIndex)..<space])),
            command.argument == .query
        else { return nil }
        let rest = String(text[text.index(after: space)...])
        return (rest, text.unicodeScalars.count - rest.unicodeScalars.count)
    }

    /// Columns of the first so many scalars.
    private static func width(_ text: String, upTo count: Int) -> Int {
        text.unicodeScalars.prefix(max(0, count)).reduce(0) { $0 + DisplayWidth.of($1) }
    }

    private static func warning(_ text: String, _ terminal: Terminal) -> String {
        terminal.hasColor ? "\u{1B}[\(Style.warning.code)m\(text)\u{1B}[0m" : text
    }
}
