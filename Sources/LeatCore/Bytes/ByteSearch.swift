internal import CLeatKernels

/// Finding bytes in bytes, at the speed of the SIMD kernels.
///
/// Positions count from the first byte of `bytes`. Nothing here allocates.
public enum ByteSearch {
    /// The first place at or after `start` where `needle` begins; an empty needle is found at `start`.
    public static func find(
        _ needle: UnsafeRawBufferPointer,
        in bytes: UnsafeRawBufferPointer,
        from start: Int = 0
    ) -> Int? {
        precondition(start >= 0 && start <= bytes.count, "search from \(start) of \(bytes.count) bytes")
        guard let wanted = needle.baseAddress, needle.count > 0 else { return start }
        guard let base = bytes.baseAddress else { return nil }
        let found = leat_find_bytes(base, start, bytes.count, wanted, needle.count)
        return found == bytes.count ? nil : found
    }

    /// The first place at or after `start` where `needle` begins, whatever the case of ASCII letters in `bytes`;
    /// `needle` has none in upper case.
    public static func findFoldingCase(
        _ needle: UnsafeRawBufferPointer,
        in bytes: UnsafeRawBufferPointer,
        from start: Int = 0
    ) -> Int? {
        precondition(start >= 0 && start <= bytes.count, "search from \(start) of \(bytes.count) bytes")
        guard let wanted = needle.baseAddress, needle.count > 0 else { return start }
        guard let base = bytes.baseAddress else { return nil }
        let found = leat_find_folded(base, start, bytes.count, wanted, needle.count)
        return found == bytes.count ? nil : found
    }

    /// The first place at or after `start` where the needle occurs, in its own notion of case.
    public static func find(_ needle: Needle, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        needle.bytes.withUnsafeBytes { wanted in
            needle.foldsCase
                ? self.findFoldingCase(wanted, in: bytes, from: start)
                : self.find(wanted, in: bytes, from: start)
        }
    }

    /// How many bytes equal `byte`.
    public static func count(_ byte: UInt8, in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        return leat_count_byte(base, bytes.count, byte)
    }

    /// The position of the first byte that is not part of well-formed UTF-8; `nil` when all of it is.
    public static func firstInvalidUTF8(in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let end = leat_utf8_end(base, bytes.count)
        return end == bytes.count ? nil : end
    }

    /// Whether every byte is below 0x80.
    public static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        return leat_is_ascii(base, bytes.count) != 0
    }

    /// The greatest length of at most `limit` bytes that cuts no UTF-8 sequence in two.
    public static func utf8Boundary(in bytes: UnsafeRawBufferPointer, atMost limit: Int) -> Int {
        guard bytes.count > limit else { return bytes.count }
        var end = limit
        // A sequence has at most three continuation bytes; more of them are not UTF-8 and may be cut anywhere.
        while end > 0 && limit - end < 4 && bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return limit - end < 4 ? end : limit
    }
}

extension UnsafeRawBufferPointer {
    /// The position of the first `byte` at or after `start`.
    @inline(__always)
    public func firstIndex(ofByte byte: UInt8, from start: Int = 0) -> Int? {
        guard let base = self.baseAddress, start < self.count else { return nil }
        let found = leat_find_byte(base, start, self.count, byte)
        return found == self.count ? nil : found
    }

    /// The position of the first byte at or after `start` that is `one` or `other`.
    @inline(__always)
    public func firstIndex(ofByte one: UInt8, or other: UInt8, from start: Int = 0) -> Int? {
        guard let base = self.baseAddress, start < self.count else { return nil }
        let found = leat_find_either(base, start, self.count, one, other)
        return found == self.count ? nil : found
    }

    /// The bytes of `range`, counted from the first byte.
    @inlinable
    public func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// Whether both areas hold the same bytes.
    public func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard self.count == other.count else { return false }
        guard let left = self.baseAddress, let right = other.baseAddress else { return true }
        return leat_equal_bytes(left, right, self.count) != 0
    }

    /// Whether the bytes are those of `text`.
    public func isEqual(to text: StaticString) -> Bool {
        guard self.count == text.utf8CodeUnitCount else { return false }
        guard let left = self.baseAddress else { return true }
        return leat_equal_bytes(left, text.utf8Start, self.count) != 0
    }

    /// The bytes without ASCII spaces, tabs, carriage returns and newlines at both ends.
    public var trimmed: UnsafeRawBufferPointer {
        var range = 0..<self.count
        while let first = range.first, isSpace(self[first]) { range = first + 1..<range.upperBound }
        while let last = range.last, isSpace(self[last]) { range = range.lowerBound..<last }
        return self.slice(range)
    }

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: self, as: UTF8.self) }
}

@inline(__always)
private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

extension UnsafeBufferPointer {
    /// Asks for the memory of an element that will soon be read; there may be no such element.
    public func prefetch(_ index: Int) {
        if let start = self.baseAddress, index < self.count { leat_prefetch(start + index) }
    }
}
