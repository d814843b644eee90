internal import LeatCore

/// Writing the members of records: JSON text appended to bytes.
extension [UInt8] {
    /// Appends the UTF-8 of a literal.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        self.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a member whose value is a string: `,"name":"value"`, without the comma at the record's start.
    mutating func appendMember(_ name: String, text: some Collection<UInt8>, start: Int) {
        if self.count > start { self.append(UInt8(ascii: ",")) }
        self.append(UInt8(ascii: "\""))
        Array(name.utf8).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append("\":\"")
        Array(text).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append(UInt8(ascii: "\""))
    }

    /// Appends a member whose value is JSON already.
    mutating func appendMember(_ name: String, json: String, start: Int) {
        if self.count > start { self.append(UInt8(ascii: ",")) }
        self.append(UInt8(ascii: "\""))
        Array(name.utf8).withUnsafeBytes { _ = self.appendEscaped($0) }
        self.append("\":")
        self.append(contentsOf: json.utf8)
    }

    /// Appends text as the contents of a JSON string; says whether it was UTF-8.
    ///
    /// Each byte that does not belong to well-formed UTF-8 becomes U+FFFD, since JSON cannot hold it.
    mutating func appendEscaped(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let invalid = ByteSearch.firstInvalidUTF8(in: text) else {
            self.appendEscapedUTF8(text)
            return true
        }
        var rest = text
        var bad: Int? = invalid
        while let position = bad {
            self.appendEscapedUTF8(rest.slice(0..<position))
            self.append("\u{FFFD}")
            rest = rest.slice((position + 1)..<rest.count)
            bad = ByteSearch.firstInvalidUTF8(in: rest)
        }
        self.appendEscapedUTF8(rest)
        return false
    }

    /// Fast path: eight bytes at a time until one needs an escape.
    private mutating func appendEscapedUTF8(_ text: UnsafeRawBufferPointer) {
        var start = 0
        var index = 0
        while index < text.count {
            if index + 8 <= text.count {
                let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let mask = Self.specialBytes(word)
                if mask == 0 {
                    index += 8
                    continue
                }
                index += mask.trailingZeroBitCount / 8
            } else if !Self.isSpecial(text[index]) {
                index += 1
                continue
            }
            self.append(contentsOf: text.slice(start..<index))
            self.appendEscape(text[index])
            index += 1
            start = index
        }
        self.append(contentsOf: text.slice(start..<text.count))
    }

    /// The high bit of the first byte below 0x20, of a quote or a backslash; higher ones may be wrong.
    ///
    /// From "Determine if a word has a byte less than n" in Anderson's Bit Twiddling Hacks.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let controls = (word &- ones &* 0x20) & ~word
        return (controls | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)) & highs
    }

    @inline(__always)
    private static func isSpecial(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

    private mutating func appendEscape(_ byte: UInt8) {
        self.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: self.append(byte)
        case 0x0A: self.append(UInt8(ascii: "n"))
        case 0x09: self.append(UInt8(ascii: "t"))
        case 0x0D: self.append(UInt8(ascii: "r"))
        case 0x08: self.append(UInt8(ascii: "b"))
        case 0x0C: self.append(UInt8(ascii: "f"))
        default:
            let digits: StaticString = "0123456789abcdef"
            self.append("u00")
            self.append(digits.utf8Start[Int(byte >> 4)])
            self.append(digits.utf8Start[Int(byte & 15)])
        }
    }
}

/// Times in the form `2026-11-20T09:08:07.123456789Z`.
struct TimeText {
    private var second: Int64 = .min
    /// `2026-11-20T09:08:07` of `second`.
    private var text: [UInt8] = []

    /// Appends a time in UTC with `digitCount` digits of fraction (0 to 9).
    ///
    /// The text of a second is kept, since events come in clusters.
    mutating func append(nanoseconds: Int64, digitCount: Int, to bytes: inout [UInt8]) {
        let second = Timestamp(nanoseconds: nanoseconds).seconds
        if second != self.second { self.set(second) }
        bytes.append(contentsOf: self.text)
        Self.appendFraction(nanoseconds: nanoseconds, digitCount: digitCount, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Appends `.` and the first digits of a time's fraction of a second; nothing for no digits.
    static func appendFraction(nanoseconds: Int64, digitCount: Int, to bytes: inout [UInt8]) {
        guard digitCount > 0 else { return }
        var fraction = nanoseconds % 1_000_000_000
        if fraction < 0 { fraction += 1_000_000_000 }
        bytes.append(UInt8(ascii: "."))
        var divisor: Int64 = 100_000_000
        for _ in 0..<digitCount {
            bytes.append(UInt8(ascii: "0") + UInt8(fraction / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func set(_ second: Int64) {
        self.second = second
        self.text.removeAll(keepingCapacity: true)
        TimestampWriter.append(Timestamp(nanoseconds: second &* 1_000_000_000), precision: .seconds, to: &self.text)
        // Without the zone, which follows the fraction.
        self.text.removeLast()
    }
}
