internal import LeatCore
internal import LeatParsing

/// Lines that a `[MULTILINE_PARSER]` with `parser` takes apart before it judges them.
///
/// The rules see one field of a line; the event has the fields of its first line, with the texts of all in that field.
struct ParsedLines {
    /// The parser and the field that the rules judge.
    struct Form {
        let parser: LineParser
        /// The contents of a JSON string.
        let contentName: [UInt8]
    }

    private let form: Form
    /// Fields of lines that the joiner holds, by the line's offset: each of them may turn out to begin an event.
    private var held: [UInt64: [UInt8]] = [:]

    init(_ form: Form) { self.form = form }

    /// Bytes of fields that are held.
    var byteCount: Int { self.held.values.reduce(0) { $0 + $1.count } }

    /// Takes a line apart: the text that is judged, and the line's time; `nil` when it has another form.
    mutating func take(_ line: UnsafeRawBufferPointer, at place: LinePlace) -> (text: [UInt8], nanoseconds: Int64)? {
        var members: [UInt8] = []
        let now = Timestamp(nanoseconds: place.now)
        guard case .parsed(let time) = self.form.parser.parse(line, now: now, into: &members, from: 0),
            let content = Self.content(of: members, self.form.contentName)
        else { return nil }
        let text = members.withUnsafeBytes { JSONText.unescaped($0.slice(content)) }
        self.held[place.offset] = members
        return (text, time?.nanoseconds ?? place.now)
    }

    /// Appends the fields of the line at `offset` with `text` for its own; `nil` when that line was not taken apart, else
    /// whether the text was UTF-8.
    mutating func append(_ text: UnsafeRawBufferPointer, offset: UInt64, to bytes: inout [UInt8]) -> Bool? {
        guard let members = self.held.removeValue(forKey: offset),
            let content = Self.content(of: members, self.form.contentName)
        else { return nil }
        bytes += members[..<content.lowerBound]
        let isText = bytes.appendEscaped(text)
        bytes += members[content.upperBound...]
        return isText
    }

    /// Forgets lines that belong to events that are complete; `unfinished` is where the one under way begins.
    mutating func forget(before unfinished: UInt64?) {
        guard let unfinished else { return self.held.removeAll(keepingCapacity: true) }
        for offset in self.held.keys where offset < unfinished { self.held[offset] = nil }
    }

    /// Where the contents of a field lie that is a text.
    private static func content(of members: [UInt8], _ name: [UInt8]) -> Range<Int>? {
        members.withUnsafeBytes { bytes in
            var scanner = MemberScanner(bytes)
            while let member = scanner.next() {
                guard name.withUnsafeBytes({ bytes.slice(member.name).isEqual(to: $0) }) else { continue }
                guard bytes[member.value.lowerBound] == UInt8(ascii: "\"") else { return nil }
                return member.value.lowerBound + 1..<member.value.upperBound - 1
            }
            return nil
        }
    }
}
