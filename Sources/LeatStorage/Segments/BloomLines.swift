internal import LeatCore

/// Bloom filters: for blocks of few keys, and those of older files.
enum BloomLines {
    static let lineByteCount = 64
    /// Bits set per key.
    private static let probeCount: UInt64 = 4
    /// Bits of a line per key.
    private static let bitsPerKey = 6

    /// The lines of a filter that has all keys.
    static func make(of keys: [UInt64]) -> ByteSlice {
        let lineCount = Self.lineCount(keyCount: keys.count)
        let lines = ByteStorage(byteCount: lineCount * Self.lineByteCount)
        lines.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        if let start = lines.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) {
            for key in keys { Self.set(key, in: start + Self.line(of: key, lineCount: lineCount) * Self.lineByteCount) }
        }
        return ByteSlice(UnsafeRawBufferPointer(lines.bytes), owner: lines)
    }

    /// Sizes of filters, four per doubling, so that many blocks have filters of one size.
    private static func lineCount(keyCount: Int) -> Int {
        let needed = max(1, (keyCount * Self.bitsPerKey + 511) / 512)
        var size = 4
        while size * 2 < needed { size *= 2 }
        if needed <= 4 { return needed }
        for quarter in 4...8 where size * quarter / 4 >= needed { return size * quarter / 4 }
        return size * 2
    }

    /// The line of a key.
    @inline(__always)
    static func line(of key: UInt64, lineCount: Int) -> Int { Int(((key >> 32) * UInt64(lineCount)) >> 32) }

    /// Sets the bits of a key in its line.
    @inline(__always)
    private static func set(_ key: UInt64, in line: UnsafeMutablePointer<UInt8>) {
        var bits = key
        for _ in 0..<Self.probeCount {
            let bit = Int(bits & 511)
            line[bit >> 3] |= 1 << UInt8(bit & 7)
            bits >>= 9
        }
    }

    /// Whether all bits of a key are set in its line.
    @inline(__always)
    static func contains(_ key: UInt64, in line: UnsafeRawBufferPointer) -> Bool {
        var bits = key
        for _ in 0..<Self.probeCount {
            let bit = Int(bits & 511)
            if line[bit >> 3] & 1 << UInt8(bit & 7) == 0 { return false }
            bits >>= 9
        }
        return true
    }
}
