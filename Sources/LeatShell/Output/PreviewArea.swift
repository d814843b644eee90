internal import Glibc

/// The place on the terminal where an answer is shown while it is still being found; it vanishes before the answer itself.
///
/// What is drawn goes to standard error, as progress does, and is replaced from its first row on.
struct PreviewArea {
    private let terminal: Terminal
    private let format: AnswerFormat
    /// Rows that are on the screen.
    private var rowCount = 0

    /// `nil` where nothing can be drawn and erased again, or the format is not for looking at.
    init?(terminal: Terminal, format: AnswerFormat) {
        guard terminal.isTerminal, terminal.errorIsTerminal, terminal.height > 4,
            [.auto, .table, .chart].contains(format)
        else { return nil }
        self.terminal = terminal
        self.format = format
    }

    /// Draws rows in place of those before.
    mutating func draw(_ preview: AnswerPreview) throws {
        var writer = self.format.writer(terminal: self.terminal, rowCountMax: self.terminal.height)
        var output = OutputStream()
        for row in preview.rows { try row.withUnsafeBytes { try writer.write($0, to: &output) } }
        var summary = AnswerSummary()
        summary.columns = preview.columns
        summary.isAggregate = true
        try writer.finish(summary, to: &output)
        // The last rows of the screen stay free for the progress line and the prompt.
        let lines = output.takeBytes().split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
            .prefix(self.terminal.height - 3)
        self.erase()
        self.rowCount = lines.count
        var bytes = Array("\u{1B}[?7l".utf8)
        for line in lines { bytes += line + [0x0A] }
        Self.send(bytes + Array("\u{1B}[?7h".utf8))
    }

    /// Takes the preview away.
    mutating func erase() {
        guard self.rowCount > 0 else { return }
        Self.send(Array("\r\u{1B}[\(self.rowCount)A\u{1B}[J".utf8))
        self.rowCount = 0
    }

    private static func send(_ bytes: [UInt8]) {
        // A courtesy: a standard error that takes no more is no reason to end the query.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
