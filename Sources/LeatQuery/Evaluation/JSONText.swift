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
