public import LeatCore

/// A query as it was written: what the parser makes, the printer prints and the plan is built from.
///
/// Equality and hashes ignore places, so a tree equals the tree of its printed form.
public struct QueryTree: Hashable, Sendable {
    /// The whole text, for diagnostics.
    public let text: SourceText
    public var pipeline: Pipeline

    public init(text: String, pipeline: Pipeline) {
        self.text = SourceText(text)
        self.pipeline = pipeline
    }
}

/// Where something stands in the query text, in Unicode scalars from 0; all places are equal.
public struct SourceRange: Hashable, Sendable {
    public let range: Range<Int>

    public init(_ range: Range<Int>) { self.range = range }

    /// The place of what was not written, such as a default.
    public static let none = SourceRange(0..<0)

    /// From the start of this place to the end of the other.
    public func joined(_ other: SourceRange) -> SourceRange {
        SourceRange(self.range.lowerBound..<max(self.range.lowerBound, other.range.upperBound))
    }

    public static func == (left: SourceRange, right: SourceRange) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}

/// A query's text; all texts are equal, like places.
public struct SourceText: Hashable, Sendable {
    public let string: String

    public init(_ string: String) { self.string = string }

    /// An error or warning about a part of the text.
    public func diagnostic(
        _ message: String,
        at range: SourceRange,
        hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) -> Diagnostic {
        Diagnostic(
            source: "query",
            text: self.string,
            range: range.range,
            severity: severity,
            message: message,
            hint: hint
        )
    }

    public static func == (left: SourceText, right: SourceText) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}

/// Steps that run from left to right; empty steps are gone.
public struct Pipeline: Hashable, Sendable {
    public var steps: [Step]
    public var range: SourceRange

    public init(steps: [Step], range: SourceRange = .none) {
        self.steps = steps
        self.range = range
    }
}

/// One step of a pipeline.
public indirect enum Step: Hashable, Sendable {
    /// A filter; a call that stands alone is `.call` instead.
    case filter(Filter)
    /// A function call that is the whole step, whatever its kind.
    case call(FunctionCall)
    /// `field := expression`.
    case assignment(Assignment)
    /// `field =~ f(…)`: the field is the call's `field` argument.
    case shorthand(FieldShorthand)
    /// `case { …; … }`.
    case cases([Pipeline], SourceRange)
    /// `field match { guard => …; … }`.
    case match(MatchStatement)
    /// `[f(), g()]`, short for `stats([f(), g()])`; elements are calls, assignments or subqueries.
    case stats([Expression], SourceRange)
    /// `$name(…)`; gone after `SavedQueryExpansion`.
    case savedQuery(SavedQueryCall)

    /// Where the step stands.
    public var range: SourceRange {
        switch self {
        case .filter(let filter): filter.range
        case .call(let call): call.range
        case .assignment(let assignment): assignment.range
        case .shorthand(let shorthand): shorthand.range
        case .cases(_, let range), .stats(_, let range): range
        case .match(let statement): statement.range
        case .savedQuery(let call): call.range
        }
    }
}

/// A field name, bare or quoted.
public struct FieldName: Hashable, Sendable {
    public var name: String
    public var isQuoted: Bool
    public var range: SourceRange

    public init(_ name: String, isQuoted: Bool = false, range: SourceRange = .none) {
        self.name = name
        self.isQuoted = isQuoted
        self.range = range
    }
}

/// A word or quoted string as a value; `*` inside is a glob star in both forms.
public struct TextValue: Hashable, Sendable {
    /// The text without quotes, escapes resolved.
    public var text: String
    public var isQuoted: Bool
    public var range: SourceRange

    public init(_ text: String, isQuoted: Bool, range: SourceRange = .none) {
        self.text = text
        self.isQuoted = isQuoted
        self.range = range
    }
}

/// `/body/flags`.
public struct RegexLiteral: Hashable, Sendable {
    /// The expression as written; `\/` stays as it is.
    public var body: String
    /// Some of `d g i m s F`, in the order written.
    public var flags: String
    public var range: SourceRange

    public init(body: String, flags: String, range: SourceRange = .none) {
        self.body = body
        self.flags = flags
        self.range = range
    }
}

