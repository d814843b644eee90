/// What can be computed from an event, and what can be an argument.
///
/// Whether a word was quoted is kept: in an expression a bare word is a field and a quoted one a string, for a string
/// parameter both are the string, for a field parameter both are the name.
public indirect enum Expression: Hashable, Sendable {
    /// A bare word: the value of that field, or plain text where a parameter wants text.
    case field(String, SourceRange)
    /// A quoted string.
    case string(String, SourceRange)
    /// A number as written.
    case number(String, SourceRange)
    /// A number with letters, such as `5m`; a field name where an expression is wanted.
    case duration(String, SourceRange)
    case boolean(Bool, SourceRange)
    /// A bare word that no field can be, such as `*`, `web-*` or `Europe/Copenhagen`.
    case pattern(String, SourceRange)
    /// `/body/flags` as an argument.
    case regex(RegexLiteral)
    case parameter(QueryParameter)
    case call(FunctionCall)
    case savedQuery(SavedQueryCall)
    /// `[a, b]`; elements may be assignments.
    case array([Expression], SourceRange)
    /// `(a, b)` with at least two elements; one in parentheses is the element itself.
    case list([Expression], SourceRange)
    case subquery(Subquery)
    /// `name := expression` as an argument or element.
    case assignment(Assignment)
    case unary(UnaryOperator, Expression, SourceRange)
    case binary(BinaryOperator, Expression, Expression)

    /// Where the expression stands.
    public var range: SourceRange {
        switch self {
        case .field(_, let range), .string(_, let range), .number(_, let range), .duration(_, let range),
            .boolean(_, let range), .pattern(_, let range), .array(_, let range), .list(_, let range),
            .unary(_, _, let range):
            range
        case .regex(let literal): literal.range
        case .parameter(let parameter): parameter.range
        case .call(let call): call.range
        case .savedQuery(let call): call.range
        case .subquery(let subquery): subquery.range
        case .assignment(let assignment): assignment.range
        case .binary(_, let left, let right): left.range.joined(right.range)
        }
    }
}

/// Operators before one operand.
public enum UnaryOperator: String, Hashable, Sendable {
    case minus = "-"
    case not = "!"
}

/// Operators between two operands, in expressions.
public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    /// Equality of fields of two subqueries, only within `correlate()`.
    case link = "<=>"

    /// How tightly the operator binds: 1 compares, 2 adds, 3 multiplies.
    public var precedence: Int {
        switch self {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .link: 1
        case .add, .subtract: 2
        case .multiply, .divide, .remainder: 3
        }
    }
}

/// `name(argument, name=argument)`.
public struct FunctionCall: Hashable, Sendable {
    /// The name as the catalogue spells it, or as written when it is unknown.
    public var name: String
    public var nameRange: SourceRange
    public var arguments: [Argument]
    public var range: SourceRange

    public init(
        name: String,
        nameRange: SourceRange = .none,
        arguments: [Argument] = [],
        range: SourceRange = .none
    ) {
        self.name = name
        self.nameRange = nameRange
        self.arguments = arguments
        self.range = range
    }
}

/// An argument of a call; without a name it feeds the parameter that the function's signature says.
public struct Argument: Hashable, Sendable {
    public var name: FieldName?
    public var value: Expression

    public init(name: FieldName? = nil, value: Expression) {
        self.name = name
        self.value = value
    }

    /// Where the argument stands.
    public var range: SourceRange { self.name?.range.joined(self.value.range) ?? self.value.range }
}

/// `{ pipeline }` as an argument; `correlate()` has labels before and attributes after it.
public struct Subquery: Hashable, Sendable {
    public struct Attribute: Hashable, Sendable {
        public var name: FieldName
        public var value: Expression

        public init(name: FieldName, value: Expression) {
            self.name = name
            self.value = value
        }
    }

    public var label: FieldName?
    public var pipeline: Pipeline
    public var attributes: [Attribute]
    public var range: SourceRange

    public init(
        label: FieldName? = nil,
        pipeline: Pipeline,
        attributes: [Attribute] = [],
        range: SourceRange = .none
    ) {
        self.label = label
        self.pipeline = pipeline
        self.attributes = attributes
        self.range = range
    }
}

/// `$name(parameter=value)`: a saved query that takes the place of the call.
public struct SavedQueryCall: Hashable, Sendable {
    /// The name without `$`, such as `errors` or `falcon/helper:enrich`.
    public var name: FieldName
    public var arguments: [Argument]
    public var range: SourceRange

    public init(name: FieldName, arguments: [Argument] = [], range: SourceRange = .none) {
        self.name = name
        self.arguments = arguments
        self.range = range
    }
}
