internal import LeatCore

/// Bytes of a file under construction; integers are little-endian.
struct ByteWriter: Sendable {
    var bytes: [UInt8] = []

    var count: Int { self.bytes.count }

    mutating func append(byte: UInt8) { self.bytes.append(byte) }

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// LEB128: seven bits a byte, lowest first.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(varint value: Int) {
        precondition(value >= 0, "negative count \(value)")
        self.append(varint: UInt64(value))
    }

    /// A signed number, zigzag, as LEB128.
    mutating func append(signed value: Int64) { self.append(varint: zigzag(value)) }

    mutating func append(_ other: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: other) }

    mutating func append(_ other: ByteSlice) { other.withUnsafeBytes { self.bytes.append(contentsOf: $0) } }

    /// A length and that many bytes.
    mutating func append(counted other: [UInt8]) {
        self.append(varint: other.count)
        self.bytes.append(contentsOf: other)
    }

    /// A length and the UTF-8 of a text.
    mutating func append(counted text: String) { self.append(counted: Array(text.utf8)) }

    /// Zeros up to the next multiple of `alignment`.
    mutating func pad(to alignment: Int) {
        while self.bytes.count % alignment != 0 { self.bytes.append(0) }
    }
}

/// Maps small numbers of either sign to small unsigned ones.
@inline(__always)
func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

/// The reverse of `zigzag`.
@inline(__always)
func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1))) }
