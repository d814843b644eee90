internal import LeatCore

/// Finds `key=value`, `key="v"`, `key='v'` and `key = value` in a text.
struct KeyValueParser: Sendable {
    /// Whether white space may stand around the separator.
    private enum Padding {
        case no, yes, unknown
    }

    private let separator: [UInt8]
    private let padding: Padding
    private let prefix: String
    private let keepsFirst: Bool
    private let excludesEmpty: Bool

    init(_ call: BoundCall) throws(CallProblem) {
        self.separator = Array((call.text("separator") ?? "=").utf8)
        if self.separator.isEmpty { throw call.problem("'separator' of kvParse() is empty", of: "separator") }
        self.padding =
            switch call.text("separatorPadding")?.lowercased() {
            case "no": .no
            case "yes": .yes
            default: .unknown
            }
        let prefix = call.text("as") ?? ""
        self.prefix = prefix.isEmpty || prefix.hasSuffix(".") ? prefix : prefix + "."
        self.keepsFirst = call.text("onDuplicate")?.lowercased() == "keepfirst"
        self.excludesEmpty = call.isTrue("excludeEmpty")
    }

    /// Writes the pairs of a text as fields.
    func parse(_ text: UnsafeRawBufferPointer, into outputs: inout RowOutputs) {
        var seen: Set<String> = []
        var position = 0
        var isNextEmpty = false
        while let found = self.nextSeparator(text, from: position) {
            let key = self.key(text, before: found, from: position)
            guard !key.isEmpty else {
                position = found + self.separator.count
                continue
            }
            let start = found + self.separator.count
            var (value, end) = self.value(text, from: start)
            if isNextEmpty { (value, end) = ([], start) }
            position = max(end, start)
            // A key that stood right after a separator has no value of its own (`a=b = c`, padding `yes`).
            isNextEmpty = self.padding == .yes && end == start && start < text.count && !Self.isSpace(text[start])
            let name = self.prefix + text.slice(key).text
            if self.excludesEmpty && value.isEmpty { continue }
            if seen.insert(name).inserted || !self.keepsFirst { outputs.set(field: name, to: value) }
        }
    }

    private func nextSeparator(_ text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        self.separator.withUnsafeBytes { ByteSearch.find($0, in: text, from: start) }
    }

    /// The word before the separator, with white space between them if need be.
    private func key(_ text: UnsafeRawBufferPointer, before found: Int, from start: Int) -> Range<Int> {
        var end = found
        while end > start, Self.isSpace(text[end - 1]) { end -= 1 }
        var first = end
        while first > start, Self.isKey(text[first - 1]) { first -= 1 }
        // An opening bracket before a key belongs to the text around it.
        while first < end, text[first] == UInt8(ascii: "[") { first += 1 }
        return first..<end
    }

    private func value(_ text: UnsafeRawBufferPointer, from start: Int) -> (value: [UInt8], end: Int) {
        var position = start
        if self.padding != .no {
            while position < text.count, text[position] == 0x20 || text[position] == 0x09 { position += 1 }
        }
        guard position < text.count else { return ([], position) }
        let quote = text[position]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            return Self.quoted(text, from: position, quote)
        }
        var end = position
        while end < text.count, !Self.isSpace(text[end]), text[end] != UInt8(ascii: ",") { end += 1 }
        if self.padding == .yes && self.isSeparator(text, after: end) { return ([], start) }
        let next = end
        if end > position, text[end - 1] == UInt8(ascii: ".") { end -= 1 }
        return (Array(text[position..<end]), next)
    }

    /// Whether a separator with white space before it follows, so that the word is the next key.
    private func isSeparator(_ text: UnsafeRawBufferPointer, after end: Int) -> Bool {
        var next = end
        while next < text.count, Self.isSpace(text[next]) { next += 1 }
        guard next > end, text.count - next >= self.separator.count else { return false }
        return text.slice(next..<next + self.separator.count).elementsEqual(self.separator)
    }

    private static func quoted(
        _ text: UnsafeRawBufferPointer,
        from start: Int,
        _ quote: UInt8
    ) -> (value: [UInt8], end: Int) {
        var value: [UInt8] = []
        var position = start + 1
        while position < text.count, text[position] != quote {
            if text[position] == UInt8(ascii: "\\"), position + 1 < text.count,
                text[position + 1] == quote || text[position + 1] == UInt8(ascii: "\\")
            {
                position += 1
            }
            value.append(text[position])
            position += 1
        }
        return (value, min(position + 1, text.count))
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private static func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: ":"), 0x80...0xFF:
            true
        default: false
        }
    }
}
