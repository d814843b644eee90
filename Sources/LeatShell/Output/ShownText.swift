/// Turns the bytes of events into text that a terminal may be sent: control characters and broken UTF-8 become visible.
///
/// `\n`, `\t`, `\r`, `\e`, `\0`, other controls as `\x07`, C1 controls and invisible direction marks as `\u{9b}`,
/// bytes that are not UTF-8 as `\xff`.
enum ShownText {
    /// What newlines and tabs become.
    enum Layout: Hashable, Sendable {
        /// `\n` and `\t`, so that a value stays in its cell.
        case oneLine
        /// A newline stays, a tab becomes spaces up to the next multiple of eight; for an event's text.
        case lines
    }

    /// Appends the shown form of `bytes`, of at most `columnsMax` columns per call; returns the columns it took.
    ///
    /// What does not fit is replaced by `…` (`~` where the terminal is not Unicode).
    @discardableResult
    static func append(
        _ bytes: UnsafeRawBufferPointer,
        to output: inout [UInt8],
        layout: Layout = .oneLine,
        columnsMax: Int = .max,
        terminal: Terminal
    ) -> Int {
        // Fast path: printable ASCII that fits.
        if bytes.count <= columnsMax, Self.isPrintableASCII(bytes) {
            output.append(contentsOf: bytes)
            return bytes.count
        }
        var writer = Writer(layout: layout, columnsMax: columnsMax, terminal: terminal)
        writer.write(bytes, to: &output)
        return writer.columns
    }

    /// A text of somebody else's as it goes to standard output: as it is, but to a terminal without what would command it.
    static func lines(_ bytes: [UInt8], terminal: Terminal) -> [UInt8] {
        guard terminal.isTerminal else { return bytes }
        var shown: [UInt8] = []
        _ = bytes.withUnsafeBytes { Self.append($0, to: &shown, layout: .lines, terminal: terminal) }
        return shown
    }

    /// The columns that `append` would take without a limit.
    static func width(_ bytes: UnsafeRawBufferPointer, terminal: Terminal) -> Int {
        if Self.isPrintableASCII(bytes) { return bytes.count }
        var scratch: [UInt8] = []
        return Self.append(bytes, to: &scratch, terminal: terminal)
    }

    static func isPrintableASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for index in bytes.indices where bytes[index] >= 0x7F || bytes[index] < 0x20 { return false }
        return true
    }

    private struct Writer {
        let layout: Layout
        let columnsMax: Int
        let terminal: Terminal
        /// Columns of the current line.
        var columns = 0
        /// Where the output could be cut so that an ellipsis still fits, and the columns up to there.
        private var cut: (byteCount: Int, columns: Int) = (0, 0)

        init(layout: Layout, columnsMax: Int, terminal: Terminal) {
            self.layout = layout
            self.columnsMax = columnsMax
            self.terminal = terminal
        }

        mutating func write(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
            self.cut = (output.count, 0)
            var index = 0
            while index < bytes.count {
                let (scalar, length) = ShownText.scalar(bytes, at: index)
                guard self.put(scalar, bytes[index], to: &output) else { return }
                index += length
            }
        }

        /// Appends one scalar (`nil`: a byte that is not UTF-8); `false` when the line is full.
        private mutating func put(_ scalar: Unicode.Scalar?, _ byte: UInt8, to output: inout [UInt8]) -> Bool {
            guard let scalar else { return self.put(escape: "\\x" + ShownText.hex(byte), to: &output) }
            switch scalar {
            case "\n" where self.layout == .lines:
                output.append(0x0A)
                self.columns = 0
                return true
            case "\t" where self.layout == .lines:
                let spaces = 8 - self.columns % 8
                return self.put(String(repeating: " ", count: spaces), columns: spaces, to: &output)
            case "\n": return self.put(escape: "\\n", to: &output)
            case "\t": return self.put(escape: "\\t", to: &output)
            case "\r": return self.put(escape: "\\r", to: &output)
            case "\u{1B}": return self.put(escape: "\\e", to: &output)
            case "\0": return self.put(escape: "\\0", to: &output)
            default: break
            }
            if scalar.value < 0x20 || scalar.value == 0x7F {
                return self.put(escape: "\\x" + ShownText.hex(UInt8(scalar.value)), to: &output)
            }
            if ShownText.isDangerous(scalar) || (!self.terminal.isUnicode && !scalar.isASCII) {
                return self.put(escape: "\\u{\(String(scalar.value, radix: 16))}", to: &output)
            }
            return self.put(String(scalar), columns: DisplayWidth.of(scalar), to: &output)
        }

        private mutating func put(escape: String, to output: inout [UInt8]) -> Bool {
            guard self.terminal.hasColor else { return self.put(escape, columns: escape.utf8.count, to: &output) }
            let start = output.count
            guard self.put(escape, columns: escape.utf8.count, to: &output) else { return false }
            output.insert(contentsOf: "\u{1B}[\(Style.escape.code)m".utf8, at: start)
            output.append(contentsOf: "\u{1B}[27;22m".utf8)
            if self.columns < self.columnsMax { self.cut = (output.count, self.columns) }
            return true
        }

        private mutating func put(_ text: String, columns: Int, to output: inout [UInt8]) -> Bool {
            guard self.columns + columns <= self.columnsMax else {
                output.removeLast(output.count - self.cut.byteCount)
                output.append(contentsOf: (self.terminal.isUnicode ? "…" : "~").utf8)
                self.columns = self.cut.columns + 1
                return false
            }
            output.append(contentsOf: text.utf8)
            self.columns += columns
            if self.columns < self.columnsMax { self.cut = (output.count, self.columns) }
            return true
        }
    }

    /// C1 controls, line and paragraph separators, and marks that reorder text: what could deceive the reader.
    static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFF9...0xFFFB: true
        default: false
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// The scalar at `index` and its length in bytes; no scalar and 1 where the bytes are not UTF-8.
    static func scalar(_ bytes: UnsafeRawBufferPointer, at index: Int) -> (Unicode.Scalar?, Int) {
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard (0xC2...0xF4).contains(first), index + length <= bytes.count else { return (nil, 1) }
        var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for next in bytes[(index + 1)..<(index + length)] {
            guard next & 0xC0 == 0x80 else { return (nil, 1) }
            value = value << 6 | UInt32(next & 0x3F)
        }
        let isShortest = value >= (length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000)
        guard isShortest, let scalar = Unicode.Scalar(value) else { return (nil, 1) }
        return (scalar, length)
    }
}
