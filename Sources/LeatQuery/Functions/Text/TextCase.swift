internal import LeatCore

/// Texts in the other case; ASCII at once, the rest by Unicode's rules.
enum TextCase {
    static func lowercased(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        if !ByteSearch.isASCII(value) { return Array(String(decoding: value, as: UTF8.self).lowercased().utf8) }
        return value.map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
    }

    static func uppercased(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        if !ByteSearch.isASCII(value) { return Array(String(decoding: value, as: UTF8.self).uppercased().utf8) }
        return value.map { $0 >= 97 && $0 <= 122 ? $0 & 0xDF : $0 }
    }

    static func lowercased(_ value: UnsafeRawBufferPointer, _ rules: LanguageRules) -> [UInt8] {
        rules.hasDotlessI ? Self.lowercasedWithDotlessI(value) : Self.lowercased(value)
    }

    static func uppercased(_ value: UnsafeRawBufferPointer, _ rules: LanguageRules) -> [UInt8] {
        guard rules.hasDotlessI else { return Self.uppercased(value) }
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: value, as: UTF8.self).unicodeScalars {
            scalars.append(scalar == "i" ? "\u{130}" : scalar)
        }
        return Array(String(scalars).uppercased().utf8)
    }

    /// `I` is the capital of `ı`, and `İ`, also as `I` with a dot above, that of `i`.
    private static func lowercasedWithDotlessI(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: value, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "I": scalars.append("\u{131}")
            case "\u{130}": scalars.append("i")
            case "\u{307}" where scalars.last == "\u{131}":
                scalars.removeLast()
                scalars.append("i")
            default: scalars.append(scalar)
            }
        }
        return Array(String(scalars).lowercased().utf8)
    }
}
