internal import LeatCore

/// Appends MessagePack values to bytes; records are translated from their JSON without a tree.
public enum MessagePackWriter {
    /// Fluentd's type of an exact time: seconds and nanoseconds, 32 bits each.
    public static let eventTimeType: UInt8 = 0

    public static func append(array count: Int, to bytes: inout [UInt8]) {
        Self.append(count: count, short: 0x90, shortMax: 15, medium: 0xDC, to: &bytes)
    }

    public static func append(map count: Int, to bytes: inout [UInt8]) {
        Self.append(count: count, short: 0x80, shortMax: 15, medium: 0xDE, to: &bytes)
    }

    /// The head of a container: one byte, or a mark and a count of 16 or 32 bits.
    private static func append(count: Int, short: UInt8, shortMax: Int, medium: UInt8, to bytes: inout [UInt8]) {
        if count <= shortMax {
            bytes.append(short | UInt8(count))
        } else if count <= 0xFFFF {
            bytes.append(medium)
            Self.append(bigEndian: UInt16(count), to: &bytes)
        } else {
            bytes.append(medium + 1)
            Self.append(bigEndian: UInt32(count), to: &bytes)
        }
    }

    public static func append(text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        switch text.count {
        case ...31: bytes.append(0xA0 | UInt8(text.count))
        case ...0xFF: bytes += [0xD9, UInt8(text.count)]
        default: Self.append(count: text.count, short: 0, shortMax: -1, medium: 0xDA, to: &bytes)
        }
        bytes.append(contentsOf: text)
    }

    public static func append(text: String, to bytes: inout [UInt8]) { Self.append(text: text.utf8, to: &bytes) }

    public static func append(binary: [UInt8], to bytes: inout [UInt8]) {
        if binary.count <= 0xFF {
            bytes += [0xC4, UInt8(binary.count)]
        } else {
            Self.append(count: binary.count, short: 0, shortMax: -1, medium: 0xC5, to: &bytes)
        }
        bytes += binary
    }

    public static func append(flag: Bool, to bytes: inout [UInt8]) { bytes.append(flag ? 0xC3 : 0xC2) }

    public static func append(integer value: Int64, to bytes: inout [UInt8]) {
        switch value {
        case 0...0x7F: bytes.append(UInt8(value))
        case -32..<0: bytes.append(UInt8(bitPattern: Int8(value)))
        case 0x80...0xFF: bytes += [0xCC, UInt8(value)]
        case 0x100...0xFFFF:
            bytes.append(0xCD)
            Self.append(bigEndian: UInt16(value), to: &bytes)
        case 0x1_0000...0xFFFF_FFFF:
            bytes.append(0xCE)
            Self.append(bigEndian: UInt32(value), to: &bytes)
        default:
            bytes.append(value < 0 ? 0xD3 : 0xCF)
            Self.append(bigEndian: UInt64(bitPattern: value), to: &bytes)
        }
    }

    /// A time as Fluentd's EventTime, or as whole seconds.
    public static func append(time nanoseconds: Int64, asInteger: Bool, to bytes: inout [UInt8]) {
        let time = Timestamp(nanoseconds: nanoseconds)
        if asInteger { return Self.append(integer: time.seconds, to: &bytes) }
        bytes += [0xD7, Self.eventTimeType]
        Self.append(bigEndian: UInt32(truncatingIfNeeded: time.seconds), to: &bytes)
        Self.append(bigEndian: UInt32(nanoseconds &- time.seconds &* 1_000_000_000), to: &bytes)
    }

    public static func append(double value: Double, to bytes: inout [UInt8]) {
        bytes.append(0xCB)
        Self.append(bigEndian: value.bitPattern, to: &bytes)
    }

    private static func append(bigEndian value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    // MARK: from JSON

    /// The members of a record as a map; `extra` members that the caller appends itself count in its head.
    public static func append(members: UnsafeRawBufferPointer, extra: Int = 0, to bytes: inout [UInt8]) {
        var count = extra
        var counter = MemberScanner(members)
        while counter.next() != nil { count += 1 }
        Self.append(map: count, to: &bytes)
        Self.append(contentsOf: members, to: &bytes)
    }

    /// The members of a record, without the map's head.
    public static func append(contentsOf members: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var scanner = MemberScanner(members)
        while let member = scanner.next() {
            Self.append(text: JSONText.unescaped(members.slice(member.name)), to: &bytes)
            Self.append(json: members.slice(member.value), to: &bytes)
        }
    }

    /// A JSON value.
    public static func append(json value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let contents = value.count >= 2 ? value.slice(1..<value.count - 1) : value
        switch value.first {
        case UInt8(ascii: "\""): Self.append(text: JSONText.unescaped(contents), to: &bytes)
        case UInt8(ascii: "{"): Self.append(members: contents, to: &bytes)
        case UInt8(ascii: "["):
            var count = 0
            var counter = MemberScanner(contents)
            while counter.nextElement() != nil { count += 1 }
            Self.append(array: count, to: &bytes)
            var scanner = MemberScanner(contents)
            while let element = scanner.nextElement() { Self.append(json: contents.slice(element), to: &bytes) }
        case UInt8(ascii: "t"): bytes.append(0xC3)
        case UInt8(ascii: "f"): bytes.append(0xC2)
        case UInt8(ascii: "n"), nil: bytes.append(0xC0)
        default: Self.append(number: String(decoding: value, as: UTF8.self), to: &bytes)
        }
    }

    private static func append(number text: String, to bytes: inout [UInt8]) {
        if let integer = Int64(text) {
            Self.append(integer: integer, to: &bytes)
        } else if let large = UInt64(text) {
            bytes.append(0xCF)
            Self.append(bigEndian: large, to: &bytes)
        } else {
            Self.append(double: Double(text) ?? .nan, to: &bytes)
        }
    }
}
