import LeatCore

/// Makes documents for tests, with everything that JSON allows.
struct RandomJSON {
    var random: SeededRandom
    /// Whether there may be white space between tokens.
    var hasSpace = false
    /// Whether strings may have escapes that they do not need.
    var hasNeedlessEscapes = false

    init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &self.random)]
    }

    mutating func document() -> String { self.space() + self.object(depth: 0) + self.space() }

    private mutating func space() -> String { self.hasSpace ? self.pick(["", "", " ", "\n", "\t ", "\r\n  "]) : "" }

    private mutating func object(depth: Int) -> String {
        let keys = Array("abcdefghij").shuffled(using: &self.random).prefix(Int.random(in: 0...5, using: &self.random))
        let names = ["key ", "@t", "ü", "with \\\"quote", "a.b", "x[0]", "", "long name of a key that goes on and on "]
        let members = keys.map { key in
            self.space() + "\"\(self.pick(names))\(key)\"" + self.space() + ":" + self.space()
                + self.value(depth: depth + 1) + self.space()
        }
        return "{" + (members.isEmpty ? self.space() : members.joined(separator: ",")) + "}"
    }

    private mutating func array(depth: Int) -> String {
        let count = Int.random(in: 0...3, using: &self.random)
        let elements = (0..<count).map { _ in self.space() + self.value(depth: depth + 1) + self.space() }
        return "[" + (elements.isEmpty ? self.space() : elements.joined(separator: ",")) + "]"
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 4 ? 7 : 9), using: &self.random) {
        case 0...2: self.string()
        case 3: self.pick(["0", "-0", "17", "-3", "7.0", "1e5", "-1.25E-7", "123456789012345678901234567890"])
        case 4: self.pick(["true", "false"])
        case 5: "null"
        case 6: self.pick(["{}", "[]"])
        case 7: self.object(depth: depth)
        default: self.array(depth: depth)
        }
    }

    private mutating func string() -> String {
        var text = "\""
        for _ in 0..<self.pick([0, 1, 3, 5, 20, 40]) {
            text += self.pick([
                "a", "Z", " ", "9", "é", "日", "😀", "\\\"", "\\\\", "\\n", "\\u0001", "/", "<", "\u{7F}", "word",
            ])
            if self.hasNeedlessEscapes && Bool.random(using: &self.random) {
                text += self.pick(["\\/", "\\u0041", "\\ud83d\\ude00", "\\u00e9", "\\u000a", "\\b", "\\f"])
            }
        }
        return text + "\""
    }
}

/// A plain flattener over `JSONValue`: the twin of `JSONFlattener`.
func flattenSimply(
    _ value: JSONValue,
    _ path: String,
    into fields: inout [(name: String, kind: JSONKind, text: String)]
) {
    switch value {
    case .null: fields.append((path, .null, "null"))
    case .bool(let bool): fields.append((path, .bool, bool ? "true" : "false"))
    case .number(let text): fields.append((path, .number, text))
    case .string(let text): fields.append((path, .string, text))
    case .array(let elements):
        if elements.isEmpty { fields.append((path, .emptyArray, "[]")) }
        for (index, element) in elements.enumerated() { flattenSimply(element, "\(path)[\(index)]", into: &fields) }
    case .object(let members):
        if members.isEmpty { fields.append((path, .emptyObject, "{}")) }
        for member in members { flattenSimply(member.value, "\(path).\(member.key)", into: &fields) }
    }
}

func flattenSimply(_ text: String) throws(JSONError) -> [(name: String, kind: JSONKind, text: String)] {
    var fields: [(name: String, kind: JSONKind, text: String)] = []
    for member in try JSONValue(parsing: text).object ?? [] { flattenSimply(member.value, member.key, into: &fields) }
    return fields
}
