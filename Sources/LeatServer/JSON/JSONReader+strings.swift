extension JSONReader {
    /// Reads a string literal; the reader stands on its opening quote.
    mutating func string() throws(Fault) -> String {
        var text: [UInt8] = []
        var index = self.offset + 1
        let bytes = self.source
        while true {
            guard index < bytes.count else { throw Fault(reason: "unterminated string", offset: self.offset) }
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                self.moveTo(index + 1)
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw Fault(reason: "string is not UTF-8", offset: index)
                }
                return string
            case UInt8(ascii: "\\"):
                index = try Self.escape(bytes, at: index + 1, into: &text)
            case 0..<0x20:
                throw Fault(reason: "control character in a string", offset: index)
            default:
                text.append(byte)
                index += 1
            }
        }
    }

    /// Decodes the escape whose letter is at `index`; returns where the text goes on.
    private static func escape(
        _ bytes: UnsafeRawBufferPointer,
        at index: Int,
        into text: inout [UInt8]
    ) throws(Fault) -> Int {
        guard index < bytes.count else { throw Fault(reason: "unterminated string", offset: index) }
        switch bytes[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(bytes[index])
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): return try Self.unicodeEscape(bytes, at: index + 1, into: &text)
        default: throw Fault(reason: "unknown escape in a string", offset: index)
        }
        return index + 1
    }

    /// Decodes `XXXX` and, after a high surrogate, `\uXXXX`; a lone surrogate becomes U+FFFD.
    private static func unicodeEscape(
        _ bytes: UnsafeRawBufferPointer,
        at index: Int,
        into text: inout [UInt8]
    ) throws(Fault) -> Int {
        guard let first = Self.hexadecimal(bytes, at: index) else {
            throw Fault(reason: "wanted four hexadecimal digits", offset: index)
        }
        var scalar = first
        var end = index + 4
        if (0xD800..<0xDC00).contains(first), end + 1 < bytes.count, bytes[end] == UInt8(ascii: "\\"),
            bytes[end + 1] == UInt8(ascii: "u"), let second = Self.hexadecimal(bytes, at: end + 2),
            (0xDC00..<0xE000).contains(second)
        {
            scalar = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            end += 6
        }
        text.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
        return end
    }

    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[index..<index + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
