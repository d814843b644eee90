internal import LeatCore

/// A member of a record, as ranges of the bytes that were scanned.
public struct Member: Hashable, Sendable {
    /// The contents of the key's string, without quotes, escapes as they stand.
    public var name: Range<Int>
    /// The whole value as JSON.
    public var value: Range<Int>

    public init(name: Range<Int>, value: Range<Int>) {
        self.name = name
        self.value = value
    }

    /// The value's contents when it is a string, without its quotes.
    @inlinable
    public var stringContents: Range<Int> { self.value.lowerBound + 1..<self.value.upperBound - 1 }
}

/// Steps over the members of a record without decoding anything.
///
/// The bytes are what the agent keeps per event: members as JSON without the outer braces, such as
/// `"log":"x","stream":"stdout"`. They were checked when they were made, so the scanner only finds borders; bytes that
/// are no JSON end the scan and never trap.
public struct MemberScanner {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    /// Where the scan stands: after `nextName` at the value that follows.
    public var offset: Int { self.index }

    /// Whether everything was scanned; when it was not, what is left is no JSON.
    public var isAtEnd: Bool { self.index >= self.bytes.count }

    /// A scanner over members, which must stay valid as long as it is used.
    public init(_ members: UnsafeRawBufferPointer) { self.bytes = members }

    /// The next member; `nil` at the end.
    public mutating func next() -> Member? {
        guard let name = self.nextName() else { return nil }
        let start = self.index
        guard self.skipValue() else { return nil }
        return Member(name: name, value: start..<self.index)
    }

    /// The name of the next member, for callers that read its value themselves; then `skipValue` or `skip(to:)` must follow.
    public mutating func nextName() -> Range<Int>? {
        self.skip(UInt8(ascii: ","))
        guard let name = self.string() else { return nil }
        self.skip(UInt8(ascii: ":"))
        return name
    }

    /// Goes on behind a value that the caller has read.
    public mutating func skip(to offset: Int) {
        precondition(offset >= self.index && offset <= self.bytes.count, "\(offset) is not ahead")
        self.index = offset
    }

    /// The next element of an array whose contents are scanned.
    public mutating func nextElement() -> Range<Int>? {
        self.skip(UInt8(ascii: ","))
        let start = self.index
        return start < self.bytes.count && self.skipValue() ? start..<self.index : nil
    }

    /// Moves over white space and at most one `byte`.
    private mutating func skip(_ byte: UInt8) {
        self.skipSpace()
        if self.index < self.bytes.count, self.bytes[self.index] == byte { self.index += 1 }
        self.skipSpace()
    }

    private mutating func skipSpace() {
        while self.index < self.bytes.count, self.bytes[self.index] <= 0x20 { self.index += 1 }
    }

    /// The contents of the string that begins here; moves behind its quote.
    private mutating func string() -> Range<Int>? {
        guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: "\"") else { return nil }
        let start = self.index + 1
        var at = start
        while let found = self.bytes.firstIndex(ofByte: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: at) {
            if self.bytes[found] == UInt8(ascii: "\"") {
                self.index = found + 1
                return start..<found
            }
            at = min(found + 2, self.bytes.count)
        }
        return nil
    }

    /// Moves behind the value that begins here; `false` when there is none.
    public mutating func skipValue() -> Bool {
        guard self.index < self.bytes.count else { return false }
        switch self.bytes[self.index] {
        case UInt8(ascii: "\""): return self.string() != nil
        case UInt8(ascii: "{"), UInt8(ascii: "["): return self.skipContainer()
        default:
            let start = self.index
            while self.index < self.bytes.count, !Self.endsScalar(self.bytes[self.index]) { self.index += 1 }
            return self.index > start
        }
    }

    private mutating func skipContainer() -> Bool {
        var depth = 0
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case UInt8(ascii: "\""):
                guard self.string() != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            self.index += 1
            if depth == 0 { return true }
        }
        return false
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
    }
}
