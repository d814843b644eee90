internal import LeatCore

/// Puts the values of parameters in their place, as values: never parsed, but `*` in them is a glob star.
struct ParameterSubstitution: TreeRewriter {
    /// Values by name; several mean any of them.
    let arguments: [String: [String]]
    let source: SourceText
    /// Whether parameters without a value stay as they are.
    var acceptsMissing = false
    /// Defaults that were declared anywhere in the query.
    var defaults: [String: String] = [:]
    var problems: [Diagnostic] = []

    init(arguments: [String: [String]], source: SourceText) {
        self.arguments = arguments
        self.source = source
    }

    mutating func rewrite(_ step: Step) -> [Step] {
        // A declaration that stands alone only declares.
        if case .filter(.parameter(let parameter)) = step, parameter.defaultValue != nil { return [] }
        return [self.descend(step)]
    }

    mutating func rewrite(_ filter: Filter) -> Filter {
        switch filter {
        case .parameter(let parameter):
            guard let values = self.values(of: parameter) else { return filter }
            return Self.any(
                values.map { .text(TextValue($0, isQuoted: true, range: parameter.range)) },
                parameter.range
            )
        case .comparison(let comparison):
            guard case .parameter(let parameter) = comparison.value, let values = self.values(of: parameter) else {
                return self.descend(filter)
            }
            let isNegated = comparison.comparator == .notEqual
            let parts = values.map { value in
                var part = comparison
                part.value = .text(TextValue(value, isQuoted: true, range: parameter.range))
                if isNegated { part.comparator = .equal }
                return Filter.comparison(part)
            }
            let any = Self.any(parts, parameter.range)
            return isNegated ? .not(any, comparison.range) : any
        default: return self.descend(filter)
        }
    }

    mutating func rewrite(_ expression: Expression) -> Expression {
        guard case .parameter(let parameter) = expression, let values = self.values(of: parameter) else {
            return self.descend(expression)
        }
        if let only = values.first, values.count == 1 { return .string(only, parameter.range) }
        return .array(values.map { .string($0, parameter.range) }, parameter.range)
    }

    mutating func rewrite(_ condition: MatchStatement.Guard, of field: FieldName) -> MatchStatement.Guard {
        guard case .parameter(let parameter) = condition, let value = self.values(of: parameter)?.first else {
            return self.descend(condition)
        }
        return .text(TextValue(value, isQuoted: true, range: parameter.range))
    }

    private static func any(_ parts: [Filter], _ range: SourceRange) -> Filter {
        if parts.isEmpty { return .constant(false, range) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func values(of parameter: QueryParameter) -> [String]? {
        let name = parameter.name.name
        if let given = self.arguments[name] { return given }
        if let text = parameter.defaultValue?.text ?? self.defaults[name] { return [text] }
        if !self.acceptsMissing {
            self.problems.append(
                self.source.diagnostic(
                    "missing argument '\(name)'",
                    at: parameter.range,
                    hint: "give it a value, or a default: ?{\(name)=\"*\"}"
                )
            )
        }
        return nil
    }
}

/// Finds the parameters of a query and their declared defaults.
struct ParameterSearch: TreeRewriter {
    var names: [String] = []
    var defaults: [String: String] = [:]

    private mutating func note(_ parameter: QueryParameter) {
        let name = parameter.name.name
        if !self.names.contains(name) { self.names.append(name) }
        if let text = parameter.defaultValue?.text, self.defaults[name] == nil { self.defaults[name] = text }
    }

    mutating func rewrite(_ filter: Filter) -> Filter {
        if case .parameter(let parameter) = filter { self.note(parameter) }
        if case .comparison(let comparison) = filter, case .parameter(let parameter) = comparison.value {
            self.note(parameter)
        }
        return self.descend(filter)
    }

    mutating func rewrite(_ expression: Expression) -> Expression {
        if case .parameter(let parameter) = expression { self.note(parameter) }
        return self.descend(expression)
    }

    mutating func rewrite(_ condition: MatchStatement.Guard, of field: FieldName) -> MatchStatement.Guard {
        if case .parameter(let parameter) = condition { self.note(parameter) }
        return self.descend(condition)
    }
}
