/// Writes each row as a line for people.
struct EventLinesWriter: AnswerWriter {
    private let eventLine: EventLine
    private let row = AnswerRow()
    private var line: [UInt8] = []

    init(terminal: Terminal, isFolded: Bool) { self.eventLine = EventLine(terminal: terminal, isFolded: isFolded) }

    mutating func write(_ row: UnsafeRawBufferPointer, to output: inout OutputStream) throws {
        guard self.row.read(row) else { return }
        self.line.removeAll(keepingCapacity: true)
        self.eventLine.append(self.row, to: &self.line)
        try output.write(self.line)
    }

    mutating func finish(_ summary: AnswerSummary, to output: inout OutputStream) throws {}
}

/// Writes an event as people read logs: time, source, level, text.
///
/// On a terminal the source has a colour of its own that stays the same, and the level word has the colour of its level
/// wherever it stands. Fields are folded away unless asked for; an event without text shows all of them.
struct EventLine: Sendable {
    private let terminal: Terminal
    /// Whether fields other than text and source stay hidden.
    private let isFolded: Bool

    /// The fields that say where an event comes from; the first that it has is shown.
    private static let sourceFields: [StaticString] = [
        "kubernetes.container_name", "kubernetes.pod_name", "service", "service.name", "container_name", "app",
        "ident", "@source", "@host", "host", "hostname", "host.name",
    ]
    /// The fields that say how grave an event is.
    static let levelFields: [StaticString] = [
        "level", "severity", "loglevel", "log.level", "lvl", "levelname", "log_level",
    ]
    /// How far into a text the level word is looked for, in bytes.
    private static let levelSearchByteCount = 120

    init(terminal: Terminal, isFolded: Bool) {
        self.terminal = terminal
        self.isFolded = isFolded
    }

    /// Appends an event and a newline.
    func append(_ row: AnswerRow, to output: inout [UInt8]) {
        var indent = 0
        if let time = row.integer("@timestamp") {
            output.begin(.dim, if: self.terminal.hasColor)
            ShownTime.append(milliseconds: Int64(time), to: &output)
            output.end(.dim, if: self.terminal.hasColor)
            output.append(0x20)
            indent = 25
        }
        row.bytes.withUnsafeBytes { bytes in
            let source = Self.sourceFields.lazy.compactMap { row.field($0) }.first { !$0.value.isEmpty }
            if let source { indent += self.appendSource(bytes, source, to: &output) }
            self.appendContents(row, bytes, source: source, indent: indent, to: &output)
        }
        output.append(0x0A)
    }

    /// Appends where an event comes from; returns the columns that it takes.
    private func appendSource(
        _ bytes: UnsafeRawBufferPointer,
        _ source: AnswerRow.Field,
        to output: inout [UInt8]
    ) -> Int {
        let value = UnsafeRawBufferPointer(rebasing: bytes[source.value])
        let style = Style.source(value)
        output.begin(style, if: self.terminal.hasColor)
        let columns = ShownText.append(value, to: &output, columnsMax: 40, terminal: self.terminal)
        output.end(style, if: self.terminal.hasColor)
        output.append(0x20)
        return columns + 1
    }

    private func appendContents(
        _ row: AnswerRow,
        _ bytes: UnsafeRawBufferPointer,
        source: AnswerRow.Field?,
        indent: Int,
        to output: inout [UInt8]
    ) {
        let text = row.field("@rawstring").flatMap { $0.value.isEmpty ? nil : $0 }
        if let text {
            let value = UnsafeRawBufferPointer(rebasing: bytes[text.value])
            if self.isFolded, self.terminal.isTerminal, let object = JSONEventText(value) {
                let source = source.map { UnsafeRawBufferPointer(rebasing: bytes[$0.value]) }
                object.append(to: &output, terminal: self.terminal, indent: indent, source: source)
                return
            }
            if self.terminal.isTerminal, Self.levelWord(value) == nil { self.appendLevel(row, bytes, to: &output) }
            self.appendText(value, to: &output)
            if self.isFolded { return }
        }
        var isFirst = text == nil
        for field in row.fields {
            let name = UnsafeRawBufferPointer(rebasing: bytes[field.name])
            if field.name == source?.name && self.isFolded || Self.isShownElsewhere(name) { continue }
            let value = UnsafeRawBufferPointer(rebasing: bytes[field.value])
            // The field that is the event's text has been shown.
            if let text, value.count > 16, value.elementsEqual(bytes[text.value]) { continue }
            let separator = isFirst ? "" : text == nil ? " " : "\n    "
            output.append(contentsOf: separator.utf8)
            isFirst = false
            self.append(name, .dim, to: &output)
            self.append("=", .dim, to: &output)
            self.append(value, Style.level(value) ?? .plain, to: &output)
        }
    }

