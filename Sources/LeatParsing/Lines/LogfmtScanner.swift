internal import LeatCore

/// Steps over the pairs of a logfmt line: `key=value key="quoted value" bare`.
///
/// Keys and bare values are runs of bytes above the space, but for `=` and `"`; everything else between pairs is skipped.
struct LogfmtScanner {
    struct Pair {
        let key: Range<Int>
        /// `nil` for a key without `=`.
        let value: Range<Int>?
        let isQuoted: Bool
        let hasEscapes: Bool
    }

    private let line: UnsafeRawBufferPointer
    private var index = 0

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    mutating func next() -> Pair? {
        while self.index < self.line.count, !Self.isIdentifier(self.line[self.index]) { self.index += 1 }
        guard self.index < self.line.count else { return nil }
        let key = self.identifier()
        guard self.index < self.line.count, self.line[self.index] == UInt8(ascii: "=") else {
            return Pair(key: key, value: nil, isQuoted: false, hasEscapes: false)
        }
        self.index += 1
        guard self.index < self.line.count, self.line[self.index] == UInt8(ascii: "\"") else {
            return Pair(key: key, value: self.bareValue(), isQuoted: false, hasEscapes: false)
        }
        let (value, hasEscapes) = self.quotedValue()
        return Pair(key: key, value: value, isQuoted: true, hasEscapes: hasEscapes)
    }

    private mutating func identifier() -> Range<Int> {
        let start = self.index
        while self.index < self.line.count, Self.isIdentifier(self.line[self.index]) { self.index += 1 }
        return start..<self.index
    }

    /// A value without quotes may hold `=`, as base64 and query strings do.
    private mutating func bareValue() -> Range<Int> {
        let start = self.index
        while self.index < self.line.count, self.line[self.index] > 0x20, self.line[self.index] != UInt8(ascii: "\"") {
            self.index += 1
        }
        return start..<self.index
    }

    private mutating func quotedValue() -> (Range<Int>, hasEscapes: Bool) {
        let start = self.index + 1
        var at = start
        var hasEscapes = false
        while let found = self.line.firstIndex(ofByte: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: at) {
            if self.line[found] == UInt8(ascii: "\"") {
                self.index = found + 1
                return (start..<found, hasEscapes)
            }
            hasEscapes = true
            at = min(found + 2, self.line.count)
        }
        self.index = self.line.count
        return (start..<self.line.count, hasEscapes)
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\"")
    }
}
