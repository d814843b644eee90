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
}
