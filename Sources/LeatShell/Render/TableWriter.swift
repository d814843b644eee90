/// Events as lines, as they come; other rows as a table once all are there, or as what shows them best.
struct TableWriter: AnswerWriter {
    private enum Mode {
        case undecided, events, table
    }

    /// Widths are taken from so many first rows; longer values further down push their line.
    private static let measuredRowCountMax = 10_000

    private let terminal: Terminal
    /// Whether a table stays a table: no charts, bars or large numbers.
    private let isPlain: Bool
    /// Whether a chart was asked for, so that bars may use characters in a pipe too.
    private let isChart: Bool
    private let eventLine: EventLine
    /// Rows of a table that are shown.
    private let rowCountMax: Int
    private(set) var hiddenRowCount = 0
    private var mode = Mode.undecided
    private let row = AnswerRow()
    private var line: [UInt8] = []
    private let rows = RowStore()
    private var columns = ColumnSet()

    var holdsRows: Bool { self.mode == .table }

    init(
        terminal: Terminal,
        isPlain: Bool,
        isChart: Bool = false,
        isFolded: Bool = true,
        rowCountMax: Int = .max
    ) {
        self.rowCountMax = rowCountMax
        self.terminal = terminal
        self.isPlain = isPlain
        self.isChart = isChart
        self.eventLine = EventLine(terminal: terminal, isFolded: isFolded)
    }

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        guard self.row.read(row) else { return }
        if self.mode == .undecided { self.mode = Self.isEvent(self.row) ? .events : .table }
        if self.mode == .events {
            self.line.removeAll(keepingCapacity: true)
            self.eventLine.append(self.row, to: &self.line)
            try output.write(self.line)
        } else {
            self.columns.note(self.row)
            try self.rows.append(row)
        }
    }

    /// Stored events have an id; events of files have a time and a text.
    private static func isEvent(_ row: AnswerRow) -> Bool {
        row.field("@timestamp") != nil && (row.field("@id") != nil || row.field("@rawstring") != nil)
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {
        guard self.mode == .table else { return }
        let names = summary.columns ?? self.columns.ordered
        if !self.isPlain {
            if try self.writeChart(names, to: &output) { return }
            if try self.writeSingleValue(names, to: &output) { return }
        }
        try self.writeTable(names, hasBars: !self.isPlain && summary.isAggregate, to: &output)
    }

    private func writeChart(_ names: [String], to output: inout OutputStream) throws -> Bool {
        guard names.contains("_bucket"), names.count > 1, (2...TimeSeries.rowCountMax).contains(self.rows.rowCount)
        else { return false }
        var series = TimeSeries(columns: names)
        let row = AnswerRow()
        try self.rows.forEach { bytes in
            if row.read(bytes) { series.add(row) }
            return true
        }
        guard series.arrange() else { return false }
        try output.write(TimeChart(series, terminal: self.terminal).draw())
        return true
    }

    private func writeSingleValue(_ names: [String], to output: inout OutputStream) throws -> Bool {
        guard self.rows.rowCount == 1, names.count == 1 else { return false }
        let row = AnswerRow()
        var text: String?
        try self.rows.forEach { bytes in
            if row.read(bytes) { text = row.fields.first.map { row.value(of: $0) } }
            return true
        }
        guard let text, let drawn = LargeNumber.draw(text, label: names[0], terminal: self.terminal) else {
            return false
        }
        try output.write(drawn)
        return true
    }

    private mutating func writeTable(_ names: [String], hasBars: Bool, to output: inout OutputStream) throws {
        guard !names.isEmpty else { return }
        var layout = TableLayout(columns: names, terminal: self.terminal, isChart: self.isChart, hasBars: hasBars)
        let row = AnswerRow()
        var index = ColumnIndex(names)
        var measured = 0
        try self.rows.forEach { bytes in
            if row.read(bytes) { layout.measure(row, index.cells(of: row)) }
            measured += 1
            return measured < min(Self.measuredRowCountMax, self.rowCountMax)
        }
        layout.decide()
        var line: [UInt8] = []
        layout.appendHeader(to: &line)
        try output.write(line)
        var written = 0
        try self.rows.forEach { bytes in
            guard written < self.rowCountMax else { return false }
            written += 1
            guard row.read(bytes) else { return true }
            line.removeAll(keepingCapacity: true)
            layout.append(row, index.cells(of: row), to: &line)
            try output.write(line)
            return true
        }
        self.hiddenRowCount = self.rows.rowCount - written
        if let note = layout.note { try output.write(note) }
    }
}
