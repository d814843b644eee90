internal import LeatCore

/// Takes the escapes out of the contents of JSON strings.
public enum JSONText {
    /// Appends the text of string contents that were checked before; halves of surrogate pairs become U+FFFD.
    public static func appendUnescaped(_ contents: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let end = JSONString.unescape(contents, from: 0, to: &bytes)
        precondition(
            end.offset == contents.count || contents[end.offset] == UInt8(ascii: "\""),
            "the string did not end"
        )
    }

    /// The text of string contents.
    public static func unescaped(_ contents: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        self.appendUnescaped(contents, to: &bytes)
        return bytes
    }
}
