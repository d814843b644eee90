/// What stands for indexes in a path: names and names with `*`, commas between them, a leading `-` excludes.
enum IndexPattern {
    /// The filter of the events of these indexes; dates at the end of a name are no part of `#index`.
    static func filter(_ text: String?) -> String {
        var wanted: [String] = []
        var others: [String] = []
        for part in Self.parts(text) {
            if part.hasPrefix("-"), !wanted.isEmpty {
                others.append("(not \(Self.filter(ofPart: part.dropFirst())))")
            } else {
                wanted.append(Self.filter(ofPart: part))
            }
        }
        guard !wanted.isEmpty else { return "*" }
        return FilterText.all([FilterText.any(wanted)] + others)
    }

    /// The names that must be there: those without `*`.
    static func names(_ text: String?) -> [String] {
        Self.parts(text).filter { !$0.contains("*") && !$0.hasPrefix("-") && $0 != "_all" }.map(String.init)
    }

    /// Whether a name is one of these.
    static func fits(_ name: String, _ text: String?) -> Bool {
        let parts = Self.parts(text)
        return parts.isEmpty
            || parts.contains { $0 == "_all" || Wildcard.matches(Array(name.utf8), Array($0.utf8)) }
    }

    private static func parts(_ text: String?) -> [Substring] { text?.split(separator: ",") ?? [] }

    private static func filter(ofPart part: Substring) -> String {
        if part == "*" || part == "_all" { return "*" }
        let field = FilterText.field("#index")
        guard part.contains("*") else { return FilterText.equal(field, IndexName.tag(String(part))) }
        let glob = FilterText.glob(field, String(part))
        guard part.hasSuffix("*") else { return glob }
        // `logs-*` and `logs-2026.*` are meant to find `logs-2026.11.20`, whose tag is `logs`.
        var start = part.prefix { $0 != "*" }
        while let last = start.last, last.isNumber || "-_.".contains(last) { start = start.dropLast() }
        return start.isEmpty ? glob : "(\(glob) or \(FilterText.equal(field, String(start))))"
    }
}
