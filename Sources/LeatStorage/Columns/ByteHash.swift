internal import CLeatKernels
internal import Glibc

/// Fast hashing of byte strings for tables in memory; never written to files.
enum ByteHash {
    @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// A hash of all bytes; the multiply-and-fold of wyhash.
    @inline(__always)
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        guard count > 0, let base = bytes.baseAddress else { return 0x9E37_79B9_7F4A_7C15 }
        var state = UInt64(count) ^ 0xA076_1D64_78BD_642F
        if count >= 8 {
            var index = 0
            while index + 8 < count {
                state = Self.mix(
                    state ^ base.loadUnaligned(fromByteOffset: index, as: UInt64.self),
                    0xE703_7ED1_A0B4_28DB
                )
                index += 8
            }
            let last = base.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return Self.mix(state ^ last, 0x8EBC_6AF0_9C88_C6E3)
        }
        var last: UInt64 = 0
        if count >= 4 {
            last = UInt64(base.loadUnaligned(as: UInt32.self))
            last |= UInt64(base.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
        } else {
            last = UInt64(bytes[0]) | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1]) << 16
        }
        return Self.mix(state ^ last, 0x8EBC_6AF0_9C88_C6E3)
    }

    @inline(__always)
    static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
        return memcmp(leftBase, rightBase, left.count) == 0
    }

    /// The same as `equal`, for short texts without a call.
    @inline(__always)
    static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard left.count > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
        return leat_equal_bytes(leftBase, rightBase, left.count) != 0
    }
}
