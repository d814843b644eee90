internal import LeatCore

/// Takes the escapes out of the contents of JSON strings.
public enum JSONText {
    /// Appends the text of string contents that were checked before; halves of surrogate pairs become U+FFFD.
    public static func appendUnescaped(_ contents: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var copied = 0
        while let backslash = contents.firstIndex(ofByte: UInt8(ascii: "\\"), from: copied) {
            bytes.append(contentsOf: contents.slice(copied..<backslash))
            guard backslash + 1 < contents.count else { return }
            copied = backslash + 2
            switch contents[backslash + 1] {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "u"): bytes.append(contentsOf: self.scalar(contents, &copied))
            case let byte: bytes.append(byte)
            }
        }
        bytes.append(contentsOf: contents.slice(min(copied, contents.count)..<contents.count))
    }

    /// The text of string contents.
    public static func unescaped(_ contents: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(contents.count)
        self.appendUnescaped(contents, to: &bytes)
        return bytes
    }

    /// The UTF-8 of the scalar whose hexadecimal digits begin at `index`, which moves behind them, and behind the
    /// second half of a pair.
    private static func scalar(_ contents: UnsafeRawBufferPointer, _ index: inout Int) -> Unicode.UTF8.EncodedScalar {
        let first = self.hex(contents, &index)
        var value = first
        if first >> 10 == 0x36, index + 1 < contents.count, contents[index] == UInt8(ascii: "\\"),
            contents[index + 1] == UInt8(ascii: "u")
        {
            var next = index + 2
            let second = self.hex(contents, &next)
            if second >> 10 == 0x37 {
                index = next
                value = 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
            }
        }
        return Unicode.Scalar(value).flatMap { UTF8.encode($0) } ?? UTF8.encodedReplacementCharacter
    }

    private static func hex(_ contents: UnsafeRawBufferPointer, _ index: inout Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 where index < contents.count {
            let byte = contents[index]
            let digit = byte <= UInt8(ascii: "9") ? byte &- UInt8(ascii: "0") : (byte | 0x20) &- UInt8(ascii: "a") &+ 10
            value = value << 4 | UInt32(digit & 0xF)
            index += 1
        }
        return value
    }
}
