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
            let choices = Self.functions(prefix) + Self.fields(fields(), prefix)
            return Completion(replacedCount: prefix.count, choices: choices)
        case .argument(let function, let prefix):
            let choices =
                Self.parameters(of: function, prefix) + Self.fields(fields(), prefix)
                + Self.aggregates(of: function, prefix)
            return Completion(replacedCount: prefix.count, choices: choices)
        case .value(let field, let prefix):
            let bare = prefix.hasPrefix("\"") ? String(prefix.dropFirst()) : prefix
            let choices = values(field).filter { $0.lowercased().hasPrefix(bare.lowercased()) }.map { value in
                Choice(text: Self.quoted(value, always: prefix.hasPrefix("\"")))
            }
            return Completion(replacedCount: prefix.count, choices: choices)
        }
    }

    private static func functions(_ prefix: String) -> [Choice] {
        FunctionCatalogue.all.filter { Self.matches($0.name, prefix) }.map { signature in
            Choice(text: signature.name, suffix: "(", note: Self.note(signature))
        }
    }

    /// Within an aggregate's argument other functions may stand, once something of their name is there.
    private static func aggregates(of function: String, _ prefix: String) -> [Choice] {
        prefix.isEmpty ? [] : Self.functions(prefix)
    }

    private static func note(_ signature: FunctionSignature) -> String {
        let parameters = signature.parameters.prefix(3).map(\.name).joined(separator: ", ")
        let more = signature.parameters.count > 3 ? ", …" : ""
        return "(\(parameters)\(more))  \(signature.summary)"
    }

    private static func parameters(of function: String, _ prefix: String) -> [Choice] {
        guard let signature = FunctionCatalogue.find(function) else { return [] }
        return signature.parameters.filter { Self.matches($0.name, prefix) }.map { parameter in
            Choice(
                text: parameter.name + "=",
                note: parameter.isRequired ? "required" : parameter.defaultText.map { "default \($0)" } ?? ""
            )
        }
    }

    private static func fields(_ names: [String], _ prefix: String) -> [Choice] {
        names.filter { Self.matches($0, prefix) }.map { Choice(text: $0) }
    }

    private static func matches(_ name: String, _ prefix: String) -> Bool {
        name.lowercased().hasPrefix(prefix.lowercased())
    }

    /// A value as it is written in a filter.
    static func quoted(_ value: String, always: Bool = false) -> String {
        let isPlain =
            !value.isEmpty && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.:@".contains($0)) }
        if isPlain && !always { return value }
        return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
