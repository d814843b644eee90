/// Writes a tree as query text that parses to the same tree.
public enum QueryPrinter {
    /// The text of a whole query, on one line.
    public static func print(_ tree: QueryTree) -> String { Self.print(tree.pipeline) }

    /// The text of a pipeline.
    public static func print(_ pipeline: Pipeline) -> String {
        pipeline.steps.map(Self.print).joined(separator: " | ")
    }

    /// The text of a step.
    public static func print(_ step: Step) -> String {
        switch step {
        case .filter(let filter): return Self.print(filter)
        case .call(let call): return Self.print(call)
        case .assignment(let assignment): return Self.print(assignment)
        case .shorthand(let shorthand):
            return "\(Self.print(shorthand.field)) =~ \(shorthand.isNegated ? "!" : "")\(Self.print(shorthand.call))"
        case .cases(let branches, _):
            return "case { \(branches.map { Self.print($0) + "; " }.joined())}"
        case .match(let statement):
            let arms = statement.arms.map { "\(Self.print($0.condition)) => \(Self.print($0.pipeline)); " }
            return "\(Self.print(statement.field)) match { \(arms.joined())}"
        case .stats(let elements, _): return Self.array(elements)
        case .savedQuery(let call): return Self.print(call)
        }
    }

    /// A string in double quotes, with escapes.
    public static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    static func print(_ field: FieldName) -> String { field.isQuoted ? Self.quote(field.name) : field.name }

    static func print(_ value: TextValue) -> String { value.isQuoted ? Self.quote(value.text) : value.text }

    static func print(_ literal: RegexLiteral) -> String { "/\(literal.body)/\(literal.flags)" }

    static func print(_ parameter: QueryParameter) -> String {
        let name = Self.print(parameter.name)
        guard let value = parameter.defaultValue else { return "?" + name }
        return "?{\(name)=\(Self.print(value))}"
    }

    // MARK: Filters

    /// The text of a filter; parts of `and` and `or` that are such themselves stand in parentheses.
    public static func print(_ filter: Filter) -> String {
        switch filter {
        case .and(let parts): return parts.map(Self.part).joined(separator: " and ")
        case .or(let parts): return parts.map(Self.part).joined(separator: " or ")
        case .not(let inner, _): return "not \(Self.part(inner))"
        case .constant(let value, _): return value ? "true" : "false"
        case .text(let value): return Self.print(value)
        case .regex(let literal): return Self.print(literal)
        case .parameter(let parameter): return Self.print(parameter)
        case .comparison(let comparison):
            let value = Self.print(comparison.value)
            return "\(Self.print(comparison.field)) \(comparison.comparator.rawValue) \(value)"
        case .call(let call): return Self.print(call)
        case .link(let left, let right): return "\(Self.print(left)) <=> \(Self.print(right))"
        }
    }

    private static func part(_ filter: Filter) -> String {
        switch filter {
        case .and, .or: "(\(Self.print(filter)))"
        default: Self.print(filter)
        }
    }

    private static func print(_ value: Comparison.Value) -> String {
        switch value {
        case .text(let text): Self.print(text)
        case .regex(let literal): Self.print(literal)
        case .parameter(let parameter): Self.print(parameter)
        case .call(let call): Self.print(call)
        }
    }

    private static func print(_ condition: MatchStatement.Guard) -> String {
        switch condition {
        case .always: "*"
        case .text(let text): Self.print(text)
        case .regex(let literal): Self.print(literal)
        case .call(let call): Self.print(call)
        case .parameter(let parameter): Self.print(parameter)
        }
    }

    // MARK: Expressions

    /// The text of an expression.
    public static func print(_ expression: Expression) -> String {
        switch expression {
        case .field(let text, _), .number(let text, _), .duration(let text, _), .pattern(let text, _): return text
        case .string(let text, _): return Self.quote(text)
        case .boolean(let value, _): return value ? "true" : "false"
        case .regex(let literal): return Self.print(literal)
        case .parameter(let parameter): return Self.print(parameter)
        case .call(let call): return Self.print(call)
        case .savedQuery(let call): return Self.print(call)
        case .array(let elements, _): return Self.array(elements)
        case .list(let elements, _): return "(\(elements.map(Self.print).joined(separator: ", ")))"
        case .subquery(let subquery): return Self.print(subquery)
        case .assignment(let assignment): return Self.print(assignment)
        case .unary(let symbol, let operand, _):
            // Without parentheses `-a` could be read as a bare word of text.
            if case .number(let text, _) = operand { return symbol.rawValue + text }
            return "\(symbol.rawValue)(\(Self.print(operand)))"
        case .binary(let symbol, let left, let right):
            let leftText = Self.operand(left, minimum: symbol.precedence + (symbol.precedence == 1 ? 1 : 0))
            return "\(leftText) \(symbol.rawValue) \(Self.operand(right, minimum: symbol.precedence + 1))"
        }
    }

    /// An operand, in parentheses when it binds less tightly than `minimum`.
    private static func operand(_ expression: Expression, minimum: Int) -> String {
        if case .binary(let symbol, _, _) = expression, symbol.precedence < minimum {
            return "(\(Self.print(expression)))"
        }
        return Self.print(expression)
    }

    private static func array(_ elements: [Expression]) -> String {
        "[\(elements.map(Self.print).joined(separator: ", "))]"
    }

    static func print(_ assignment: Assignment) -> String {
        let target = assignment.isComputed ? "`\(assignment.target.name)`" : Self.print(assignment.target)
        return "\(target) := \(Self.print(assignment.value))"
    }

    /// The text of a call.
    public static func print(_ call: FunctionCall) -> String { call.name + Self.print(call.arguments) }

    private static func print(_ arguments: [Argument]) -> String {
        let texts = arguments.map { argument in
            (argument.name.map { Self.print($0) + "=" } ?? "") + Self.print(argument.value)
        }
        return "(\(texts.joined(separator: ", ")))"
    }

    private static func print(_ call: SavedQueryCall) -> String {
        "$\(Self.print(call.name))\(Self.print(call.arguments))"
    }

    private static func print(_ subquery: Subquery) -> String {
        let label = subquery.label.map { Self.print($0) + ": " } ?? ""
        let attributes = subquery.attributes.map { " \(Self.print($0.name)): \(Self.print($0.value))" }
        return "\(label){ \(Self.print(subquery.pipeline)) }\(attributes.joined())"
    }
}
