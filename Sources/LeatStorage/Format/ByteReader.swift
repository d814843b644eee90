internal import LeatCore

/// What does not fit the format, relative to the bytes that were read.
struct FormatError: Error, Hashable {
    let offset: Int
    let reason: String
}

/// Reads bytes of a file; every step is checked, since files may hold anything.
struct ByteReader {
    let bytes: ByteSlice
    private(set) var position: Int

    init(_ bytes: ByteSlice, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var remaining: Int { self.bytes.count - self.position }

    func fail(_ reason: String) -> FormatError { FormatError(offset: self.position, reason: reason) }

    mutating func readByte() throws(FormatError) -> UInt8 {
        guard self.position < self.bytes.count else { throw self.fail("ends early") }
        defer { self.position += 1 }
        return self.bytes.unsafeBytes[self.position]
    }

    mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(FormatError) -> Value {
        let size = MemoryLayout<Value>.size
        guard self.remaining >= size else { throw self.fail("ends early") }
        defer { self.position += size }
        return Value(littleEndian: self.bytes.unsafeBytes.loadUnaligned(fromByteOffset: self.position, as: Value.self))
    }

    mutating func readVarint() throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try self.readByte()
            guard shift < 63 || byte <= 1 else { throw self.fail("number is too long") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    mutating func readSigned() throws(FormatError) -> Int64 { unzigzag(try self.readVarint()) }

    /// A count of things that may not exceed `limit`.
    mutating func readCount(limit: Int) throws(FormatError) -> Int {
        let start = self.position
        let value = try self.readVarint()
        guard value <= UInt64(limit) else {
            throw FormatError(offset: start, reason: "count \(value) exceeds \(limit)")
        }
        return Int(value)
    }

    mutating func readSlice(_ count: Int) throws(FormatError) -> ByteSlice {
        guard count >= 0, self.remaining >= count else {
            throw self.fail("needs \(count) bytes, has \(self.remaining)")
        }
        defer { self.position += count }
        return self.bytes[self.position..<self.position + count]
    }

    mutating func readCounted() throws(FormatError) -> ByteSlice {
        try self.readSlice(try self.readCount(limit: self.remaining))
    }

    mutating func readText() throws(FormatError) -> String { try self.readCounted().text }

    mutating func expectEnd() throws(FormatError) {
        guard self.remaining == 0 else { throw self.fail("\(self.remaining) bytes too many") }
    }
}
