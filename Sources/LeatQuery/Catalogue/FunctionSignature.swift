/// How a function of the query language is called and what it is for.
///
/// The parser, the check, the shell's completion and `docs/query-language.md` all read it. How it is executed is said
/// elsewhere, under the same name.
public struct FunctionSignature: Hashable, Sendable {
    /// What a function does to the stream of events.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Keeps or drops an event; may be negated and used within filters.
        case filter
        /// Changes an event, or its number; may be used within `case` and `match`.
        case transformation
        /// Consumes all events and gives rows.
        case aggregate
        /// Consumes an ordered sequence of rows and gives a row for each.
        case sequence
        /// Takes the place of the input.
        case source
        /// Says something about the query; stands before its steps.
        case preamble
    }

    /// The name as the documentation spells it, with its namespace: `groupBy`, `text:length`.
    public let name: String
    /// Other names of the same function.
    public let aliases: [String]
    public let kind: Kind
    public let parameters: [FunctionParameter]
    /// The fields that the function writes, as words for the reader; empty for most filters.
    public let outputs: String
    /// What it does, in one or a few sentences.
    public let summary: String
    /// Whether the function may also stand where a filter may (`match`, `join`, `regex`).
    public let isFilterToo: Bool
    /// Whether arguments of any name are taken, in order (`eval`, `correlate`).
    public let takesAnyName: Bool

    public init(
        _ name: String,
        aliases: [String] = [],
        _ kind: Kind,
        _ parameters: [FunctionParameter] = [],
        outputs: String = "",
        isFilterToo: Bool = false,
        takesAnyName: Bool = false,
        summary: String
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.parameters = parameters
        self.outputs = outputs
        self.summary = summary
        self.isFilterToo = isFilterToo
        self.takesAnyName = takesAnyName
    }

    /// The parameter of that name: exact first, then in any case.
    public func parameter(_ name: String) -> FunctionParameter? {
        if let exact = self.parameters.first(where: { $0.name == name || $0.aliases.contains(name) }) { return exact }
        let folded = name.lowercased()
        return self.parameters.first { $0.name.lowercased() == folded }
    }

    /// The parameter that an argument without a name feeds.
    public var unnamedParameter: FunctionParameter? { self.parameters.first { $0.isUnnamed } }

    /// Whether a call can decide if an event stays, and can be negated.
    public var canFilter: Bool { self.kind == .filter || self.isFilterToo }
}

/// A parameter of a function.
public struct FunctionParameter: Hashable, Sendable {
    /// What an argument may be.
    public enum Kind: Hashable, Sendable {
        /// A field name, bare or quoted.
        case field
        /// A field name or an array of them.
        case fields
        /// The name of an array of fields, with or without `[]`.
        case array
        /// Computed per event: bare words are fields, quoted ones strings.
        case expression
        /// Several expressions, or one.
        case expressions
        /// Text, bare or quoted.
        case string
        /// A language, and perhaps a country: `da`, `en_US`.
        case locale
        /// An array of texts, or one.
        case strings
        /// A regular expression, as text or between slashes.
        case regex
        /// A decimal number, or `max` where a limit may say so.
        case number
        case boolean
        /// A length of time such as `5m`, `auto`.
        case duration
        /// A moment: epoch milliseconds, or relative such as `7d`, `now`.
        case time
        /// One of these words.
        case choice([String])
        /// One of these words, or an array of them.
        case choices([String])
        /// `{ pipeline }` without an aggregate.
        case pipeline
        /// `{ pipeline }` or several in an array.
        case pipelines
        /// `{ pipeline }` that may end in an aggregate: a query of its own.
        case query
        /// An aggregate, an array of them, or a `{ pipeline }` that ends in one.
        case aggregate
        /// Something that is true or false per event: an expression, or `{ filter }`.
        case condition
        /// Pairs, such as `[[old, new]]`.
        case pairs
    }

    public let name: String
    public let aliases: [String]
    public let kind: Kind
    public let isRequired: Bool
    /// Whether an argument without a name feeds it.
    public let isUnnamed: Bool
    /// The default as it would be written, quotes included; `nil` when there is none.
    public let defaultText: String?
    /// The numbers that it takes; `nil` for what is no number, or any.
    public let range: NumberRange?
    /// Why another value than the default changes nothing; `nil` for parameters that count.
    public let ignoredBecause: String?

    public init(
        _ name: String,
        aliases: [String] = [],
        _ kind: Kind,
        unnamed: Bool = false,
        required: Bool = false,
        default defaultText: String? = nil,
        in range: NumberRange? = nil,
        ignored reason: String? = nil
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.isUnnamed = unnamed
        self.isRequired = required
        self.defaultText = defaultText
        self.range = range
        self.ignoredBecause = reason
    }
}