/// `?name` or `?{name=default}`: a value that the caller of the query supplies.
public struct QueryParameter: Hashable, Sendable {
    public var name: FieldName
    /// The value when the caller supplies none.
    public var defaultValue: TextValue?
    public var range: SourceRange

    public init(name: FieldName, defaultValue: TextValue? = nil, range: SourceRange = .none) {
        self.name = name
        self.defaultValue = defaultValue
        self.range = range
    }
}

/// What an event must satisfy.
public indirect enum Filter: Hashable, Sendable {
    /// All hold; explicit and implicit `and` are the same. At least two parts.
    case and([Filter])
    /// One holds. At least two parts.
    case or([Filter])
    case not(Filter, SourceRange)
    /// `true`, `false`.
    case constant(Bool, SourceRange)
    /// Free text: a substring of any stored field.
    case text(TextValue)
    /// A regular expression over any stored field.
    case regex(RegexLiteral)
    /// A parameter: as free text, or `true` when it only declares a default.
    case parameter(QueryParameter)
    case comparison(Comparison)
    case call(FunctionCall)
    /// `left <=> right`, only within `correlate()`.
    case link(FieldName, FieldName)

    /// Where the filter stands.
    public var range: SourceRange {
        switch self {
        case .and(let parts), .or(let parts):
            guard let first = parts.first, let last = parts.last else { return .none }
            return first.range.joined(last.range)
        case .not(_, let range), .constant(_, let range): return range
        case .text(let value): return value.range
        case .regex(let literal): return literal.range
        case .parameter(let parameter): return parameter.range
        case .comparison(let comparison): return comparison.range
        case .call(let call): return call.range
        case .link(let left, let right): return left.range.joined(right.range)
        }
    }
}

/// `field op value` in a filter; the left side is always a field, the right side never is.
public struct Comparison: Hashable, Sendable {
    public enum Operator: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case like
    }

    public enum Value: Hashable, Sendable {
        case text(TextValue)
        case regex(RegexLiteral)
        case parameter(QueryParameter)
        /// `field = in(values=[…])`, the same as `field =~ in(…)`.
        case call(FunctionCall)
    }

    public var field: FieldName
    public var comparator: Operator
    public var value: Value
    public var range: SourceRange

    public init(field: FieldName, comparator: Operator, value: Value, range: SourceRange = .none) {
        self.field = field
        self.comparator = comparator
        self.value = value
        self.range = range
    }
}

/// `target := expression`.
public struct Assignment: Hashable, Sendable {
    public var target: FieldName
    /// Whether the target is written in back-ticks: the name is then the value of that field (legacy).
    public var isComputed: Bool
    public var value: Expression
    public var range: SourceRange

    public init(target: FieldName, isComputed: Bool = false, value: Expression, range: SourceRange = .none) {
        self.target = target
        self.isComputed = isComputed
        self.value = value
        self.range = range
    }
}

/// `field =~ f(…)` or `field =~ !f(…)`.
public struct FieldShorthand: Hashable, Sendable {
    public var field: FieldName
    public var isNegated: Bool
    public var call: FunctionCall
    public var range: SourceRange

    public init(field: FieldName, isNegated: Bool, call: FunctionCall, range: SourceRange = .none) {
        self.field = field
        self.isNegated = isNegated
        self.call = call
        self.range = range
    }
}

/// `field match { guard => pipeline; … }`.
public struct MatchStatement: Hashable, Sendable {
    /// What decides whether an arm is tried.
    public enum Guard: Hashable, Sendable {
        /// A bare `*`: always, even when the field is missing.
        case always
        /// As in `field = text`; `"*"` and `**` mean that the field is present.
        case text(TextValue)
        case regex(RegexLiteral)
        case call(FunctionCall)
        case parameter(QueryParameter)
    }

    public struct Arm: Hashable, Sendable {
        public var condition: Guard
        public var pipeline: Pipeline

        public init(condition: Guard, pipeline: Pipeline) {
            self.condition = condition
            self.pipeline = pipeline
        }
    }

    public var field: FieldName
    public var arms: [Arm]
    public var range: SourceRange

    public init(field: FieldName, arms: [Arm], range: SourceRange = .none) {
        self.field = field
        self.arms = arms
        self.range = range
    }
}
