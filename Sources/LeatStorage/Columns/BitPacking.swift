/// Numbers of a fixed width in bits, end to end, lowest bit first.
enum BitPacking {
    /// Appends `values[range] - base`, each `width` bits (0...64) wide; pads the last byte with zeros.
    static func append(
        _ values: [Int64],
        _ range: Range<Int>,
        minus base: Int64,
        width: Int,
        to bytes: inout [UInt8]
    ) {
        guard width > 0 else { return }
        var pending: UInt64 = 0
        var pendingCount = 0
        let start = bytes.count
        let total = (range.count * width + 7) / 8
        bytes.append(contentsOf: repeatElement(0, count: total))
        bytes.withUnsafeMutableBytes { buffer in
            var position = start
            for index in range {
                let value = UInt64(bitPattern: values[index] &- base)
                pending |= value << UInt64(pendingCount)
                let room = 64 - pendingCount
                if width >= room {
                    buffer.storeBytes(of: pending.littleEndian, toByteOffset: position, as: UInt64.self)
                    position += 8
                    pending = room == 64 ? 0 : value >> UInt64(room)
                    pendingCount = width - room
                } else {
                    pendingCount += width
                }
            }
            while position < start + total {
                buffer[position] = UInt8(truncatingIfNeeded: pending)
                pending >>= 8
                position += 1
            }
        }
    }

    /// Reads numbers into `values[range]`, adding `base`; `bytes` must hold all of them.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        width: Int,
        plus base: Int64,
        into values: inout [Int64],
        _ range: Range<Int>
    ) {
        guard width > 0 else {
            for index in range { values[index] = base }
            return
        }
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        var bit = 0
        values.withUnsafeMutableBufferPointer { values in
            for index in range {
                let value = Self.load(bytes, bit: bit, width: width) & mask
                values[index] = Int64(bitPattern: value) &+ base
                bit += width
            }
        }
    }

    /// The 64 bits from `bit`, as far as there are any; at least `width` of them.
    @inline(__always)
    private static func load(_ bytes: UnsafeRawBufferPointer, bit: Int, width: Int) -> UInt64 {
        let byte = bit >> 3
        let shift = UInt64(bit & 7)
        // Fast path: eight bytes are there and hold the whole number.
        if byte + 8 <= bytes.count && Int(shift) + width <= 64 {
            return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self)) >> shift
        }
        // Slow path: near the end, or a number that spans nine bytes.
        var low: UInt64 = 0
        for index in 0..<8 where byte + index < bytes.count { low |= UInt64(bytes[byte + index]) << UInt64(8 * index) }
        let high: UInt64 = byte + 8 < bytes.count ? UInt64(bytes[byte + 8]) : 0
        return shift == 0 ? low : (low >> shift) | (high << (64 - shift))
    }
}
