/// Unsigned numbers in 1 to 10 bytes, seven bits each, lowest first (LEB128, as in Protocol Buffers).
public enum Varint {
    /// Appends the bytes of `value`.
    public static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The number at the start of `bytes` and how many bytes it takes; `nil` when it is cut short or beyond 64 bits.
    public static func read(from bytes: UnsafeRawBufferPointer, at start: Int = 0) -> (value: UInt64, count: Int)? {
        var value: UInt64 = 0
        var count = 0
        while start + count < bytes.count, count < 10 {
            let byte = bytes[start + count]
            if count == 9 && byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << UInt64(7 * count)
            count += 1
            if byte < 0x80 { return (value, count) }
        }
        return nil
    }

    /// The number at the start of `bytes` and how many bytes it takes; `nil` when it is cut short or beyond 64 bits.
    public static func read(from bytes: Span<UInt8>) -> (value: UInt64, count: Int)? {
        bytes.withUnsafeBytes { self.read(from: $0) }
    }

    /// Maps small negative numbers to small unsigned ones: 0, -1, 1, -2 become 0, 1, 2, 3.
    @inlinable
    public static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    /// The inverse of `zigzag`.
    @inlinable
    public static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
