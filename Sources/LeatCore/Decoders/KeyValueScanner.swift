/// Finds `key=value` pairs in a line, as slices: logfmt, and the looser `key = "value", other='x'` of other programs.
///
///     var scanner = KeyValueScanner(bytes)
///     while let pair = scanner.next() { … bytes.slice(pair.key) … scanner.value(of: pair) … }
///
/// Words without an equals sign are passed over, or returned as keys without a value when `hasBareKeys`.
public struct KeyValueScanner {
    /// What stands around keys and values.
    public struct Options: Hashable, Sendable {
        /// Whether spaces may stand around the equals sign.
        public var allowsSpacesAroundEquals: Bool
        /// Whether single quotes are quotes too.
        public var allowsSingleQuotes: Bool
        /// Whether a comma or semicolon ends a value without quotes, besides white space.
        public var separatesAtCommas: Bool
        /// Whether a word without an equals sign is a pair without a value.
        public var hasBareKeys: Bool

        public init(
            allowsSpacesAroundEquals: Bool = false,
            allowsSingleQuotes: Bool = false,
            separatesAtCommas: Bool = false,
            hasBareKeys: Bool = false
        ) {
            self.allowsSpacesAroundEquals = allowsSpacesAroundEquals
            self.allowsSingleQuotes = allowsSingleQuotes
            self.separatesAtCommas = separatesAtCommas
            self.hasBareKeys = hasBareKeys
        }

        /// Words of `key=value`, values quoted with `"`, words without a value allowed.
        public static let logfmt = Options(hasBareKeys: true)

        /// Pairs anywhere in a text.
        public static let loose = Options(
            allowsSpacesAroundEquals: true,
            allowsSingleQuotes: true,
            separatesAtCommas: true
        )
    }

    /// A key and the text of its value, without quotes.
    public struct Pair: Hashable, Sendable {
        public let key: Range<Int>
        /// Empty for a key without a value.
        public let value: Range<Int>
        /// Whether the value has backslashes that quote the byte behind them.
        public let hasEscapes: Bool
        /// Whether there was an equals sign.
        public let hasValue: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private let options: Options
    private var at = 0

    public init(_ bytes: UnsafeRawBufferPointer, options: Options = .logfmt) {
        self.bytes = bytes
        self.options = options
    }

    /// The next pair; `nil` at the end.
    public mutating func next() -> Pair? {
        while true {
            while self.at < self.bytes.count, !self.isKeyByte(self.bytes[self.at]) { self.skipJunk() }
            guard self.at < self.bytes.count else { return nil }
            let key = self.word()
            if let value = self.valueStart() {
                self.at = value
                return self.readValue(key)
            }
            if self.options.hasBareKeys {
                return Pair(key: key, value: key.upperBound..<key.upperBound, hasEscapes: false, hasValue: false)
            }
        }
    }

    /// The text of a pair's value without escapes.
    public func value(of pair: Pair) -> [UInt8] {
        let raw = self.bytes.slice(pair.value)
        guard pair.hasEscapes else { return [UInt8](raw) }
        var text: [UInt8] = []
        text.reserveCapacity(raw.count)
        var at = 0
        while at < raw.count {
            var byte = raw[at]
            if byte == UInt8(ascii: "\\"), at + 1 < raw.count {
                at += 1
                byte = Self.unescaped(raw[at])
            }
            text.append(byte)
            at += 1
        }
        return text
    }

    private static func unescaped(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        default: letter
        }
    }

    /// Passes over a byte that begins no key; a quoted text as a whole, so that nothing is found inside.
    private mutating func skipJunk() {
        if self.bytes[self.at] == UInt8(ascii: "\""), let end = self.quoteEnd(self.at) {
            self.at = end.end + 1
        } else {
            self.at += 1
        }
    }

    private mutating func word() -> Range<Int> {
        let start = self.at
        while self.at < self.bytes.count, self.isKeyByte(self.bytes[self.at]) { self.at += 1 }
        return start..<self.at
    }

    private func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case ...0x20, 0x7F, UInt8(ascii: "="), UInt8(ascii: "\""): false
        case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "{"), UInt8(ascii: "}"):
            !self.options.separatesAtCommas
        default: true
        }
    }

    /// Where the value of the key just read begins; `nil` when there is none.
    private func valueStart() -> Int? {
        var at = self.at
        if self.options.allowsSpacesAroundEquals {
            while at < self.bytes.count, self.bytes[at] == 0x20 { at += 1 }
        }
        guard at < self.bytes.count, self.bytes[at] == UInt8(ascii: "=") else { return nil }
        at += 1
        guard self.options.allowsSpacesAroundEquals else { return at }
        var after = at
        while after < self.bytes.count, self.bytes[after] == 0x20 { after += 1 }
        // `a= b=c`: what follows is the next key, and this value is empty.
        return after > at && self.isPair(at: after) ? at : after
    }

    private func isPair(at start: Int) -> Bool {
        var at = start
        while at < self.bytes.count, self.isKeyByte(self.bytes[at]) { at += 1 }
        return at > start && at < self.bytes.count && self.bytes[at] == UInt8(ascii: "=")
    }

    private mutating func readValue(_ key: Range<Int>) -> Pair {
        if self.at < self.bytes.count {
            let byte = self.bytes[self.at]
            let isQuote = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") && self.options.allowsSingleQuotes
            if isQuote, let quoted = self.quoteEnd(self.at) {
                let value = self.at + 1..<quoted.end
                self.at = quoted.end + 1
                return Pair(key: key, value: value, hasEscapes: quoted.hasEscapes, hasValue: true)
            }
        }
        let start = self.at
        while self.at < self.bytes.count, !self.endsValue(self.bytes[self.at]) { self.at += 1 }
        return Pair(key: key, value: start..<self.at, hasEscapes: false, hasValue: true)
    }

    private func endsValue(_ byte: UInt8) -> Bool {
        byte <= 0x20 || self.options.separatesAtCommas && (byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";"))
    }

    /// The closing quote of the quote at `start`; `nil` when it is never closed.
    private func quoteEnd(_ start: Int) -> (end: Int, hasEscapes: Bool)? {
        let quote = self.bytes[start]
        var hasEscapes = false
        var at = start + 1
        while let found = self.bytes.firstIndex(ofByte: quote, or: UInt8(ascii: "\\"), from: at) {
            if self.bytes[found] == quote { return (found, hasEscapes) }
            hasEscapes = true
            at = found + 2
        }
        return nil
    }
}
