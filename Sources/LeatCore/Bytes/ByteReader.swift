/// Reads numbers and byte strings from bytes of unknown quality; never reads beyond them.
///
/// Integers are little-endian. The bytes must stay valid as long as the reader, and what it returned, is used.
public struct ByteReader {
    public let bytes: UnsafeRawBufferPointer

    /// Position of the next byte.
    public private(set) var offset: Int

    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        precondition(offset >= 0 && offset <= bytes.count, "offset \(offset) of \(bytes.count) bytes")
        self.bytes = bytes
        self.offset = offset
    }

    /// Bytes that are left.
    public var remaining: Int { self.bytes.count - self.offset }

    /// Whether everything was read.
    public var isAtEnd: Bool { self.offset == self.bytes.count }

    public mutating func uint8() throws(ByteReaderError) -> UInt8 { try self.integer() }
    public mutating func uint16() throws(ByteReaderError) -> UInt16 { try self.integer() }
    public mutating func uint32() throws(ByteReaderError) -> UInt32 { try self.integer() }
    public mutating func uint64() throws(ByteReaderError) -> UInt64 { try self.integer() }
    public mutating func int64() throws(ByteReaderError) -> Int64 { try self.integer() }

    /// A little-endian integer of any width.
    public mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>() throws(ByteReaderError) -> Value {
        let size = MemoryLayout<Value>.size
        guard size <= self.remaining else { throw self.short(size) }
        let value = self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Value.self)
        self.offset += size
        return Value(littleEndian: value)
    }

    /// A number of 1 to 10 bytes, as `Varint` writes it.
    public mutating func varint() throws(ByteReaderError) -> UInt64 {
        guard let (value, count) = Varint.read(from: self.bytes, at: self.offset) else {
            throw ByteReaderError(offset: self.offset, reason: "no varint of at most 64 bits")
        }
        self.offset += count
        return value
    }

    /// A varint that counts something, of which there are at most `limit`.
    public mutating func count(atMost limit: Int) throws(ByteReaderError) -> Int {
        let start = self.offset
        let value = try self.varint()
        guard value <= UInt64(limit) else {
            self.offset = start
            throw ByteReaderError(offset: start, reason: "a count of \(value), at most \(limit) can be")
        }
        return Int(value)
    }

    /// The next `count` bytes, not copied.
    public mutating func take(_ count: Int) throws(ByteReaderError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= self.remaining else { throw self.short(count) }
        let taken = self.bytes.slice(self.offset..<self.offset + count)
        self.offset += count
        return taken
    }

    /// A varint length and that many bytes, not copied.
    public mutating func string() throws(ByteReaderError) -> UnsafeRawBufferPointer {
        let length = try self.count(atMost: self.remaining)
        return try self.take(length)
    }

    /// Passes over `count` bytes.
    public mutating func skip(_ count: Int) throws(ByteReaderError) {
        _ = try self.take(count)
    }

    private func short(_ wanted: Int) -> ByteReaderError {
        ByteReaderError(offset: self.offset, reason: "\(wanted) bytes needed, \(self.remaining) left")
    }
}

/// Bytes that are not what they should be.
public struct ByteReaderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where, in bytes from the start of what was read.
    public let offset: Int
    /// What was expected and found.
    public let reason: String

    public init(offset: Int, reason: String) {
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "at byte \(self.offset): \(self.reason)" }
}

/// Builds bytes; what `ByteReader` reads.
public struct ByteWriter: Sendable {
    public var bytes: [UInt8] = []

    public init(capacity: Int = 0) { self.bytes.reserveCapacity(capacity) }

    /// Number of bytes so far.
    public var count: Int { self.bytes.count }

    /// Appends an integer, lowest byte first.
    public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// Appends a number of 1 to 10 bytes.
    public mutating func writeVarint(_ value: UInt64) { Varint.append(value, to: &self.bytes) }

    /// Appends a count of 1 to 10 bytes.
    public mutating func writeVarint(_ value: Int) {
        precondition(value >= 0, "a negative count: \(value)")
        Varint.append(UInt64(value), to: &self.bytes)
    }

    /// Appends bytes as they are.
    public mutating func write(bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }

    /// Appends bytes as they are.
    public mutating func write(bytes: [UInt8]) { self.bytes.append(contentsOf: bytes) }

    /// Appends a varint length and the bytes.
    public mutating func writeString(_ bytes: UnsafeRawBufferPointer) {
        self.writeVarint(bytes.count)
        self.write(bytes: bytes)
    }

    /// Appends a varint length and the bytes.
    public mutating func writeString(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.writeString($0) } }

    /// Appends a varint length and the UTF-8 of a text.
    public mutating func writeString(_ text: String) { self.writeString(Array(text.utf8)) }

    /// Replaces a fixed-width integer written before, such as a length that was not known yet.
    public mutating func overwrite<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { source in
            self.bytes.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(from: source)
            }
        }
    }
}
