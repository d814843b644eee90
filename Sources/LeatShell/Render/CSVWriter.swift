/// Comma-separated values (RFC 4180, lines end in LF) with a header; absent fields are empty.
///
/// Rows wait until all are there, since the last may bring a column, unless the columns are known before the first. What
/// waits are the cells as they are written, each behind the number of its column, so that a row is read once.
struct CSVWriter: AnswerWriter {
    private let terminal: Terminal
    private let rows = RowStore()
    private var columns = ColumnSet()
    private let row = AnswerRow()
    /// Where the columns are that were known before; rows are written as they come then.
    private var index: ColumnIndex?
    private var header: [String]?
    /// What is written next: a line, or the cells of a row that waits.
    private var line: [UInt8] = []

    init(terminal: Terminal = .pipe, columns: [String]? = nil) {
        self.terminal = terminal
        self.header = columns
        self.index = columns.map { ColumnIndex($0) }
    }

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        guard self.row.read(row) else { return }
        if self.index != nil {
            try self.writeHeader(to: &output)
            return try self.writeRow(to: &output)
        }
        self.line.removeAll(keepingCapacity: true)
        self.row.bytes.withUnsafeBytes { bytes in
            for field in self.row.fields {
                self.appendNumber(self.columns.number(of: field, in: self.row))
                let start = self.line.count
                self.appendNumber(0)
                self.append(UnsafeRawBufferPointer(rebasing: bytes[field.value]), isOnly: false)
                let length = UInt32(self.line.count - start - Self.numberByteCount)
                self.line.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt32.self) }
            }
        }
        try self.line.withUnsafeBytes { try self.rows.append($0) }
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {
        guard self.index == nil else { return try self.writeHeader(to: &output) }
        let names = summary.columns ?? self.columns.ordered
        self.header = names
        try self.writeHeader(to: &output)
        guard !names.isEmpty else { return }
        let positions = self.columns.positions(in: names)
        var cells = [Range<Int>?](repeating: nil, count: names.count)
        try self.rows.forEach { row in
            Self.find(&cells, in: row, positions)
            try self.writeCells(cells, of: row, to: &output)
            return true
        }
    }

    // MARK: rows that wait

    private static let numberByteCount = 4

    private mutating func appendNumber(_ number: Int) {
        withUnsafeBytes(of: UInt32(number)) { self.line.append(contentsOf: $0) }
    }

    /// Finds per column where its cell lies in a row that has waited; of two of one name the last counts.
    private static func find(_ cells: inout [Range<Int>?], in row: UnsafeRawBufferPointer, _ positions: [Int?]) {
        for index in cells.indices { cells[index] = nil }
        var offset = 0
        while offset < row.count {
            let number = Int(row.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let length = Int(row.loadUnaligned(fromByteOffset: offset + Self.numberByteCount, as: UInt32.self))
            let start = offset + 2 * Self.numberByteCount
            offset = start + length
            if let position = positions[number] { cells[position] = start..<offset }
        }
    }

    private mutating func writeCells(
        _ cells: [Range<Int>?],
        of row: UnsafeRawBufferPointer,
        to output: inout OutputStream
    ) throws {
        self.line.removeAll(keepingCapacity: true)
        for (position, cell) in cells.enumerated() {
            if position > 0 { self.line.append(UInt8(ascii: ",")) }
            if let cell { self.line.append(contentsOf: UnsafeRawBufferPointer(rebasing: row[cell])) }
        }
        // A line without anything would be no line.
        if self.line.isEmpty { self.line.append(contentsOf: "\"\"".utf8) }
        self.line.append(0x0A)
        try output.write(self.line)
    }

    // MARK: columns that are known

    /// Writes the names of the columns, once.
    private mutating func writeHeader(to output: inout OutputStream) throws {
        guard let names = self.header, !names.isEmpty else { return }
        self.header = nil
        self.line.removeAll(keepingCapacity: true)
        for (position, name) in names.enumerated() {
            if position > 0 { self.line.append(UInt8(ascii: ",")) }
            Array(name.utf8).withUnsafeBytes { self.append($0, isOnly: names.count == 1) }
        }
        self.line.append(0x0A)
        try output.write(self.line)
    }

    /// Writes the row that was read last.
    private mutating func writeRow(to output: inout OutputStream) throws {
        guard let cells = self.index?.cells(of: self.row), !cells.isEmpty else { return }
        self.line.removeAll(keepingCapacity: true)
        self.row.bytes.withUnsafeBytes { bytes in
            for (position, cell) in cells.enumerated() {
                if position > 0 { self.line.append(UInt8(ascii: ",")) }
                let value = UnsafeRawBufferPointer(rebasing: bytes[cell ?? 0..<0])
                self.append(value, isOnly: cells.count == 1)
            }
        }
        self.line.append(0x0A)
        try output.write(self.line)
    }

    /// Appends a value, between quotes where it must; a line with one empty value would be no line without them.
    private mutating func append(_ value: UnsafeRawBufferPointer, isOnly: Bool) {
        let isQuoted = Self.needsQuotes(value) || (isOnly && value.isEmpty)
        if isQuoted { self.line.append(UInt8(ascii: "\"")) }
        if self.terminal.isTerminal, !ShownText.isPrintableASCII(value) {
            var shown: [UInt8] = []
            ShownText.append(value, to: &shown, layout: .lines, terminal: self.terminal)
            shown.withUnsafeBytes { self.append($0, doublingQuotes: isQuoted) }
        } else {
            self.append(value, doublingQuotes: isQuoted)
        }
        if isQuoted { self.line.append(UInt8(ascii: "\"")) }
    }

    private mutating func append(_ value: UnsafeRawBufferPointer, doublingQuotes: Bool) {
        guard doublingQuotes else { return self.line.append(contentsOf: value) }
        for byte in value {
            if byte == UInt8(ascii: "\"") { self.line.append(byte) }
            self.line.append(byte)
        }
    }

    /// Whether a value has commas, quotes or line ends, or space at its ends, which some readers would take away.
    private static func needsQuotes(_ value: UnsafeRawBufferPointer) -> Bool {
        if value.first == 0x20 || value.last == 0x20 { return true }
        var special: UInt8 = 0
        // No early end: the compiler makes wide compares of this.
        for byte in value {
            special |= byte == UInt8(ascii: ",") ? 1 : 0
            special |= byte == UInt8(ascii: "\"") ? 1 : 0
            special |= byte == 0x0A || byte == 0x0D ? 1 : 0
        }
        return special != 0
    }
}
