/// Reads small JSON documents into trees; strict RFC 8259, with limits on depth.
///
/// For events see `DocumentReader`; this reader copies every string.
public struct JSONReader {
    /// The deepest nesting that is read.
    public static let depthMax = 64

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    /// The text that is read.
    var source: UnsafeRawBufferPointer { self.bytes }

    /// Why and where a text is no JSON.
    public struct Fault: Error, Hashable, Sendable {
        /// Lower case, without the place.
        public let reason: String
        /// Bytes from the start of the text.
        public let offset: Int
    }

    /// Reads a text that holds exactly one value.
    public static func read(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.offset == bytes.count else { throw reader.fault("unexpected text after the value") }
        return value
    }

    /// Reads a text that holds exactly one value.
    public static func read(_ bytes: [UInt8]) throws(Fault) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in try Self.read(UnsafeRawBufferPointer(bytes)) }
    }

    /// Reads values one after the other, with or without white space between them.
    public static func readSequence(_ bytes: UnsafeRawBufferPointer) throws(Fault) -> [(JSONValue, Range<Int>)] {
        var reader = JSONReader(bytes: bytes)
        var result: [(JSONValue, Range<Int>)] = []
        reader.skipSpace()
        while reader.offset < bytes.count {
            let start = reader.offset
            result.append((try reader.value(depth: 0), start..<reader.offset))
            reader.skipSpace()
        }
        return result
    }

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func moveTo(_ offset: Int) { self.offset = offset }

    private func fault(_ reason: String) -> Fault { Fault(reason: reason, offset: self.offset) }

    mutating func skipSpace() {
        while self.offset < self.bytes.count {
            switch self.bytes[self.offset] {
            case 0x20, 0x09, 0x0A, 0x0D: self.offset += 1
            default: return
            }
        }
    }

    mutating func value(depth: Int) throws(Fault) -> JSONValue {
        guard depth < Self.depthMax else { throw self.fault("nested deeper than \(Self.depthMax)") }
        self.skipSpace()
        guard self.offset < self.bytes.count else { throw self.fault("unexpected end of the text") }
        switch self.bytes[self.offset] {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try self.number())
        default: throw self.fault("unexpected character, wanted a value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Fault) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.offset < self.bytes.count, self.bytes[self.offset] == word.utf8Start[index] else {
                throw self.fault("unexpected character, wanted '\(word)'")
            }
            self.offset += 1
        }
        return value
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        self.skipSpace()
        guard self.offset < self.bytes.count, self.bytes[self.offset] == UInt8(ascii: character) else { return false }
        self.offset += 1
        return true
    }

    private mutating func object(depth: Int) throws(Fault) -> JSONValue {
        self.offset += 1
        var members: [JSONValue.Member] = []
        if self.take("}") { return .object([]) }
        repeat {
            self.skipSpace()
            guard self.offset < self.bytes.count, self.bytes[self.offset] == UInt8(ascii: "\"") else {
                throw self.fault("wanted a member's name")
            }
            let name = try self.string()
            guard self.take(":") else { throw self.fault("wanted ':'") }
            members.append(JSONValue.Member(name, try self.value(depth: depth + 1)))
        } while self.take(",")
        guard self.take("}") else { throw self.fault("wanted ',' or '}'") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Fault) -> JSONValue {
        self.offset += 1
        var elements: [JSONValue] = []
        if self.take("]") { return .array([]) }
        repeat {
            elements.append(try self.value(depth: depth + 1))
        } while self.take(",")
        guard self.take("]") else { throw self.fault("wanted ',' or ']'") }
        return .array(elements)
    }

    private mutating func digits() throws(Fault) {
        let start = self.offset
        while self.offset < self.bytes.count, (0x30...0x39).contains(self.bytes[self.offset]) { self.offset += 1 }
        guard self.offset > start else { throw self.fault("wanted a digit") }
    }

    private mutating func number() throws(Fault) -> String {
        let start = self.offset
        if self.bytes[self.offset] == UInt8(ascii: "-") { self.offset += 1 }
        if self.offset < self.bytes.count, self.bytes[self.offset] == UInt8(ascii: "0") {
            self.offset += 1
        } else {
            try self.digits()
        }
        if self.offset < self.bytes.count, self.bytes[self.offset] == UInt8(ascii: ".") {
            self.offset += 1
            try self.digits()
        }
        if self.offset < self.bytes.count, self.bytes[self.offset] | 0x20 == UInt8(ascii: "e") {
            self.offset += 1
            if self.offset < self.bytes.count, [0x2B, 0x2D].contains(self.bytes[self.offset]) { self.offset += 1 }
            try self.digits()
        }
        return String(decoding: self.bytes[start..<self.offset], as: UTF8.self)
    }
}
