internal import LeatQuery

/// What of a query could follow: functions, parameters, fields and values, by where the cursor is.
enum QueryCompletion {
    /// What the place at the end of a text asks for.
    enum Place: Hashable, Sendable {
        /// A step: functions and fields.
        case step(prefix: String)
        /// An argument of this function: its parameters, fields, and functions.
        case argument(function: String, prefix: String)
        /// A value of this field.
        case value(field: String, prefix: String)
        /// Within a comment or regular expression, where nothing can be offered.
        case none
    }

    /// Where the cursor is.
    static func place(_ text: String) -> Place {
        let characters = Array(text)
        let tokens = QueryLexer.tokens(of: characters).filter {
            $0.kind != .comment || $0.range.upperBound == characters.count
        }
        guard let last = tokens.last else { return .step(prefix: "") }
        if last.range.upperBound == characters.count {
            switch last.kind {
            case .comment where characters[last.range.lowerBound] == "/", .regex: return .none
            case .unfinished where characters[last.range.lowerBound] != "\"": return .none
            case .string: return .none
            case .symbol: break
            default:
                let prefix = String(characters[last.range])
                return Self.place(before: tokens.dropLast(), characters, prefix: prefix)
            }
        }
        return Self.place(before: tokens[...], characters, prefix: "")
    }

    private static func place(
        before tokens: ArraySlice<QueryLexer.Token>,
        _ characters: [Character],
        prefix: String
    ) -> Place {
        func text(_ token: QueryLexer.Token) -> String { String(characters[token.range]) }
        if let last = tokens.last, text(last) == "=", let before = tokens.dropLast().last {
            // `!=` compares too; `:=` assigns.
            let isUnequal = text(before) == "!"
            guard let field = isUnequal ? tokens.dropLast(2).last : before, field.kind != .symbol else { return .none }
            let name = text(field)
            if name.hasSuffix(":") { return .step(prefix: prefix) }
            return .value(field: name, prefix: prefix)
        }
        var depth = 0
        for (offset, token) in tokens.enumerated().reversed() {
            switch text(token) {
            case ")", "]", "}": depth += 1
            case "(":
                if depth == 0 {
                    let index = tokens.startIndex + offset
                    guard index > tokens.startIndex, tokens[index - 1].kind == .function else {
                        return .step(prefix: prefix)
                    }
                    return .argument(function: text(tokens[index - 1]), prefix: prefix)
                }
                depth -= 1
            case "[":
                if depth > 0 { depth -= 1 }
            case "{":
                if depth == 0 { return .step(prefix: prefix) }
                depth -= 1
            case "|" where depth == 0: return .step(prefix: prefix)
            default: break
            }
        }
        return .step(prefix: prefix)
    }

    /// The choices for a place, given what the repository has.
    static func choices(at place: Place, fields: () -> [String], values: (String) -> [String]) -> Completion? {
        switch place {
        case .none: return nil
        case .step(let prefix):
            let choices = Self.functions() + Self.fields(fields())
            return Completion(replacedCount: prefix.count, choices: Self.matching(choices, prefix))
        case .argument(let function, let prefix):
            // Other functions may stand in an argument too, once something of their name is there.
            let choices =
                Self.parameters(of: function) + Self.fields(fields()) + (prefix.isEmpty ? [] : Self.functions())
            return Completion(replacedCount: prefix.count, choices: Self.matching(choices, prefix))
        case .value(let field, let prefix):
            let bare = prefix.hasPrefix("\"") ? String(prefix.dropFirst()) : prefix
            let choices = Self.matching(values(field).map { Choice(text: $0) }, bare).map { choice in
                Choice(text: Self.quoted(choice.text, always: prefix.hasPrefix("\"")))
            }
            return Completion(replacedCount: prefix.count, choices: choices)
        }
    }

    /// The choices that begin with `prefix`; without any, those that have it, or its letters in that order, within.
    static func matching(_ choices: [Choice], _ prefix: String) -> [Choice] {
        let wanted = prefix.lowercased()
        let beginning = choices.filter { $0.text.lowercased().hasPrefix(wanted) }
        guard beginning.isEmpty, wanted.count > 1 else { return beginning }
        let containing = choices.filter { $0.text.lowercased().contains(wanted) }
        return containing.isEmpty ? choices.filter { Self.hasLetters(of: wanted, $0.text.lowercased()) } : containing
    }

    /// Whether the letters of `wanted` stand in `text` in their order, other letters between them.
    private static func hasLetters(of wanted: String, _ text: String) -> Bool {
        var rest = wanted[...]
        for letter in text where letter == rest.first { rest.removeFirst() }
        return rest.isEmpty
    }

    private static func functions() -> [Choice] {
        FunctionCatalogue.all.map { signature in
            Choice(text: signature.name, suffix: "(", note: Self.note(signature))
        }
    }

    private static func note(_ signature: FunctionSignature) -> String {
        let parameters = signature.parameters.prefix(3).map(\.name).joined(separator: ", ")
        let more = signature.parameters.count > 3 ? ", …" : ""
        return "(\(parameters)\(more))  \(signature.summary)"
    }

    private static func parameters(of function: String) -> [Choice] {
        guard let signature = FunctionCatalogue.find(function) else { return [] }
        return signature.parameters.map { parameter in
            Choice(
                text: parameter.name + "=",
                note: parameter.isRequired ? "required" : parameter.defaultText.map { "default \($0)" } ?? ""
            )
        }
    }

    private static func fields(_ names: [String]) -> [Choice] { names.map { Choice(text: $0) } }

    /// A value as it is written in a filter.
    static func quoted(_ value: String, always: Bool = false) -> String {
        let isPlain =
            !value.isEmpty && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.:@".contains($0)) }
        if isPlain && !always { return value }
        return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
