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
    private static let levelFields: [StaticString] = [
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
        if let time = row.integer("@timestamp") {
            output.begin(.dim, if: self.terminal.hasColor)
            ShownTime.append(milliseconds: Int64(time), to: &output)
            output.end(.dim, if: self.terminal.hasColor)
            output.append(0x20)
        }
        row.bytes.withUnsafeBytes { bytes in
            let source = self.appendSource(row, bytes, to: &output)
            self.appendContents(row, bytes, source: source, to: &output)
        }
        output.append(0x0A)
    }

    private func appendSource(
        _ row: AnswerRow,
        _ bytes: UnsafeRawBufferPointer,
        to output: inout [UInt8]
    ) -> Range<Int>? {
        guard let field = Self.sourceFields.lazy.compactMap({ row.field($0) }).first, !field.value.isEmpty else {
            return nil
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[field.value])
        let style = Style.source(value)
        output.begin(style, if: self.terminal.hasColor)
        ShownText.append(value, to: &output, columnsMax: 40, terminal: self.terminal)
        output.end(style, if: self.terminal.hasColor)
        output.append(0x20)
        return field.name
    }

    private func appendContents(
        _ row: AnswerRow,
        _ bytes: UnsafeRawBufferPointer,
        source: Range<Int>?,
        to output: inout [UInt8]
    ) {
        let text = row.field("@rawstring").flatMap { $0.value.isEmpty ? nil : $0 }
        if let text {
            let value = UnsafeRawBufferPointer(rebasing: bytes[text.value])
            if !self.appendText(value, to: &output) { self.prependLevel(row, bytes, to: &output) }
            if self.isFolded { return }
        }
        var isFirst = text == nil
        for field in row.fields {
            let name = UnsafeRawBufferPointer(rebasing: bytes[field.name])
            if field.name == source && self.isFolded || Self.isShownElsewhere(name) { continue }
            let separator = isFirst ? "" : text == nil ? " " : "\n    "
            output.append(contentsOf: separator.utf8)
            isFirst = false
            self.append(name, .dim, to: &output)
            self.append("=", .dim, to: &output)
            let value = UnsafeRawBufferPointer(rebasing: bytes[field.value])
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

    /// The level is a field and not in the text: it goes behind the line, in brackets, with its word kept.
    private func prependLevel(_ row: AnswerRow, _ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard self.terminal.isTerminal, let field = Self.levelFields.lazy.compactMap({ row.field($0) }).first else {
            return
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[field.value])
        guard let style = Style.level(value) else { return }
        output.append(contentsOf: " [".utf8)
        self.append(value, style, to: &output)
        output.append(UInt8(ascii: "]"))
    }

    /// Appends the event's text; returns whether a level word was found and coloured in it.
    private func appendText(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) -> Bool {
        let text = Self.withoutNewlineAtEnd(text)
        guard self.terminal.isTerminal || self.terminal.hasColor else {
            // A pipe gets the text as it is.
            output.append(contentsOf: text)
            return true
        }
        guard self.terminal.hasColor, let (word, style) = Self.levelWord(text) else {
            ShownText.append(text, to: &output, layout: .lines, terminal: self.terminal)
            return Self.levelWord(text) != nil
        }
        let parts = [0..<word.lowerBound, word, word.upperBound..<text.count]
        for (index, part) in parts.enumerated() {
            let bytes = UnsafeRawBufferPointer(rebasing: text[part])
            if index == 1 { output.begin(style, if: true) }
            ShownText.append(bytes, to: &output, layout: .lines, terminal: self.terminal)
            if index == 1 { output.end(style, if: true) }
        }
        return true
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
