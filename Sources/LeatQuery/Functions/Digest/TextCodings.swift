internal import LeatCore

/// Bytes as pairs of hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }
    }

    /// The bytes of the digits of a text after `0x` or `16#`, whatever stands between them; `nil` for an odd number.
    static func bytes(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var rest = text[...]
        if rest.count >= 2, rest.first == UInt8(ascii: "0"), rest[rest.startIndex + 1] | 0x20 == UInt8(ascii: "x") {
            rest = rest.dropFirst(2)
        } else if rest.starts(with: "16#".utf8) {
            rest = rest.dropFirst(3)
        }
        var result: [UInt8] = []
        var high: UInt8?
        for byte in rest {
            guard let digit = Self.value(byte) else { continue }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? result : nil
    }

    /// 0...15 for a digit.
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }
}

/// Base 64 of RFC 4648; reading takes the URL alphabet and missing padding too.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (index, byte) in Self.alphabet.enumerated() { values[Int(byte)] = UInt8(index) }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        return values
    }()

    static func encoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var count = 0
        func flush(_ letters: Int) {
            for index in 0..<4 {
                let letter = Self.alphabet[Int(group >> UInt32(18 - index * 6)) & 63]
                result.append(index < letters ? letter : UInt8(ascii: "="))
            }
        }
        for byte in bytes {
            group |= UInt32(byte) << UInt32(16 - count * 8)
            count += 1
            if count == 3 {
                flush(4)
                group = 0
                count = 0
            }
        }
        if count > 0 { flush(count + 1) }
        return result
    }

    /// The bytes of a text; `nil` when it holds other characters.
    static func decoded(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var bits: UInt32 = 0
        for byte in text {
            if byte == UInt8(ascii: "=") { break }
            if byte <= 0x20 { continue }
            let value = Self.values[Int(byte)]
            guard value < 64 else { return nil }
            group = group << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: group >> bits))
            }
        }
        return result
    }
}

/// Percent coding of URLs; a plus sign is a space.
enum PercentCoding {
    static func decoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = Hexadecimal.value(bytes[index + 1]),
                let low = Hexadecimal.value(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// As forms are encoded: everything but letters, digits and `-_.*` as `%XX`, a space as `+`.
    static func encoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            let isPlain =
                (byte | 0x20 >= 97 && byte | 0x20 <= 122) || (byte >= 48 && byte <= 57) || "-_.*".utf8.contains(byte)
            if isPlain || byte == 0x20 {
                result.append(isPlain ? byte : UInt8(ascii: "+"))
            } else {
                result += Array("%".utf8) + Hexadecimal.text([byte]).map { $0 >= 97 ? $0 - 32 : $0 }
            }
        }
        return result
    }
}

/// How bytes that were decoded become text.
enum Charset: Sendable {
    case utf8, utf16LittleEndian, utf16BigEndian, latin1

    init(_ call: BoundCall) throws(CallProblem) {
        switch call.text("charset")?.uppercased() ?? "UTF-8" {
        case "UTF-8", "UTF8": self = .utf8
        case "UTF-16LE": self = .utf16LittleEndian
        case "UTF-16BE", "UTF-16": self = .utf16BigEndian
        case "ISO-8859-1", "LATIN1", "US-ASCII": self = .latin1
        case let other:
            throw call.problem(
                "unknown charset '\(other)'",
                of: "charset",
                hint: "it is one of UTF-8, UTF-16LE, UTF-16BE, ISO-8859-1"
            )
        }
    }

    /// The bytes as UTF-8; what is not valid becomes U+FFFD.
    func utf8(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .utf8: return Array(String(decoding: bytes, as: UTF8.self).utf8)
        case .latin1:
            var view = String.UnicodeScalarView()
            for byte in bytes { view.append(Unicode.Scalar(byte)) }
            return Array(String(view).utf8)
        case .utf16LittleEndian, .utf16BigEndian:
            let isLittle = self == .utf16LittleEndian
            let units = stride(from: 0, to: bytes.count - bytes.count % 2, by: 2).map { index in
                UInt16(bytes[index + (isLittle ? 1 : 0)]) << 8 | UInt16(bytes[index + (isLittle ? 0 : 1)])
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        }
    }
}
