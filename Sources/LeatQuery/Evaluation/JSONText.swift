internal import LeatCore

/// Text as JSON strings.
enum JSONText {
    /// Appends a string with its quotes; `"`, `\` and controls are escaped, what is not UTF-8 becomes U+FFFD.
    static func appendString(_ text: [UInt8], to bytes: inout [UInt8]) {
        text.withUnsafeBytes { JSONWriter.append(string: $0, to: &bytes) }
    }

    static func appendString(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        JSONWriter.append(string: text, to: &bytes)
    }
}

extension JSONText {
    /// A JSON text in which control characters within strings are escaped.
    static func escapingControls(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 32)
        var isInString = false
        var isEscaped = false
        for byte in text {
            if isInString && byte < 0x20 {
                result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                result.append(byte)
            }
            if byte == UInt8(ascii: "\"") && !isEscaped { isInString.toggle() }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return result
    }
}
