internal import LeatCore

/// Reads MessagePack values one after the other, as Fluentd's forward protocol sends them.
///
/// Nothing is built: containers come as their counts, texts as ranges of the bytes, so that nothing is allocated for what is
/// only announced. The format is that of github.com/msgpack/msgpack, `spec.md`.
public struct MessagePackReader {
    /// Why there is no value.
    public enum Failure: Error, Hashable, Sendable {
        /// The value's end has not arrived.
        case incomplete
        case malformed(String)
    }

    /// A scalar, or the head of a container whose elements follow.
    public enum Token: Hashable {
        case null
        case bool(Bool)
        case integer(Int64)
        /// Beyond `Int64.max`.
        case unsigned(UInt64)
        case double(Double)
        case text(Range<Int>)
        case binary(Range<Int>)
        case array(Int)
        case map(Int)
        case other(type: Int8, Range<Int>)
    }

    /// Containers inside each other that are accepted.
    public static let depthMax = 128

    public let bytes: UnsafeRawBufferPointer
    public private(set) var offset: Int

    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    public var isAtEnd: Bool { self.offset >= self.bytes.count }

    /// The next scalar, or the head of the next container.
    public mutating func next() throws(Failure) -> Token {
        let first = UInt8(try self.unsigned(byteCount: 1))
        switch first {
        case 0x00...0x7F: return .integer(Int64(first))
        case 0x80...0x8F: return .map(Int(first & 0x0F))
        case 0x90...0x9F: return .array(Int(first & 0x0F))
        case 0xA0...0xBF: return .text(try self.take(Int(first & 0x1F)))
        case 0xC0: return .null
        case 0xC2: return .bool(false)
        case 0xC3: return .bool(true)
        case 0xE0...0xFF: return .integer(Int64(Int8(bitPattern: first)))
        case 0xC4...0xC6: return .binary(try self.counted(lengthByteCount: 1 << Int(first - 0xC4)))
        case 0xD9...0xDB: return .text(try self.counted(lengthByteCount: 1 << Int(first - 0xD9)))
        case 0xDC, 0xDD: return .array(Int(try self.unsigned(byteCount: first == 0xDC ? 2 : 4)))
        case 0xDE, 0xDF: return .map(Int(try self.unsigned(byteCount: first == 0xDE ? 2 : 4)))
        case 0xC7...0xC9: return try self.other(byteCount: Int(try self.unsigned(byteCount: 1 << Int(first - 0xC7))))
        case 0xD4...0xD8: return try self.other(byteCount: 1 << Int(first - 0xD4))
        case 0xCA...0xD3: return try self.number(first)
        default: throw .malformed("0xC1 begins no value")
        }
    }

    private mutating func number(_ first: UInt8) throws(Failure) -> Token {
        switch first {
        case 0xCA: return .double(Double(Float(bitPattern: UInt32(try self.unsigned(byteCount: 4)))))
        case 0xCB: return .double(Double(bitPattern: try self.unsigned(byteCount: 8)))
        case 0xCC...0xCF:
            let value = try self.unsigned(byteCount: 1 << Int(first - 0xCC))
            return value <= UInt64(Int64.max) ? .integer(Int64(value)) : .unsigned(value)
        default:
            let byteCount = 1 << Int(first - 0xD0)
            let shift = UInt64(64 - 8 * byteCount)
            return .integer(Int64(bitPattern: try self.unsigned(byteCount: byteCount) << shift) >> Int64(shift))
        }
    }

    private mutating func other(byteCount: Int) throws(Failure) -> Token {
        let type = Int8(bitPattern: UInt8(try self.unsigned(byteCount: 1)))
        return .other(type: type, try self.take(byteCount))
    }

    private mutating func counted(lengthByteCount: Int) throws(Failure) -> Range<Int> {
        try self.take(Int(try self.unsigned(byteCount: lengthByteCount)))
    }

    private mutating func take(_ count: Int) throws(Failure) -> Range<Int> {
        guard count <= self.bytes.count - self.offset else { throw .incomplete }
        defer { self.offset += count }
        return self.offset..<self.offset + count
    }

    /// A number in network order.
    private mutating func unsigned(byteCount: Int) throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for index in try self.take(byteCount) { value = value << 8 | UInt64(self.bytes[index]) }
        return value
    }

    /// Steps over a whole value; its range.
    @discardableResult
    public mutating func skip() throws(Failure) -> Range<Int> {
        let start = self.offset
        var left = 1
        while left > 0 {
            switch try self.next() {
            case .array(let count): left += count
            case .map(let count): left += 2 * count
            default: break
            }
            left -= 1
            // Every value has at least one byte.
            if left > self.bytes.count - self.offset { throw .incomplete }
        }
        return start..<self.offset
    }

    /// The number of elements of the array that begins here.
    public mutating func array() throws(Failure) -> Int {
        guard case .array(let count) = try self.next() else { throw .malformed("an array is missing") }
        return count
    }

    /// The text that begins here, whether sent as text or as bytes.
    public mutating func text() throws(Failure) -> String {
        switch try self.next() {
        case .text(let range), .binary(let range): return String(decoding: self.bytes.slice(range), as: UTF8.self)
        default: throw .malformed("a text is missing")
        }
    }
}

extension MessagePackReader {
    /// The bytes of the text or binary that begins here.
    public mutating func binary() throws(Failure) -> [UInt8] {
        switch try self.next() {
        case .text(let range), .binary(let range): return Array(self.bytes.slice(range))
        default: throw .malformed("bytes are missing")
        }
    }
}

// MARK: - As JSON

extension MessagePackReader {
    /// Appends the next value as JSON.
    public mutating func appendJSON(to json: inout [UInt8], depth: Int = 0) throws(Failure) {
        guard depth < Self.depthMax else { throw .malformed("more than \(Self.depthMax) levels") }
        switch try self.next() {
        case .null: json += "null".utf8
        case .bool(let value): json += (value ? "true" : "false").utf8
        case .integer(let value): json += String(value).utf8
        case .unsigned(let value): json += String(value).utf8
        case .double(let value): json += (value.isFinite ? value.description : "null").utf8
        case .text(let range), .binary(let range): JSONWriter.append(string: self.bytes.slice(range), to: &json)
        case .other(_, let range):
            let digits = self.bytes.slice(range).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            JSONWriter.append(string: digits.joined(), to: &json)
        case .array(let count):
            json.append(UInt8(ascii: "["))
            for index in 0..<count {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                try self.appendJSON(to: &json, depth: depth + 1)
            }
            json.append(UInt8(ascii: "]"))
        case .map(let count):
            json.append(UInt8(ascii: "{"))
            try self.appendMembers(count, to: &json, depth: depth + 1)
            json.append(UInt8(ascii: "}"))
        }
    }

    /// Appends the members of a map whose head was read, without braces.
    public mutating func appendMembers(_ count: Int, to json: inout [UInt8], depth: Int = 0) throws(Failure) {
        for index in 0..<count {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            let start = json.count
            try self.appendJSON(to: &json, depth: depth)
            // JSON's names are texts.
            if json[start] != UInt8(ascii: "\"") {
                let name = String(decoding: json[start...], as: UTF8.self)
                json.removeLast(json.count - start)
                JSONWriter.append(string: name, to: &json)
            }
            json.append(UInt8(ascii: ":"))
            try self.appendJSON(to: &json, depth: depth)
        }
    }
}
