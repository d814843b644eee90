/// Steps over the fields of one protobuf message (proto3 wire format, protobuf.dev/programming-guides/encoding).
///
/// Reads only what Loki and OpenTelemetry send; groups, which proto3 does not have, are refused.
struct ProtobufReader {
    /// The value of a field as it stands on the wire.
    enum Value {
        /// Also booleans and enumerations.
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, bytes, or a message inside.
        case bytes(UnsafeRawBufferPointer)

        /// The text of a string; bytes that are not UTF-8 become U+FFFD.
        var text: String {
            if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { "" }
        }

        /// The bytes of a message inside.
        var message: UnsafeRawBufferPointer {
            if case .bytes(let bytes) = self { bytes } else { UnsafeRawBufferPointer(start: nil, count: 0) }
        }

        /// A number, whatever its encoding.
        var number: UInt64 {
            switch self {
            case .varint(let value), .fixed64(let value): value
            case .fixed32(let value): UInt64(value)
            case .bytes: 0
            }
        }
    }

    /// Bytes that are no message.
    struct Fault: Error, Hashable, Sendable {
        let reason: String
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Calls `body` with every field of a message.
    static func forEachField(
        of bytes: UnsafeRawBufferPointer,
        _ body: (Int, Value) throws(Fault) -> Void
    ) throws(Fault) {
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() { try body(number, value) }
    }

    /// The next field; `nil` at the end of the message.
    mutating func next() throws(Fault) -> (number: Int, value: Value)? {
        guard self.offset < self.bytes.count else { return nil }
        let key = try self.varint()
        guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw Fault(reason: "field number out of range") }
        let number = Int(key >> 3)
        switch key & 7 {
        case 0: return (number, .varint(try self.varint()))
        case 1: return (number, .fixed64(try self.fixed(8)))
        case 2: return (number, .bytes(try self.take(try self.varint())))
        case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try self.fixed(4))))
        default: throw Fault(reason: "unknown wire type \(key & 7)")
        }
    }

    private mutating func varint() throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard self.offset < self.bytes.count else { throw Fault(reason: "the message is cut short") }
            let byte = self.bytes[self.offset]
            self.offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Fault(reason: "a number of more than ten bytes")
    }

    private mutating func fixed(_ count: Int) throws(Fault) -> UInt64 {
        let bytes = try self.take(UInt64(count))
        var value: UInt64 = 0
        for (index, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
        return value
    }

    private mutating func take(_ count: UInt64) throws(Fault) -> UnsafeRawBufferPointer {
        guard count <= UInt64(self.bytes.count - self.offset) else { throw Fault(reason: "the message is cut short") }
        let start = self.offset
        self.offset += Int(count)
        return UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.offset])
    }
}
