/// Comma-separated values (RFC 4180, lines end in LF) with a header; absent fields are empty.
///
/// Rows wait until all are there, since the last may bring a column.
struct CSVWriter: AnswerWriter {
    private let rows = RowStore()
    private var columns = ColumnSet()
    private let row = AnswerRow()

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        guard self.row.read(row) else { return }
        self.columns.note(self.row)
        try self.rows.append(row)
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {
        let names = summary.columns ?? self.columns.ordered
        guard !names.isEmpty else { return }
        var index = ColumnIndex(names)
        var line: [UInt8] = []
        for (position, name) in names.enumerated() {
            if position > 0 { line.append(UInt8(ascii: ",")) }
            Array(name.utf8).withUnsafeBytes { Self.append($0, to: &line) }
        }
        line.append(0x0A)
        try output.write(line)
        let row = AnswerRow()
        try self.rows.forEach { bytes in
            guard row.read(bytes) else { return true }
            let cells = index.cells(of: row)
            line.removeAll(keepingCapacity: true)
            row.bytes.withUnsafeBytes { bytes in
                for (position, cell) in cells.enumerated() {
                    if position > 0 { line.append(UInt8(ascii: ",")) }
                    if let cell { Self.append(UnsafeRawBufferPointer(rebasing: bytes[cell]), to: &line) }
                }
            }
            line.append(0x0A)
            try output.write(line)
            return true
        }
    }

    private static func append(_ value: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        let needsQuotes = value.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0A || $0 == 0x0D
        }
        guard needsQuotes || value.first == 0x20 || value.last == 0x20 else {
            line.append(contentsOf: value)
            return
        }
        line.append(UInt8(ascii: "\""))
        for byte in value {
            if byte == UInt8(ascii: "\"") { line.append(byte) }
            line.append(byte)
        }
        line.append(UInt8(ascii: "\""))
    }
}
