internal import LeatCore

/// Text of two-byte units as UTF-8.
enum UTF16Text {
    /// Most bytes that the text of `byteCount` bytes has as UTF-8: three for two, and a mark for half a unit.
    static func utf8ByteCountMax(of byteCount: Int) -> Int { byteCount / 2 * 3 + 1 }

    /// Writes what `bytes` say to `target`, with `LineDecoder.invalidMark` for what is no text; the number of bytes.
    ///
    /// `target` must have room for `utf8ByteCountMax`. What a cut left of a pair or a unit at the end is left out when
    /// `isCut` says so.
    static func write(
        _ bytes: UnsafeRawBufferPointer,
        _ order: TextEncoding.ByteOrder,
        isCut: Bool,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let end = bytes.count & ~1
        var (index, count) = (0, 0)
        while index < end {
            let unit = Self.unit(bytes, index, order)
            index += 2
            if unit < 0x80 {
                // Fast path: most of a log.
                target[count] = UInt8(unit)
                count += 1
                continue
            }
            var scalar = UInt32(unit)
            if UTF16.isLeadSurrogate(unit), index < end, UTF16.isTrailSurrogate(Self.unit(bytes, index, order)) {
                scalar = 0x1_0000 + (UInt32(unit) & 0x3FF) << 10 + UInt32(Self.unit(bytes, index, order)) & 0x3FF
                index += 2
            } else if isCut, UTF16.isLeadSurrogate(unit), index == end {
                break
            }
            count += Self.write(scalar, to: target + count)
        }
        if bytes.count > end, !isCut {
            target[count] = LineDecoder.invalidMark
            count += 1
        }
        return count
    }

    /// Whether all of the text is text.
    static func isValid(_ bytes: UnsafeRawBufferPointer, _ order: TextEncoding.ByteOrder) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.utf8ByteCountMax(of: bytes.count)) { target in
            guard let start = target.baseAddress else { return true }
            let count = Self.write(bytes, order, isCut: false, to: start)
            return !target[..<count].contains(LineDecoder.invalidMark)
        }
    }

    @inline(__always)
    private static func unit(
        _ bytes: UnsafeRawBufferPointer,
        _ index: Int,
        _ order: TextEncoding.ByteOrder
    ) -> UInt16 {
        let unit = bytes.loadUnaligned(fromByteOffset: index, as: UInt16.self)
        return order == .little ? UInt16(littleEndian: unit) : UInt16(bigEndian: unit)
    }

    /// Writes a character beyond ASCII, or half a pair, which is none.
    @inline(__always)
    private static func write(_ scalar: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
        guard let scalar = Unicode.Scalar(scalar) else {
            target[0] = LineDecoder.invalidMark
            return 1
        }
        var count = 0
        for byte in UTF8.encode(scalar).unsafelyUnwrapped {
            target[count] = byte
            count += 1
        }
        return count
    }
}

/// Finds the lines of UTF-16, whose units lie at even offsets of the file.
struct UTF16LineSplitter {
    private let bytes: UnsafeRawBufferPointer
    private let order: TextEncoding.ByteOrder
    /// Where the first whole unit begins.
    private let firstUnit: Int
    private var lineStart = 0

    /// Lines of `bytes`, which lie at `offset` of the file.
    init(_ bytes: UnsafeRawBufferPointer, _ order: TextEncoding.ByteOrder, offset: UInt64) {
        self.bytes = bytes
        self.order = order
        self.firstUnit = Int(offset & 1)
    }

    /// The range of the next line; `nil` when no newline is left whose bytes are both there.
    mutating func next() -> Range<Int>? {
        var start = max(self.lineStart, self.firstUnit)
        while let found = self.bytes.firstIndex(ofByte: UInt8(ascii: "\n"), from: start) {
            let isFirst = (found - self.firstUnit) & 1 == 0
            start = found + 1
            guard isFirst == (self.order == .little) else { continue }
            let other = isFirst ? found + 1 : found - 1
            guard other < self.bytes.count else { return nil }
            guard self.bytes[other] == 0 else { continue }
            let line = self.lineStart..<min(found, other)
            self.lineStart = max(found, other) + 1
            return line
        }
        return nil
    }

    /// The bytes after the last line that `next` returned.
    var rest: Range<Int> { self.lineStart..<self.bytes.count }
}
