/// Takes the fields out of one line of comma-separated values (RFC 4180), as slices.
///
/// A field in quotes may hold separators and doubled quotes. An empty line has one empty field. A quote that is not closed
/// reaches to the end of the line, and text behind a closing quote is part of the field, as spreadsheets read it.
public struct CSVScanner {
    /// A field's text without its quotes.
    public struct Field: Hashable, Sendable {
        public let range: Range<Int>
        public let isQuoted: Bool
        /// Whether quotes inside are doubled.
        public let hasDoubledQuotes: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private let separator: UInt8
    private let quote: UInt8
    private var at: Int? = 0

    /// - Parameters:
    ///   - bytes: One line without its newline.
    ///   - separator: What stands between fields.
    ///   - quote: What stands around fields that need it.
    public init(
        _ bytes: UnsafeRawBufferPointer,
        separator: UInt8 = UInt8(ascii: ","),
        quote: UInt8 = UInt8(ascii: "\"")
    ) {
        self.bytes = bytes
        self.separator = separator
        self.quote = quote
    }

    /// The next field; `nil` at the end.
    public mutating func next() -> Field? {
        guard let start = self.at else { return nil }
        if start < self.bytes.count, self.bytes[start] == self.quote { return self.quoted(start) }
        let end = self.bytes.firstIndex(ofByte: self.separator, from: start)
        self.at = end.map { $0 + 1 }
        return Field(range: start..<(end ?? self.bytes.count), isQuoted: false, hasDoubledQuotes: false)
    }

    private mutating func quoted(_ start: Int) -> Field {
        var hasDoubledQuotes = false
        var at = start + 1
        while let found = self.bytes.firstIndex(ofByte: self.quote, from: at) {
            if found + 1 < self.bytes.count, self.bytes[found + 1] == self.quote {
                hasDoubledQuotes = true
                at = found + 2
                continue
            }
            let isAtSeparator = found + 1 == self.bytes.count || self.bytes[found + 1] == self.separator
            if isAtSeparator {
                self.at = found + 1 == self.bytes.count ? nil : found + 2
                return Field(range: start + 1..<found, isQuoted: true, hasDoubledQuotes: hasDoubledQuotes)
            }
            at = found + 1
        }
        self.at = nil
        return Field(range: start + 1..<self.bytes.count, isQuoted: true, hasDoubledQuotes: hasDoubledQuotes)
    }

    /// The text of a field, with single quotes for doubled ones.
    public func text(of field: Field) -> [UInt8] {
        let raw = self.bytes.slice(field.range)
        guard field.hasDoubledQuotes else { return [UInt8](raw) }
        var text: [UInt8] = []
        var at = 0
        while at < raw.count {
            text.append(raw[at])
            at += raw[at] == self.quote && at + 1 < raw.count && raw[at + 1] == self.quote ? 2 : 1
        }
        return text
    }
}
