internal import CLeatKernels

/// Steps over the tokens of JSON text, with every check of RFC 8259; shared by all readers.
///
/// Positions count from `bytes`, which has `count` bytes. Nothing here allocates.
enum JSONScan {
    @inline(__always)
    static func skipSpace(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        var at = start
        // Fast path: compact JSON has no space at all.
        if at < count && bytes[at] > 0x20 { return at }
        while at < count {
            let byte = bytes[at]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
            at &+= 1
        }
        return at
    }

    /// From the byte after the opening quote to the position of the closing one.
    @inline(__always)
    static func stringEnd(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int,
        hasEscapes: inout Bool
    ) throws(JSONError) -> Int {
        var high: UInt32 = 0
        let end = leat_json_special(bytes, start, count, &high)
        // Fast path: ASCII without escapes.
        if end < count && bytes[end] == UInt8(ascii: "\"") && high == 0 { return end }
        return try Self.stringEndSlowly(bytes, start, count, end, high, &hasEscapes)
    }

    /// Slow path: escapes, non-ASCII bytes, or an error.
    @inline(never)
    private static func stringEndSlowly(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int,
        _ firstSpecial: Int,
        _ highSoFar: UInt32,
        _ hasEscapes: inout Bool
    ) throws(JSONError) -> Int {
        var high = highSoFar
        var at = firstSpecial
        while at < count, bytes[at] == UInt8(ascii: "\\") {
            hasEscapes = true
            at = try self.escapeEnd(bytes, at, count)
            at = leat_json_special(bytes, at, count, &high)
        }
        guard at < count else { throw JSONError(.cutShort, at: count) }
        guard bytes[at] == UInt8(ascii: "\"") else { throw JSONError(.controlCharacter, at: at) }
        if high != 0 {
            let valid = leat_utf8_end(bytes + start, at - start)
            if valid != at - start { throw JSONError(.invalidUTF8, at: start + valid) }
        }
        return at
    }

    /// From a backslash to the byte after its escape.
    private static func escapeEnd(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int
    ) throws(JSONError) -> Int {
        guard start + 1 < count else { throw JSONError(.cutShort, at: count) }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            guard start + 6 <= count else { throw JSONError(.cutShort, at: count) }
            for position in start + 2..<start + 6 where hexValue(bytes[position]) == nil {
                throw JSONError(.badEscape, at: start)
            }
            return start + 6
        default:
            throw JSONError(.badEscape, at: start)
        }
    }

    /// From the first byte of a number to the byte after it.
    @inline(__always)
    static func numberEnd(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int
    ) throws(JSONError) -> Int {
        var at = start
        if at < count && bytes[at] == UInt8(ascii: "-") { at &+= 1 }
        guard at < count, Self.isDigit(bytes[at]) else { throw JSONError(.badNumber, at: start) }
        if bytes[at] == UInt8(ascii: "0") {
            at &+= 1
            if at < count && Self.isDigit(bytes[at]) { throw JSONError(.badNumber, at: start) }
        } else {
            repeat { at &+= 1 } while at < count && Self.isDigit(bytes[at])
        }
        if at < count && bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            guard at < count, Self.isDigit(bytes[at]) else { throw JSONError(.badNumber, at: start) }
            repeat { at &+= 1 } while at < count && Self.isDigit(bytes[at])
        }
        if at < count && bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < count && (bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-")) { at &+= 1 }
            guard at < count, Self.isDigit(bytes[at]) else { throw JSONError(.badNumber, at: start) }
            repeat { at &+= 1 } while at < count && Self.isDigit(bytes[at])
        }
        return at
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// From the first letter of `true`, `false` or `null` to the byte after it.
    static func literalEnd(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int
    ) throws(JSONError) -> Int {
        let word: StaticString =
            switch bytes[start] {
            case UInt8(ascii: "t"): "true"
            case UInt8(ascii: "f"): "false"
            case UInt8(ascii: "n"): "null"
            default: ""
            }
        let length = word.utf8CodeUnitCount
        guard length > 0 else { throw JSONError(.expected("a value"), at: start) }
        guard count - start >= length, leat_equal_bytes(bytes + start, word.utf8Start, length) != 0 else {
            throw JSONError(.expected("'\(word)'"), at: start)
        }
        return start + length
    }

    /// Writes the text of a string that passed `stringEnd` without its escapes.
    ///
    /// Returns how many bytes were written, at most `end - start`. Halves of surrogate pairs that stand alone become
    /// U+FFFD.
    static func unescape(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ end: Int,
        into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var at = start
        var written = 0
        while at < end {
            let next = leat_find_byte(bytes, at, end, UInt8(ascii: "\\"))
            (target + written).update(from: bytes + at, count: next - at)
            written += next - at
            at = next
            guard at + 1 < end else { break }
            let letter = bytes[at + 1]
            at += 2
            if letter == UInt8(ascii: "u") {
                let scalar = self.escapedScalar(bytes, &at, end)
                for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                    target[written] = byte
                    written += 1
                }
            } else {
                target[written] = self.escapedByte(letter)
                written += 1
            }
        }
        return written
    }

    private static func escapedByte(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// The scalar of one or two `\u` escapes; `at` is after the first `u`, and moves on.
    private static func escapedScalar(_ bytes: UnsafePointer<UInt8>, _ at: inout Int, _ end: Int) -> Unicode.Scalar {
        let first = self.hex4(bytes, at)
        at += 4
        if first >> 10 == 0x36, at + 6 <= end, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") {
            let second = self.hex4(bytes, at + 2)
            if second >> 10 == 0x37 {
                at += 6
                return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF) ?? "\u{FFFD}"
            }
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    private static func hex4(_ bytes: UnsafePointer<UInt8>, _ at: Int) -> UInt32 {
        var value: UInt32 = 0
        for position in at..<at + 4 { value = value << 4 | UInt32(hexValue(bytes[position]) ?? 0) }
        return value
    }
}

/// The value of a hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}
