/// The text of each event as it arrived; rows without one give their values.
struct RawWriter: AnswerWriter {
    private let terminal: Terminal
    private let row = AnswerRow()
    private var line: [UInt8] = []

    init(terminal: Terminal) { self.terminal = terminal }

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        guard self.row.read(row) else { return }
        self.line.removeAll(keepingCapacity: true)
        if let text = self.row.field("@rawstring") {
            self.append(text.value, layout: .lines)
        } else if self.row.fields.count == 1 {
            self.append(self.row.fields[0].value, layout: .lines)
        } else {
            // As Humio writes rows as plain text: `a->hello, b->world`.
            for (index, field) in self.row.fields.enumerated() {
                if index > 0 { self.line.append(contentsOf: ", ".utf8) }
                self.append(field.name, layout: .oneLine)
                self.line.append(contentsOf: "->".utf8)
                self.append(field.value, layout: .oneLine)
            }
        }
        self.line.append(0x0A)
        try output.write(self.line)
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {}

    private mutating func append(_ range: Range<Int>, layout: ShownText.Layout) {
        guard self.terminal.isTerminal else {
            self.line.append(contentsOf: self.row.bytes[range])
            return
        }
        self.row.bytes.withUnsafeBytes { bytes in
            let value = UnsafeRawBufferPointer(rebasing: bytes[range])
            _ = ShownText.append(value, to: &self.line, layout: layout, terminal: self.terminal)
        }
    }
}
