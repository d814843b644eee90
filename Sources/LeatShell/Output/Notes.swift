internal import Glibc

/// What is said besides the answer, on standard error.
public enum Notes {
    /// Writes a line or several; whatever of other people's texts is in it cannot command the terminal.
    public static func write(_ text: String) {
        var text = text
        if let width = Terminal.size(of: STDERR_FILENO)?.width { text = Self.wrapped(text, width: width) }
        var shown: [UInt8] = []
        Array(text.utf8).withUnsafeBytes {
            _ = ShownText.append($0, to: &shown, layout: .lines, terminal: Terminal(isTerminal: true))
        }
        Self.write(styled: shown)
    }

    /// A message whose long lines are broken between words; what stands above a caret stays as it is.
    static func wrapped(_ text: String, width: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
            let isSentence = ["leat: ", "warning: ", "hint: "].contains { line.hasPrefix($0) }
            guard isSentence, DisplayWidth.of(String(line)) > width else { return [String(line)] }
            return TextWrapping.lines(String(line), width: width, indent: 2)
        }.joined(separator: "\n")
    }

    /// Writes a line that has colours.
    static func write(styled line: [UInt8]) {
        // Nothing can be said about a standard error that takes nothing.
        _ = Glibc.write(STDERR_FILENO, line + [0x0A], line.count + 1)
    }

    /// Writes a warning.
    static func warn(_ text: String) { Self.write("warning: \(text)") }
}
