/// Appends JSON text to byte arrays: the answers of the server.
enum JSONText {
    /// Appends a string literal; bytes below 0x20, quotes and backslashes are escaped, the rest stays.
    static func append(string bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in bytes { Self.append(escaped: byte, to: &text) }
        text.append(UInt8(ascii: "\""))
    }

    private static func append(escaped byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): text += [0x5C, 0x22]
        case UInt8(ascii: "\\"): text += [0x5C, 0x5C]
        case 0x08: text += [0x5C, UInt8(ascii: "b")]
        case 0x09: text += [0x5C, UInt8(ascii: "t")]
        case 0x0A: text += [0x5C, UInt8(ascii: "n")]
        case 0x0C: text += [0x5C, UInt8(ascii: "f")]
        case 0x0D: text += [0x5C, UInt8(ascii: "r")]
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            text += Array("\\u".utf8) + [UInt8](repeating: 0x30, count: 4 - digits.utf8.count) + Array(digits.utf8)
        default: text.append(byte)
        }
    }

    /// Appends a value, compact.
    static func append(_ value: JSONValue, to text: inout [UInt8]) {
        switch value {
        case .null: text += "null".utf8
        case .bool(let flag): text += (flag ? "true" : "false").utf8
        case .number(let number): text += number.utf8
        case .string(let string): Self.append(string: string.utf8, to: &text)
        case .array(let elements):
            text.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.append(element, to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.append(string: member.name.utf8, to: &text)
                text.append(UInt8(ascii: ":"))
                Self.append(member.value, to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONValue {
    /// The value as compact JSON.
    public var bytes: [UInt8] {
        var text: [UInt8] = []
        JSONText.append(self, to: &text)
        return text
    }

    /// The value as compact JSON.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// The value on several lines, two spaces a level, as Elasticsearch answers `?pretty`.
    public var prettyText: String { self.pretty(indent: "") + "\n" }

    private func pretty(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + $0.pretty(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.map { member in
                "\(inner)\(JSONValue.string(member.name).text) : \(member.value.pretty(indent: inner))"
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default:
            return self.text
        }
    }
}