    private static func isShownElsewhere(_ name: UnsafeRawBufferPointer) -> Bool {
        name.elementsEqual("@rawstring".utf8) || name.elementsEqual("@timestamp".utf8)
            || name.elementsEqual("@timestamp.nanos".utf8) || name.elementsEqual("@id".utf8)
            || name.elementsEqual("@ingesttimestamp".utf8) || name.elementsEqual("@timezone".utf8)
            || name.first == UInt8(ascii: "#")
    }

    private func append(_ value: UnsafeRawBufferPointer, _ style: Style, to output: inout [UInt8]) {
        output.begin(style, if: self.terminal.hasColor)
        ShownText.append(value, to: &output, terminal: self.terminal)
        output.end(style, if: self.terminal.hasColor)
    }

    private func append(_ text: String, _ style: Style, to output: inout [UInt8]) {
        output.append(text, style, if: self.terminal.hasColor)
    }

    /// The level is a field and not in the text: it goes before it, with its word kept.
    private func appendLevel(_ row: AnswerRow, _ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard let field = Self.levelFields.lazy.compactMap({ row.field($0) }).first else { return }
        let value = UnsafeRawBufferPointer(rebasing: bytes[field.value])
        guard let style = Style.level(value) else { return }
        self.append(value, style, to: &output)
        output.append(0x20)
    }

    /// The colour of a level, also of the numbers that bunyan and pino write.
    static func style(ofLevel value: UnsafeRawBufferPointer) -> Style {
        switch String(decoding: value.prefix(3), as: UTF8.self) {
        case "60": .fatal
        case "50": .error
        case "40": .warning
        case "30": .info
        case "20", "10": .debug
        default: Style.level(value) ?? .plain
        }
    }

    /// Appends the event's text, its level word coloured; a terminal gets a screen of it at most.
    private func appendText(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        let whole = Self.withoutNewlineAtEnd(text)
        guard self.terminal.isTerminal || self.terminal.hasColor else {
            // A pipe gets the text as it is.
            output.append(contentsOf: whole)
            return
        }
        let text = self.isFolded && self.terminal.isTerminal ? self.screenful(of: whole) : whole
        if self.terminal.hasColor, let (word, style) = Self.levelWord(text) {
            for (index, part) in [0..<word.lowerBound, word, word.upperBound..<text.count].enumerated() {
                let bytes = UnsafeRawBufferPointer(rebasing: text[part])
                if index == 1 { output.begin(style, if: true) }
                ShownText.append(bytes, to: &output, layout: .lines, terminal: self.terminal)
                if index == 1 { output.end(style, if: true) }
            }
        } else {
            ShownText.append(text, to: &output, layout: .lines, terminal: self.terminal)
        }
        if text.count < whole.count {
            let rest = "… (\(Amount.bytes(whole.count)) in all; \\fields on or --fields shows them)"
            self.append(self.terminal.isUnicode ? rest : String(rest.dropFirst(2)), .dim, to: &output)
        }
    }

    /// As much of a text as fills the screen, cut between characters.
    private func screenful(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = max(1_000, self.terminal.width * self.terminal.height)
        guard text.count > end else { return text }
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    private static func withoutNewlineAtEnd(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = text.count
        while end > 0, text[end - 1] == 0x0A || text[end - 1] == 0x0D { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    /// The first word in the beginning of a text that names a level.
    static func levelWord(_ text: UnsafeRawBufferPointer) -> (range: Range<Int>, style: Style)? {
        let end = min(text.count, Self.levelSearchByteCount)
        var start = 0
        while start < end {
            guard Self.isLetter(text[start]) else {
                start += 1
                continue
            }
            var wordEnd = start
            while wordEnd < text.count, wordEnd - start < 16, Self.isLetter(text[wordEnd]) { wordEnd += 1 }
            let word = UnsafeRawBufferPointer(rebasing: text[start..<wordEnd])
            // Lower-case words count only as values (`level=error`, `"level":"error"`), not in prose.
            let isValue =
                start > 0
                && (text[start - 1] == UInt8(ascii: "=") || text[start - 1] == UInt8(ascii: "\"")
                    || text[start - 1] == UInt8(ascii: "["))
            if word.count >= 3, isValue || Self.isUpperCase(word), let style = Style.level(word) {
                return (start..<wordEnd, style)
            }
            start = max(wordEnd, start + 1)
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }

    private static func isUpperCase(_ word: UnsafeRawBufferPointer) -> Bool { word.allSatisfy { $0 < 0x61 } }
}
