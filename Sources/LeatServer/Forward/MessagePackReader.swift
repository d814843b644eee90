internal import LeatCore

/// Reads MessagePack; https://github.com/msgpack/msgpack/blob/master/spec.md.
///
/// Damaged or endless input throws; nothing is allocated for what only is announced.
struct MessagePackReader {
    /// Why bytes cannot be read.
    enum Fault: Error, Hashable, Sendable {
        /// More bytes are needed; of a connection they may still come.
        case cutShort
        case damaged(String)
    }

    /// What a value begins with.
    enum Head: Hashable {
        case null
        case bool(Bool)
        case integer(Int64)
        /// An unsigned number beyond `Int64`.
        case large(UInt64)
        case double(Double)
        /// A string or binary of as many bytes.
        case bytes(Int)
        case array(Int)
        case map(Int)
        case ext(type: Int8, count: Int)
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var at = 0

    /// A reader from the byte at `at` onwards.
    init(_ bytes: UnsafeRawBufferPointer, at: Int = 0) {
        self.bytes = bytes
        self.at = at
    }

    var isAtEnd: Bool { self.at == self.bytes.count }

    /// Reads the head of the next value; of arrays and maps the elements follow, of bytes and extensions the content.
    mutating func head() throws(Fault) -> Head {
        let code = try self.byte()
        switch code {
        case 0x00...0x7F: return .integer(Int64(code))
        case 0x80...0x8F: return .map(Int(code & 0x0F))
        case 0x90...0x9F: return .array(Int(code & 0x0F))
        case 0xA0...0xBF: return .bytes(Int(code & 0x1F))
        case 0xE0...0xFF: return .integer(Int64(Int8(bitPattern: code)))
        case 0xC0: return .null
        case 0xC2: return .bool(false)
        case 0xC3: return .bool(true)
        case 0xC4, 0xD9: return .bytes(Int(try self.unsigned(1)))
        case 0xC5, 0xDA: return .bytes(Int(try self.unsigned(2)))
        case 0xC6, 0xDB: return .bytes(Int(try self.unsigned(4)))
        case 0xC7: return try self.ext(1)
        case 0xC8: return try self.ext(2)
        case 0xC9: return try self.ext(4)
        case 0xCA: return .double(Double(Float(bitPattern: UInt32(try self.unsigned(4)))))
        case 0xCB: return .double(Double(bitPattern: try self.unsigned(8)))
        case 0xCC: return .integer(Int64(try self.unsigned(1)))
        case 0xCD: return .integer(Int64(try self.unsigned(2)))
        case 0xCE: return .integer(Int64(try self.unsigned(4)))
        case 0xCF:
            let value = try self.unsigned(8)
            return value <= UInt64(Int64.max) ? .integer(Int64(value)) : .large(value)
        case 0xD0: return .integer(Int64(Int8(truncatingIfNeeded: try self.unsigned(1))))
        case 0xD1: return .integer(Int64(Int16(truncatingIfNeeded: try self.unsigned(2))))
        case 0xD2: return .integer(Int64(Int32(truncatingIfNeeded: try self.unsigned(4))))
        case 0xD3: return .integer(Int64(bitPattern: try self.unsigned(8)))
        case 0xD4...0xD8: return .ext(type: Int8(bitPattern: try self.byte()), count: 1 << Int(code - 0xD4))
        case 0xDC: return .array(Int(try self.unsigned(2)))
        case 0xDD: return .array(Int(try self.unsigned(4)))
        case 0xDE: return .map(Int(try self.unsigned(2)))
        case 0xDF: return .map(Int(try self.unsigned(4)))
        default: throw .damaged("byte 0x\(String(code, radix: 16)) begins no value")
        }
    }

    /// Takes the next bytes.
    mutating func take(_ count: Int) throws(Fault) -> UnsafeRawBufferPointer {
        guard count <= self.bytes.count - self.at else { throw .cutShort }
        defer { self.at += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.at..<self.at + count])
    }

    /// The text of the next value, which must be a string or binary.
    mutating func text() throws(Fault) -> String {
        guard case .bytes(let count) = try self.head() else { throw .damaged("a string is expected") }
        return String(decoding: try self.take(count), as: UTF8.self)
    }

    /// Goes over the next value.
    ///
    /// - Parameter depth: How many arrays and maps it may have inside each other.
    /// - Throws: When it is cut short, or damaged.
    mutating func skip(depth: Int) throws(Fault) {
        switch try self.head() {
        case .bytes(let count), .ext(_, let count): _ = try self.take(count)
        case .array(let count): try self.skip(count, depth: depth)
        case .map(let count): try self.skip(2 * count, depth: depth)
        default: return
        }
    }

    private mutating func skip(_ count: Int, depth: Int) throws(Fault) {
        guard depth > 0 else { throw .damaged("too many arrays and maps inside each other") }
        for _ in 0..<count { try self.skip(depth: depth - 1) }
    }

    private mutating func byte() throws(Fault) -> UInt8 {
        guard self.at < self.bytes.count else { throw .cutShort }
        defer { self.at += 1 }
        return self.bytes[self.at]
    }

    /// A big-endian number of `count` bytes.
    private mutating func unsigned(_ count: Int) throws(Fault) -> UInt64 {
        try self.take(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func ext(_ count: Int) throws(Fault) -> Head {
        let count = Int(try self.unsigned(count))
        return .ext(type: Int8(bitPattern: try self.byte()), count: count)
    }
}

extension MessagePackReader {
    /// Appends the next value as JSON.
    ///
    /// Bytes that are no UTF-8 become U+FFFD, extensions their bytes in hexadecimal; keys that are no strings become
    /// their text.
    mutating func writeJSON(to writer: inout JSONWriter, depth: Int) throws(Fault) {
        switch try self.head() {
        case .null: writer.null()
        case .bool(let value): writer.value(value)
        case .integer(let value): writer.raw(String(value))
        case .large(let value): writer.raw(String(value))
        case .double(let value): writer.value(value)
        case .bytes(let count): writer.value(try self.take(count))
        case .ext(_, let count): writer.value(Self.hexadecimal(try self.take(count)))
        case .array(let count):
            guard depth > 0 else { throw .damaged("too many arrays and maps inside each other") }
            writer.beginArray()
            for _ in 0..<count { try self.writeJSON(to: &writer, depth: depth - 1) }
            writer.endArray()
        case .map(let count):
            guard depth > 0 else { throw .damaged("too many arrays and maps inside each other") }
            writer.beginObject()
            for _ in 0..<count {
                try self.writeKey(to: &writer)
                try self.writeJSON(to: &writer, depth: depth - 1)
            }
            writer.endObject()
        }
    }

    /// Appends the next value as the key of an object.
    mutating func writeKey(to writer: inout JSONWriter) throws(Fault) {
        switch try self.head() {
        case .bytes(let count): writer.key(try self.take(count))
        case .integer(let value): writer.key(String(value))
        case .large(let value): writer.key(String(value))
        case .bool(let value): writer.key(String(value))
        case .double(let value): writer.key(String(value))
        case .null: writer.key("null")
        default: throw .damaged("a key is neither a string nor a number")
        }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
