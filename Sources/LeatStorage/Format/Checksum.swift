internal import LeatCore

/// CRC-32C (Castagnoli), as in iSCSI (RFC 3720), over all bytes that files keep.
enum Checksum {
    /// Eight tables for eight bytes a step ("slicing by 8", Kounavis and Berry, 2005).
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = (value >> 1) ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
            tables[index] = value
        }
        for index in 0..<256 {
            for table in 1..<8 {
                let before = tables[(table - 1) * 256 + index]
                tables[table * 256 + index] = (before >> 8) ^ tables[Int(before & 0xFF)]
            }
        }
        return tables
    }()

    static func crc32c(_ bytes: UnsafeRawBufferPointer, continuing before: UInt32 = 0) -> UInt32 {
        Self.tables.withUnsafeBufferPointer { tables in
            var crc = ~before
            var index = 0
            while index + 8 <= bytes.count {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
                crc = tables[1792 + Int(word & 0xFF)] ^ tables[1536 + Int((word >> 8) & 0xFF)]
                crc ^= tables[1280 + Int((word >> 16) & 0xFF)] ^ tables[1024 + Int((word >> 24) & 0xFF)]
                crc ^= tables[768 + Int((word >> 32) & 0xFF)] ^ tables[512 + Int((word >> 40) & 0xFF)]
                crc ^= tables[256 + Int((word >> 48) & 0xFF)] ^ tables[Int(word >> 56)]
                index += 8
            }
            while index < bytes.count {
                crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)]
                index += 1
            }
            return ~crc
        }
    }

    static func crc32c(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { Self.crc32c($0) } }

    static func crc32c(_ bytes: ByteSlice) -> UInt32 { bytes.withUnsafeBytes { Self.crc32c($0) } }
}
