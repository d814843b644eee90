/// Goes through the members of one JSON object without building anything, for splicing its bytes.
///
///     var scanner = try JSONObjectScanner(bytes)
///     while let member = try scanner.next() { … bytes.slice(member.value) … }
///
/// Everything inside a value is checked as a `JSONFlattener` would, to a depth of 1,024.
public struct JSONObjectScanner {
    /// A member as it stands in the text.
    public struct Member {
        /// The key between its quotes; `key(of:)` takes escapes out.
        public let rawKey: Range<Int>
        public let keyHasEscapes: Bool
        /// The whole value, quotes or brackets included.
        public let value: Range<Int>
        /// `.object` and `.array` here include the empty ones.
        public let kind: JSONKind
        /// Whether a string has escapes.
        public let valueHasEscapes: Bool
    }

    private let bytes: UnsafeRawBufferPointer
    private let start: UnsafePointer<UInt8>
    private var isFirst = true

    /// Position of the next byte; after the object once `next` has returned `nil`.
    public private(set) var offset: Int

    /// The object that starts at `offset`, after white space.
    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) throws(JSONError) {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw JSONError(.cutShort, at: 0)
        }
        self.bytes = bytes
        self.start = start
        self.offset = JSONScan.skipSpace(start, offset, bytes.count)
        guard self.offset < bytes.count else { throw JSONError(.cutShort, at: bytes.count) }
        guard start[self.offset] == UInt8(ascii: "{") else { throw JSONError(.notAnObject, at: self.offset) }
        self.offset += 1
    }

    /// The next member; `nil` after the closing brace.
    public mutating func next() throws(JSONError) -> Member? {
        let count = self.bytes.count
        var at = JSONScan.skipSpace(self.start, self.offset, count)
        guard at < count else { throw JSONError(.cutShort, at: count) }
        if self.start[at] == UInt8(ascii: "}") && (self.isFirst || !self.expectsMember) {
            self.offset = at + 1
            return nil
        }
        guard self.start[at] == UInt8(ascii: "\"") else { throw JSONError(.expected("a key in quotes"), at: at) }
        let keyStart = at + 1
        var keyHasEscapes = false
        let keyEnd = try JSONScan.stringEnd(self.start, keyStart, count, hasEscapes: &keyHasEscapes)
        at = JSONScan.skipSpace(self.start, keyEnd + 1, count)
        guard at < count else { throw JSONError(.cutShort, at: count) }
        guard self.start[at] == UInt8(ascii: ":") else { throw JSONError(.expected("':'"), at: at) }
        at = JSONScan.skipSpace(self.start, at + 1, count)
        let valueStart = at
        var valueHasEscapes = false
        let kind = try JSONScan.value(self.start, &at, count, hasEscapes: &valueHasEscapes)
        let valueEnd = at
        try self.endMember(at)
        return Member(
            rawKey: keyStart..<keyEnd,
            keyHasEscapes: keyHasEscapes,
            value: valueStart..<valueEnd,
            kind: kind,
            valueHasEscapes: valueHasEscapes
        )
    }

    /// Whether a comma was read, after which a member must follow.
    private var expectsMember = false

    private mutating func endMember(_ end: Int) throws(JSONError) {
        let at = JSONScan.skipSpace(self.start, end, self.bytes.count)
        guard at < self.bytes.count else { throw JSONError(.cutShort, at: self.bytes.count) }
        self.isFirst = false
        switch self.start[at] {
        case UInt8(ascii: ","):
            self.expectsMember = true
            self.offset = at + 1
        case UInt8(ascii: "}"):
            self.expectsMember = false
            self.offset = at
        default: throw JSONError(.expected("',' or '}'"), at: at)
        }
    }

    /// The key of a member without escapes.
    public func key(of member: Member) -> [UInt8] { self.unescaped(member.rawKey, member.keyHasEscapes) }

    /// The text of a member that is a string, without quotes and escapes; other values as they stand.
    public func text(of member: Member) -> [UInt8] {
        guard member.kind == .string else { return [UInt8](self.bytes.slice(member.value)) }
        return self.unescaped(member.value.lowerBound + 1..<member.value.upperBound - 1, member.valueHasEscapes)
    }

    private func unescaped(_ range: Range<Int>, _ hasEscapes: Bool) -> [UInt8] {
        guard hasEscapes else { return [UInt8](self.bytes.slice(range)) }
        return [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            count = JSONScan.unescape(self.start, range.lowerBound, range.upperBound, into: target)
        }
    }
}

extension JSONScan {
    /// Steps over any value, and says what it was; `.object` and `.array` include the empty ones.
    static func value(
        _ bytes: UnsafePointer<UInt8>,
        _ at: inout Int,
        _ count: Int,
        hasEscapes: inout Bool
    ) throws(JSONError) -> JSONKind {
        guard at < count else { throw JSONError(.cutShort, at: count) }
        switch bytes[at] {
        case UInt8(ascii: "\""):
            at = try self.stringEnd(bytes, at + 1, count, hasEscapes: &hasEscapes) + 1
            return .string
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let kind: JSONKind = bytes[at] == UInt8(ascii: "{") ? .object : .array
            try JSONCompact.copyValue(bytes, &at, count) { _, _ in }
            return kind
        case UInt8(ascii: "-"), 0x30...0x39:
            at = try self.numberEnd(bytes, at, count)
            return .number
        default:
            let kind: JSONKind = bytes[at] == UInt8(ascii: "n") ? .null : .bool
            at = try self.literalEnd(bytes, at, count)
            return kind
        }
    }
}
