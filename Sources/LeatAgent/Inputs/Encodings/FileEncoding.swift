internal import LeatCore

/// How one file of an input with an encoding is read.
enum FileEncoding: Hashable, Sendable {
    /// Found out; a byte order mark may come first.
    case utf8
    case utf16(TextEncoding.ByteOrder)
    /// As the input's converter says; lines end with the byte 0x0A.
    case converted

    /// Bytes of a file's beginning that tell its encoding.
    static let detectionByteCount = 4 << 10

    /// The encoding of a file that begins with `start`, and whether more bytes cannot change that.
    ///
    /// A byte order mark decides. Without one, a text whose first character is of ASCII shows UTF-16 by a zero beside it;
    /// else what is UTF-8 up to the first line end is that, and what is not is little-endian UTF-16, if it can be.
    static func detect(_ start: UnsafeRawBufferPointer) -> (encoding: FileEncoding, isCertain: Bool) {
        guard start.count >= 2 else { return (.utf8, false) }
        switch (start[0], start[1]) {
        case (0xFF, 0xFE): return (.utf16(.little), true)
        case (0xFE, 0xFF): return (.utf16(.big), true)
        case (1..., 0): return (.utf16(.little), true)
        case (0, 1...): return (.utf16(.big), true)
        default: break
        }
        let limit = min(start.count, Self.detectionByteCount)
        let end = start.slice(0..<limit).firstIndex(ofByte: UInt8(ascii: "\n"))
        let isCertain = end != nil || limit == Self.detectionByteCount
        let whole = start.slice(0..<(end ?? limit))
        // What the limit, or a writer who goes on, has cut in two is at the end.
        let invalid = ByteSearch.firstInvalidUTF8(in: whole) ?? whole.count
        let isCut = end == nil && invalid < whole.count && invalid >= whole.count - 3 && whole[invalid] >= 0xC0
        if invalid == whole.count || isCut { return (.utf8, isCertain) }
        let units = whole.slice(0..<(whole.count & ~1))
        return (UTF16Text.isValid(units, .little) ? .utf16(.little) : .utf8, isCertain)
    }
}
