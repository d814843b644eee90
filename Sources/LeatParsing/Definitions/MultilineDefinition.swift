public import LeatCore

/// A `[MULTILINE_PARSER]`: which lines belong together.
public struct MultilineDefinition: Sendable {
    public let name: String
    public let rules: MultilineRules
    /// The longest wait for the next line.
    public let timeoutNanoseconds: UInt64
    /// The field whose text is judged, of lines that a parser takes apart first; `nil` for `log`.
    public let contentKey: String?

    /// What a flush timeout is when nobody says.
    public static let defaultTimeoutNanoseconds: UInt64 = 4_000_000_000

    private static let knownKeys = [
        "name", "type", "match_string", "negate", "parser", "key_content", "key_pattern", "key_group", "flush_timeout",
        "rule",
    ]

    /// Reads a section.
    ///
    /// - Throws: everything that is wrong with it.
    public init(_ section: Section) throws(Diagnostics) {
        var diagnostics: [Diagnostic] = []
        for entry in section.entries where !Self.knownKeys.contains(entry.key.lowercased()) {
            let nearest = NearestName.find(entry.key, among: Self.knownKeys)
            diagnostics.append(
                entry.keyMark.diagnostic(
                    "unknown key '\(entry.key)' of [MULTILINE_PARSER]",
                    hint: nearest.map { "did you mean '\($0)'?" }
                )
            )
        }
        for key in ["key_group", "key_pattern"] {
            guard let entry = section.entry(key) else { continue }
            diagnostics.append(
                entry.keyMark.diagnostic(
                    "'\(key)' of a multiline parser is not supported",
                    hint: key == "key_group" ? "the streams of container files are joined apart without it" : nil
                )
            )
        }
        let kind = Self.kind(section, &diagnostics)
        self.name = section.value("name") ?? ""
        self.timeoutNanoseconds = Self.timeout(section, &diagnostics)
        self.contentKey = section.value("key_content")
        guard let kind, diagnostics.isEmpty else { throw Diagnostics(diagnostics) }
        self.rules = MultilineRules(kind: kind)
    }

    /// A definition of rules alone.
    public init(name: String, rules: MultilineRules) {
        self.name = name
        self.rules = rules
        self.timeoutNanoseconds = Self.defaultTimeoutNanoseconds
        self.contentKey = nil
    }

    private static func timeout(_ section: Section, _ diagnostics: inout [Diagnostic]) -> UInt64 {
        guard let entry = section.entry("flush_timeout") else { return Self.defaultTimeoutNanoseconds }
        guard let milliseconds = UInt64(entry.value), milliseconds < 1 << 40 else {
            diagnostics.append(entry.valueMark.diagnostic("'\(entry.value)' is no number of milliseconds"))
            return 0
        }
        return milliseconds * 1_000_000
    }

    private static func kind(_ section: Section, _ diagnostics: inout [Diagnostic]) -> MultilineRules.Kind? {
        let negated = ["on", "true", "yes", "1"].contains(section.value("negate")?.lowercased() ?? "")
        let text = Array((section.value("match_string") ?? "").utf8)
        let type = section.entry("type")
        switch type?.value.lowercased() ?? "regex" {
        case "regex":
            let rules = section.all("rule").compactMap { Self.rule($0, &diagnostics) }
            if !rules.contains(where: { $0.states.contains(MultilineRules.start) }), diagnostics.isEmpty {
                diagnostics.append(
                    section.mark.diagnostic(
                        "no rule of this parser belongs to start_state",
                        hint: #"such as: rule "start_state" "/^\d{4}-/" "cont""#
                    )
                )
            }
            return .machine(rules)
        case "endswith": return .endsWith(text, isNegated: negated)
        case "equal", "eq": return .equals(text, isNegated: negated)
        case let other:
            let mark = type?.valueMark ?? section.mark
            diagnostics.append(mark.diagnostic("unknown type '\(other)'", hint: "regex, endswith or equal"))
            return nil
        }
    }

    /// Reads `"state, state" "/pattern/" "next state"`.
    private static func rule(_ entry: Section.Entry, _ diagnostics: inout [Diagnostic]) -> MultilineRules.Rule? {
        let parts = Self.quoted(entry.value)
        guard parts.count == 3 else {
            diagnostics.append(
                entry.valueMark.diagnostic(
                    "a rule needs three texts in quotes",
                    hint: #""state" "/pattern/" "next state""#
                )
            )
            return nil
        }
        do throws(PatternError) {
            return MultilineRules.Rule(
                parts[0].split(separator: ",").map(\.trimmed),
                try PatternText.compile(parts[1]),
                next: parts[2]
            )
        } catch {
            diagnostics.append(entry.valueMark.diagnostic("the pattern '\(parts[1])' is not valid: \(error)"))
            return nil
        }
    }

    /// The texts in quotes; a quote inside a pattern ends it only before white space or the end.
    private static func quoted(_ text: String) -> [String] {
        var parts: [String] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "\"") {
            let body = rest[rest.index(after: open)...]
            var end = body.startIndex
            while end < body.endIndex {
                let next = body.index(after: end)
                if body[end] == "\"", next == body.endIndex || body[next] == " " || body[next] == "\t" { break }
                end = next
            }
            guard end < body.endIndex else { return parts }
            parts.append(String(body[..<end]))
            rest = body[body.index(after: end)...]
        }
        return parts
    }
}
