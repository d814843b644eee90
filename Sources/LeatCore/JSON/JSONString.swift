internal import CLeatKernels

/// Takes the escapes out of JSON strings without a list of their parts.
public enum JSONString {
    /// What `unescape` found.
    public struct End: Hashable, Sendable {
        /// Position of the closing quote; the number of bytes when there is none.
        public let offset: Int
        /// Whether the text has a line break.
        public let hasLineBreak: Bool
    }

    /// Appends the text of the string whose inside begins at `start`, up to its closing quote.
    ///
    /// The string must have been checked before: unknown escapes lose their backslash, halves of surrogate pairs become
    /// U+FFFD.
    public static func unescape(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        to target: inout [UInt8]
    ) -> End {
        guard let base = bytes.baseAddress, start < bytes.count else {
            return End(offset: bytes.count, hasLineBreak: false)
        }
        var at = start
        var breaks: UInt32 = 0
        target.append(addingCapacity: bytes.count - start + 16) { output in
            output.withUnsafeMutableBufferPointer { buffer, count in
                guard let room = buffer.baseAddress else { return }
                while at < bytes.count {
                    var written = 0
                    at = leat_json_unescape(room + count, base, at, bytes.count, &written, &breaks)
                    count += written
                    // What is left: the quote, or an escape of a code unit, which is longer than its UTF-8.
                    guard at < bytes.count, bytes[at] == UInt8(ascii: "\\") else { return }
                    at = Self.appendScalar(bytes, at + 2, to: room, &count)
                }
            }
        }
        return End(offset: min(at, bytes.count), hasLineBreak: breaks != 0)
    }

    /// Writes the scalar of one or two escapes, and returns where they end.
    ///
    /// `index` is behind the first `u`.
    private static func appendScalar(
        _ bytes: UnsafeRawBufferPointer,
        _ index: Int,
        to target: UnsafeMutablePointer<UInt8>,
        _ count: inout Int
    ) -> Int {
        var end = min(index + 4, bytes.count)
        let first = self.hex(bytes, index..<end)
        var value = first
        if first >> 10 == 0x36, end + 6 <= bytes.count, bytes[end] == UInt8(ascii: "\\"),
            bytes[end + 1] == UInt8(ascii: "u")
        {
            let second = self.hex(bytes, end + 2..<end + 6)
            if second >> 10 == 0x37 {
                value = 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
                end += 6
            }
        }
        for byte in Unicode.Scalar(value).flatMap({ UTF8.encode($0) }) ?? UTF8.encodedReplacementCharacter {
            target[count] = byte
            count += 1
        }
        return end
    }

    private static func hex(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt32 {
        var value: UInt32 = 0
        for index in range { value = value << 4 | UInt32(hexValue(bytes[index]) ?? 0) }
        return value
    }
}
