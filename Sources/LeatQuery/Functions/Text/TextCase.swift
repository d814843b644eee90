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
}
