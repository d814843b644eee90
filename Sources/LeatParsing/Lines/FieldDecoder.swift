internal import LeatCore

/// A `Decode_Field` or `Decode_Field_As`: takes an encoding off a field's text.
public struct FieldDecoder: Hashable, Sendable {
    enum Encoding: String, Hashable, Sendable {
        case json, escaped, mysqlQuoted = "mysql_quoted", escapedUTF8 = "escaped_utf8"
    }

    /// What happens with the decoders behind this one, for the same field.
    enum Next: Hashable, Sendable {
        /// They are applied only if this one failed.
        case tryNext
        /// They are applied in any case.
        case doNext
        /// They are applied unless this one succeeded.
        case stop
    }

    let encoding: Encoding
    /// The contents of a JSON string.
    let field: [UInt8]
    /// Whether the result takes the field's place; otherwise the members of an object are added to the record.
    let replaces: Bool
    let next: Next

    /// Reads `json log`, with `try_next` or `do_next` behind it.
    init?(_ text: String, replaces: Bool) {
        let words = text.split { $0 == " " || $0 == "\t" }
        guard words.count >= 2, let encoding = Encoding(rawValue: words[0].lowercased()) else { return nil }
        self.encoding = encoding
        self.field = FieldPath.contents(String(words[1]))
        self.replaces = replaces
        switch words.count > 2 ? words[2].lowercased() : "" {
        case "": self.next = .stop
        case "try_next": self.next = .tryNext
        case "do_next": self.next = .doNext
        default: return nil
        }
    }

    /// Applies decoders in order.
    static func apply(_ decoders: [FieldDecoder], to record: inout Record) {
        var settled: Set<[UInt8]> = []
        for decoder in decoders where !settled.contains(decoder.field) {
            let isDone = decoder.apply(to: &record)
            if isDone && decoder.next != .doNext { settled.insert(decoder.field) }
        }
    }

    /// Whether the field was there and could be decoded.
    private func apply(to record: inout Record) -> Bool {
        guard let index = record.index(of: self.field) else { return false }
        let value = record.value(index)
        guard value.count >= 2, value.first == UInt8(ascii: "\"") else { return false }
        let text = value.withUnsafeBytes { JSONText.unescaped($0.slice(1..<$0.count - 1)) }
        switch self.encoding {
        case .json: return self.decodeJSON(text, index, &record)
        case .escaped, .escapedUTF8: self.replace(Self.unescaped(text), index, &record)
        case .mysqlQuoted: self.replace(Self.unquoted(text), index, &record)
        }
        return true
    }

    private func decodeJSON(_ text: [UInt8], _ index: Int, _ record: inout Record) -> Bool {
        do throws(JSONError) {
            let object = try ByteSlice(text).withUnsafeBytes { bytes throws(JSONError) in
                try JSONCompact.compacted(bytes)
            }
            guard object.first == UInt8(ascii: "{") else { return false }
            if self.replaces {
                record.setValue(index, to: object)
            } else {
                let before = record.members.count
                record.appendMembers(Array(object[1..<object.count - 1]))
                record.removeReplaced(from: before)
            }
            return true
        } catch {
            return false
        }
    }

    private func replace(_ text: [UInt8], _ index: Int, _ record: inout Record) {
        var value: [UInt8] = []
        text.withUnsafeBytes { JSONWriter.append(string: $0, to: &value) }
        record.setValue(index, to: value)
    }

    /// The text without backslash escapes; an unknown escape stays as it is.
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\"), index + 1 < text.count else {
                result.append(text[index])
                index += 1
                continue
            }
            switch text[index + 1] {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "v"): result.append(0x0B)
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                result.append(text[index + 1])
            case UInt8(ascii: "u") where index + 6 <= text.count:
                let end = index + 6 + Self.secondHalf(text, at: index + 6)
                text.withUnsafeBytes { JSONText.appendUnescaped($0.slice(index..<end), to: &result) }
                index = end - 2
            default: result += [text[index], text[index + 1]]
            }
            index += 2
        }
        return result
    }

    /// 6 when another `\u` escape follows, which may be the second half of a pair.
    private static func secondHalf(_ text: [UInt8], at index: Int) -> Int {
        index + 6 <= text.count && text[index] == UInt8(ascii: "\\") && text[index + 1] == UInt8(ascii: "u") ? 6 : 0
    }

    /// The text without the quotes and escapes of MySQL; other text stays as it is.
    static func unquoted(_ text: [UInt8]) -> [UInt8] {
        guard text.count >= 2, let quote = text.first, quote == text[text.count - 1],
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { return text }
        var result: [UInt8] = []
        var rest = text[1..<(text.count - 1)]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch next {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "0"): result.append(0)
            case UInt8(ascii: "Z"): result.append(0x1A)
            default: result.append(next)
            }
        }
        return result
    }
}
