/// How an answer is written.
public enum AnswerFormat: String, Hashable, Sendable, CaseIterable {
    /// What suits the answer: charts, bars and a large number on a terminal, else the same as `table`.
    case auto
    /// Events as lines, anything else as an aligned table.
    case table
    /// One object a line, with stable keys.
    case json
    case csv
    /// The text of the event alone; values alone when there is none.
    case raw
    /// A chart over time, or bars.
    case chart
}

/// Writes the rows of one answer as they come.
///
/// `write` for each row in order, then `finish` once. A row is one line of JSON (design, section 2.5) without its newline
/// and is valid only during the call. Rows may be held back until `finish`.
protocol AnswerWriter {
    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws
    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws
    /// Whether the rows so far are held back: what is shown of them is decided by `finish` once all are there.
    var holdsRows: Bool { get }
    /// Rows that `finish` has left out.
    var hiddenRowCount: Int { get }
}

extension AnswerWriter {
    var holdsRows: Bool { false }
    var hiddenRowCount: Int { 0 }
}

extension AnswerFormat {
    /// The writer of rows that have no end: each is written when it comes, in columns that are known before if it needs any.
    func liveWriter(terminal: Terminal, isFolded: Bool, columns: [String]) -> any AnswerWriter {
        switch self {
        case .json: JSONLinesWriter(terminal: terminal)
        case .csv: CSVWriter(terminal: terminal, columns: columns)
        case .raw: RawWriter(terminal: terminal)
        case .auto, .table, .chart: EventLinesWriter(terminal: terminal, isFolded: isFolded)
        }
    }

    /// The writer of this format; a table has at most `rowCountMax` rows, a chart is made of all of them.
    func writer(terminal: Terminal, isFolded: Bool = true, rowCountMax: Int = .max) -> any AnswerWriter {
        switch self {
        case .json: JSONLinesWriter(terminal: terminal)
        case .csv: CSVWriter(terminal: terminal)
        case .raw: RawWriter(terminal: terminal)
        case .table: TableWriter(terminal: terminal, isPlain: true, isFolded: isFolded, rowCountMax: rowCountMax)
        case .chart:
            TableWriter(
                terminal: terminal,
                isPlain: false,
                isChart: true,
                isFolded: isFolded,
                rowCountMax: rowCountMax
            )
        case .auto:
            TableWriter(
                terminal: terminal,
                isPlain: !terminal.isTerminal,
                isFolded: isFolded,
                rowCountMax: rowCountMax
            )
        }
    }
}
