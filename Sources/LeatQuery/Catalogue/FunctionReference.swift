/// Writes the reference of all functions as Markdown, for `docs/query-language.md`.
public enum FunctionReference {
    /// Headings in the order of the document, with the kinds below each.
    private static let chapters: [(title: String, kinds: [FunctionSignature.Kind])] = [
        ("Filters", [.filter]),
        ("Transformations", [.transformation]),
        ("Aggregates", [.aggregate]),
        ("Functions of ordered rows", [.sequence]),
        ("Sources and settings", [.source, .preamble]),
    ]

    /// The reference; the same text for the same catalogue.
    public static func markdown() -> String {
        var lines: [String] = []
        for chapter in Self.chapters {
            lines += ["", "### \(chapter.title)", ""]
            for signature in FunctionCatalogue.all where chapter.kinds.contains(signature.kind) {
                lines += Self.entry(signature)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The call of a function with its parameters, such as `lower(field, as=_lower)`.
    public static func synopsis(_ signature: FunctionSignature) -> String {
        let parameters = signature.parameters.map { parameter in
            parameter.defaultText.map { "\(parameter.name)=\($0)" }
                ?? (parameter.isRequired ? parameter.name : "[\(parameter.name)]")
        }
        let others = signature.takesAnyName ? ["name=…"] : []
        return "\(signature.name)(\((others + parameters).joined(separator: ", ")))"
    }

    /// What a parameter is and what it is without a value, such as `a field name, by default _count`.
    public static func description(of parameter: FunctionParameter) -> String {
        let value = parameter.defaultText.map { ", by default \($0)" } ?? (parameter.isRequired ? ", required" : "")
        return parameter.kind.phrase + value
    }

    private static func entry(_ signature: FunctionSignature) -> [String] {
        var lines = ["#### `\(signature.name)`", "", "    \(Self.synopsis(signature))", "", signature.summary]
        if !signature.aliases.isEmpty { lines.append("Also called `\(signature.aliases.joined(separator: "`, `"))`.") }
        lines.append("")
        if !signature.parameters.isEmpty {
            lines += ["| parameter | what it is | default |", "|---|---|---|"]
            lines += signature.parameters.map(Self.row)
            lines.append("")
        }
        if !signature.outputs.isEmpty { lines += ["Writes: \(signature.outputs).", ""] }
        return lines
    }

    private static func row(_ parameter: FunctionParameter) -> String {
        var name = "`\(parameter.name)`"
        if parameter.isUnnamed { name += " (first, without a name)" }
        let missing = parameter.isRequired ? "required" : ""
        let value = parameter.defaultText.map { "`\($0)`" } ?? missing
        let range = parameter.range.map { " \($0.phrase)\($0.isLimit ? ", or max" : "")" } ?? ""
        let ignored = parameter.ignoredBecause.map { "; changes nothing: \($0)" } ?? ""
        return "| \(name) | \(parameter.kind.phrase)\(range)\(ignored) | \(value) |"
    }
}
