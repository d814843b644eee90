/// Rows as they come: one object a line.
struct JSONLinesWriter: AnswerWriter {
    private let terminal: Terminal
    private var scratch: [UInt8] = []

    init(terminal: Terminal) { self.terminal = terminal }

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        if self.terminal.isTerminal && !ShownText.isPrintableASCII(row) {
            // JSON escapes C0 controls itself; C1 controls and direction marks would reach the terminal.
            self.scratch.removeAll(keepingCapacity: true)
            Self.escapeDangerous(row, to: &self.scratch)
            try output.write(self.scratch)
        } else {
            try output.write(row)
        }
        try output.write(byte: 0x0A)
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {}

    private static func escapeDangerous(_ row: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var index = 0
        while index < row.count {
            let (scalar, length) = ShownText.scalar(row, at: index)
            if let scalar, ShownText.isDangerous(scalar) || scalar == "\u{7F}" {
                let digits = String(scalar.value, radix: 16)
                output.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
            } else if scalar == nil {
                output.append(contentsOf: "\u{FFFD}".utf8)
            } else {
                output.append(contentsOf: row[index..<(index + length)])
            }
            index += length
        }
    }
}
