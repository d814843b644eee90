/// A JSON document as a tree, for configuration-like ones; events go through `JSONFlattener`.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A member of an object; of equal keys all are kept, in order.
    public struct Member: Hashable, Sendable {
        public let key: String
        public let value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Reads the only value of `bytes`.
    public init(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw JSONError(.cutShort, at: 0)
        }
        var reader = JSONTreeReader(bytes: start, count: bytes.count)
        self = try reader.readDocument()
    }

    /// Reads the only value of a text.
    public init(parsing text: String) throws(JSONError) {
        self = try ByteSlice(text).withUnsafeBytes { bytes throws(JSONError) in try JSONValue(bytes) }
    }

    /// The value of the last member with this key; `nil` also when this is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    /// The element at an index; `nil` also when this is no array.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The text of a string.
    public var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The value of a number that is an integer.
    public var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }

    /// The value of a number.
    public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    public var object: [Member]? { if case .object(let members) = self { members } else { nil } }

    public var isNull: Bool { self == .null }

    /// Appends the value as compact JSON.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.value(value)
        case .number(let text): writer.raw(text)
        case .string(let text): writer.value(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    /// The value as compact JSON text.
    public var jsonText: String {
        var writer = JSONWriter()
        self.write(to: &writer)
        return writer.text
    }
}

/// Builds `JSONValue`s by descending into them, to a bounded depth.
private struct JSONTreeReader {
    /// Bounds the recursion.
    private static let depthMax = 200

    let bytes: UnsafePointer<UInt8>
    let count: Int
    private var at = 0
    private var depth = 0

    init(bytes: UnsafePointer<UInt8>, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    mutating func readDocument() throws(JSONError) -> JSONValue {
        let value = try self.readValue()
        self.at = JSONScan.skipSpace(self.bytes, self.at, self.count)
        if self.at != self.count { throw JSONError(.trailingBytes, at: self.at) }
        return value
    }

    private mutating func readValue() throws(JSONError) -> JSONValue {
        try self.skipSpace()
        let start = self.at
        switch self.bytes[start] {
        case UInt8(ascii: "{"): return .object(try self.nested { reader throws(JSONError) in try reader.readMembers() })
        case UInt8(ascii: "["): return .array(try self.nested { reader throws(JSONError) in try reader.readElements() })
        case UInt8(ascii: "\""): return .string(try self.readString())
        case UInt8(ascii: "-"), 0x30...0x39:
            self.at = try JSONScan.numberEnd(self.bytes, start, self.count)
            return .number(self.text(start..<self.at))
        case let letter:
            self.at = try JSONScan.literalEnd(self.bytes, start, self.count)
            return letter == UInt8(ascii: "n") ? .null : .bool(letter == UInt8(ascii: "t"))
        }
    }

    private mutating func nested<Result>(
        _ body: (inout JSONTreeReader) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        guard self.depth < Self.depthMax else { throw JSONError(.tooDeep(limit: Self.depthMax), at: self.at) }
        self.depth += 1
        self.at += 1
        let result = try body(&self)
        self.depth -= 1
        self.at += 1
        return result
    }

    private mutating func readMembers() throws(JSONError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        try self.skipSpace()
        if self.bytes[self.at] == UInt8(ascii: "}") { return members }
        while true {
            try self.skipSpace()
            guard self.bytes[self.at] == UInt8(ascii: "\"") else {
                throw JSONError(.expected("a key in quotes"), at: self.at)
            }
            let key = try self.readString()
            try self.skipSpace()
            guard self.bytes[self.at] == UInt8(ascii: ":") else { throw JSONError(.expected("':'"), at: self.at) }
            self.at += 1
            members.append(JSONValue.Member(key: key, value: try self.readValue()))
            if try self.isAtEnd(of: UInt8(ascii: "}"), "',' or '}'") { return members }
        }
    }

    private mutating func readElements() throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try self.skipSpace()
        if self.bytes[self.at] == UInt8(ascii: "]") { return elements }
        while true {
            elements.append(try self.readValue())
            if try self.isAtEnd(of: UInt8(ascii: "]"), "',' or ']'") { return elements }
        }
    }

    /// Steps over a comma, or stays on the closing bracket.
    private mutating func isAtEnd(of closer: UInt8, _ expected: String) throws(JSONError) -> Bool {
        try self.skipSpace()
        if self.bytes[self.at] == closer { return true }
        guard self.bytes[self.at] == UInt8(ascii: ",") else { throw JSONError(.expected(expected), at: self.at) }
        self.at += 1
        return false
    }

    /// Steps over white space, after which something must follow.
    private mutating func skipSpace() throws(JSONError) {
        self.at = JSONScan.skipSpace(self.bytes, self.at, self.count)
        if self.at == self.count { throw JSONError(.cutShort, at: self.count) }
    }

    private mutating func readString() throws(JSONError) -> String {
        let start = self.at + 1
        var hasEscapes = false
        let end = try JSONScan.stringEnd(self.bytes, start, self.count, hasEscapes: &hasEscapes)
        self.at = end + 1
        guard hasEscapes else { return self.text(start..<end) }
        return String(unsafeUninitializedCapacity: end - start) { buffer in
            guard let target = buffer.baseAddress else { return 0 }
            return JSONScan.unescape(self.bytes, start, end, into: target)
        }
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(start: self.bytes + range.lowerBound, count: range.count), as: UTF8.self)
    }
}
