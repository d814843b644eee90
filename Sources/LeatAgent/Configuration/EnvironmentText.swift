internal import LeatParsing

/// Puts environment variables into values: `${NAME}`, or `${NAME:-text if unset or empty}`.
struct EnvironmentText: Sendable {
    /// The process's variables, then those of `@SET` and `env:`.
    private(set) var variables: [String: String]

    init(_ variables: [String: String]) { self.variables = variables }

    mutating func set(_ name: String, to value: String) { self.variables[name] = value }

    /// The value with its variables put in, and the names of variables that are not set (they become empty).
    func expand(_ value: String) -> (text: String, missing: [String]) {
        guard value.contains("${") else { return (value, []) }
        var text = ""
        var missing: [String] = []
        var rest = Substring(value)
        while let start = Self.firstRange(of: "${", in: rest), let end = rest[start.upperBound...].firstIndex(of: "}") {
            text += rest[..<start.lowerBound]
            let (name, fallback) = Self.parts(rest[start.upperBound..<end])
            let known = self.variables[name]
            if let known, !(known.isEmpty && fallback != nil) {
                text += known
            } else if let fallback {
                text += fallback
            } else {
                missing.append(name)
            }
            rest = rest[rest.index(after: end)...]
        }
        return (text + rest, missing)
    }

    /// The name of a variable and what stands behind `:-`.
    private static func parts(_ body: Substring) -> (name: String, fallback: String?) {
        guard let divider = Self.firstRange(of: ":-", in: body) else { return (String(body), nil) }
        return (String(body[..<divider.lowerBound]), String(body[divider.upperBound...]))
    }

    private static func firstRange(of needle: String, in text: Substring) -> Range<Substring.Index>? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix(needle) { return index..<text.index(index, offsetBy: needle.count) }
            index = text.index(after: index)
        }
        return nil
    }
}
