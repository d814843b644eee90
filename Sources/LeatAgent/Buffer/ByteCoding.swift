internal import LeatCore

/// Little-endian integers and counted texts, appended to a byte array.
extension [UInt8] {
    /// Appends an integer, least byte first.
    mutating func appendInteger<Value: FixedWidthInteger>(_ value: Value) {
        Swift.withUnsafeBytes(of: value.littleEndian) { self.append(contentsOf: $0) }
    }

    /// Appends a text of at most 65,535 bytes behind its length (u16).
    mutating func appendCounted(_ text: some Collection<UInt8>) {
        self.appendInteger(UInt16(text.count))
        self.append(contentsOf: text)
    }

    /// Replaces the integer at `offset`.
    mutating func setInteger<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        Swift.withUnsafeBytes(of: value.littleEndian) { bytes in
            for index in 0..<bytes.count { self[offset + index] = bytes[index] }
        }
    }
}

/// Reads what `appendInteger` and `appendCounted` wrote; `nil` where the bytes end too soon.
struct FieldReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    /// A reader of bytes that stay valid as long as it is used.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remaining: Int { self.bytes.count - self.offset }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
        guard let range = self.take(MemoryLayout<Value>.size) else { return nil }
        return Value(littleEndian: self.bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Value.self))
    }

    /// Where the next `count` bytes lie.
    mutating func take(_ count: Int) -> Range<Int>? {
        guard count >= 0, count <= self.remaining else { return nil }
        defer { self.offset += count }
        return self.offset..<(self.offset + count)
    }

    /// The next `count` bytes.
    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        self.take(count).map { UnsafeRawBufferPointer(rebasing: self.bytes[$0]) }
    }

    mutating func counted() -> UnsafeRawBufferPointer? {
        self.integer(UInt16.self).flatMap { self.bytes(Int($0)) }
    }

    mutating func countedText() -> String? {
        self.counted().map { String(decoding: $0, as: UTF8.self) }
    }
}
