internal import CLeatKernels
internal import LeatCore

/// Fuse filters: of the blocks that do not have a key one in 64 passes, for seven bits a key.
enum FuseLines {
    static let slotsPerLine = 64
    /// Those of `leat_fuse_build`.
    private static let bitsPerSlot = 6
    static let lineByteCount = Self.slotsPerLine * Self.bitsPerSlot / 8
    /// Of fewer keys too many slots would be empty, and of more the memory to find their places too large.
    private static let keyCounts = 8_192...524_288
    private static let seedCount: UInt8 = 8

    /// The lines of a filter that has all keys; `nil` when they are too few or too many, or find no place.
    static func make(of keys: [UInt64]) -> (form: BlockFilter.Form, lines: ByteSlice)? {
        guard Self.keyCounts.contains(keys.count) else { return nil }
        let slotCount = Self.slotCount(keyCount: keys.count)
        var values = [UInt8](repeating: 0, count: slotCount)
        for seed in 0..<Self.seedCount
        where leat_fuse_build(keys, keys.count, UInt32(seed), UInt32(slotCount), &values) != 0 {
            return (.fuse(seed: seed), Self.packed(values))
        }
        return nil
    }

    /// Sizes of filters, sixteen per doubling, so that many blocks have filters of one size.
    private static func slotCount(keyCount: Int) -> Int {
        let needed = keyCount + keyCount / (keyCount < 100_000 ? 5 : 8)
        var size = 8_192
        while size * 2 < needed { size *= 2 }
        let step = size / 16
        return (needed + step - 1) / step * step
    }

    /// Values of six bits, lowest bit first.
    private static func packed(_ values: [UInt8]) -> ByteSlice {
        var lines: [UInt8] = []
        lines.reserveCapacity(values.count / 4 * 3)
        for start in stride(from: 0, to: values.count, by: 4) {
            let bits =
                UInt32(values[start]) | UInt32(values[start + 1]) << 6 | UInt32(values[start + 2]) << 12
                | UInt32(values[start + 3]) << 18
            lines.append(UInt8(truncatingIfNeeded: bits))
            lines.append(UInt8(truncatingIfNeeded: bits >> 8))
            lines.append(UInt8(truncatingIfNeeded: bits >> 16))
        }
        return ByteSlice(lines)
    }

    /// Where a key is in a filter.
    static func place(of key: UInt64, seed: UInt8, lineCount: Int) -> leat_fuse_place {
        leat_fuse_find(key, UInt32(seed), UInt32(lineCount * Self.slotsPerLine))
    }

    /// The value of a slot in its line.
    static func value(ofSlot slot: Int, in line: UnsafeRawBufferPointer) -> UInt8 {
        let bit = slot % Self.slotsPerLine * Self.bitsPerSlot
        let low = UInt16(line[bit >> 3])
        let high = bit & 7 > 2 ? UInt16(line[bit >> 3 + 1]) << 8 : 0
        return UInt8(truncatingIfNeeded: (low | high) >> UInt16(bit & 7)) & 63
    }
}
