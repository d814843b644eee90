internal import LeatCore

/// A control packet of MQTT 3.1.1 (docs.oasis-open.org/mqtt/mqtt/v3.1.1), as it lies among received bytes.
///
///      0          1 … 4              5
///      ├────┬─────┼──────────────────┼───────────────┤
///      │type│flags│ remaining length │ the packet    │
///      │ 4b │ 4b  │ 7 bits per byte  │               │
///      └────┴─────┴──────────────────┴───────────────┘
struct MQTTPacket: Hashable {
    /// What a packet is for; only those that a server may get or sends.
    enum Kind: UInt8 {
        case connect = 1
        case connectAck = 2
        case publish = 3
        case publishAck = 4
        case publishReceived = 5
        case publishRelease = 6
        case publishComplete = 7
        case subscribe = 8
        case subscribeAck = 9
        case unsubscribe = 10
        case unsubscribeAck = 11
        case pingRequest = 12
        case pingResponse = 13
        case disconnect = 14
    }

    /// Why bytes are no packet, or none that is taken.
    enum Failure: Error, Hashable {
        case malformed(String)
        /// The packet is longer than allowed, in bytes.
        case tooLong(Int)
    }

    let kind: Kind
    let flags: UInt8
    /// Where the rest of the packet lies.
    let contents: Range<Int>

    /// The packet that begins at `start`; `nil` while it is not all there.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        at start: Int,
        byteCountMax: Int
    ) throws(Failure) -> MQTTPacket? {
        guard start < bytes.count else { return nil }
        guard let kind = Kind(rawValue: bytes[start] >> 4) else { throw .malformed("a packet of unknown type") }
        var length = 0
        var index = start + 1
        while true {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            length |= Int(byte & 0x7F) << (7 * (index - start - 1))
            index += 1
            if byte < 0x80 { break }
            if index > start + 4 { throw .malformed("a length of more than four bytes") }
        }
        guard length <= byteCountMax else { throw .tooLong(length) }
        guard length <= bytes.count - index else { return nil }
        return MQTTPacket(kind: kind, flags: bytes[start] & 0x0F, contents: index..<(index + length))
    }

    /// A short packet as bytes; `contents` has at most 127 bytes.
    static func bytes(_ kind: Kind, _ contents: [UInt8] = []) -> [UInt8] {
        precondition(contents.count < 0x80, "a length of more than one byte")
        return [kind.rawValue << 4, UInt8(contents.count)] + contents
    }
}

/// Reads the fields of a packet in order.
struct MQTTFields {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int

    /// Fields of `bytes` within `range`.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        self.offset = range.lowerBound
        self.end = range.upperBound
    }

    var isAtEnd: Bool { self.offset == self.end }

    mutating func byte() throws(MQTTPacket.Failure) -> UInt8 {
        guard self.offset < self.end else { throw .malformed("a packet that is too short") }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    /// A number of two bytes, the higher one first.
    mutating func number() throws(MQTTPacket.Failure) -> UInt16 {
        let high = UInt16(try self.byte())
        return high << 8 | UInt16(try self.byte())
    }

    /// A text with its length before it.
    mutating func text() throws(MQTTPacket.Failure) -> UnsafeRawBufferPointer {
        let count = Int(try self.number())
        guard count <= self.end - self.offset else { throw .malformed("a text that is too short") }
        defer { self.offset += count }
        return self.bytes.slice(self.offset..<(self.offset + count))
    }

    /// Everything that is left.
    mutating func rest() -> UnsafeRawBufferPointer {
        defer { self.offset = self.end }
        return self.bytes.slice(self.offset..<self.end)
    }
}
