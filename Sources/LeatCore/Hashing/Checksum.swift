internal import CDeflate
internal import CLeatKernels

/// CRC-32C (Castagnoli, RFC 3720), over all bytes that files keep; the older CRC-32 for files of others.
public enum Checksum {
    /// The checksum of `bytes`, or of what `before` covers followed by `bytes`.
    public static func crc32c(_ bytes: UnsafeRawBufferPointer, continuing before: UInt32 = 0) -> UInt32 {
        leat_crc32c(before, bytes.baseAddress, bytes.count)
    }

    /// The checksum of an array.
    public static func crc32c(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { Self.crc32c($0) } }

    /// The checksum of a slice.
    public static func crc32c(_ bytes: ByteSlice) -> UInt32 { bytes.withUnsafeBytes { Self.crc32c($0) } }

    /// The CRC-32 of gzip (RFC 1952, section 8), which chunks of Fluent Bit carry.
    public static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        libdeflate_crc32(0, bytes.baseAddress, bytes.count)
    }
}
