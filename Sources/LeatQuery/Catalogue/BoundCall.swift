/// A call whose arguments were assigned to the parameters of its function.
///
/// Made by `CallBinder`, which has checked kinds, names and required arguments; the accessors therefore only convert.
public struct BoundCall: Hashable, Sendable {
    public let signature: FunctionSignature
    public let call: FunctionCall
    /// Per parameter name what was given; several unnamed arguments are one `.array`.
    public let values: [String: Expression]
    /// Arguments of `takesAnyName` functions that name no parameter, in order.
    public let others: [Argument]

    public init(
        signature: FunctionSignature,
        call: FunctionCall,
        values: [String: Expression],
        others: [Argument] = []
    ) {
        self.signature = signature
        self.call = call
        self.values = values
        self.others = others
    }

    /// What was given for a parameter, as an expression.
    public func expression(_ parameter: String) -> Expression? { self.values[parameter] }

    /// Whether the parameter was given.
    public func isGiven(_ parameter: String) -> Bool { self.values[parameter] != nil }

    /// The text of a string, field, choice or regex parameter, or its default.
    public func text(_ parameter: String) -> String? {
        if let value = self.values[parameter] { return value.plainText }
        return self.defaultText(parameter)
    }

    /// The texts of an array parameter, or of its default; one text is an array of one.
    public func texts(_ parameter: String) -> [String] {
        if let value = self.values[parameter] { return value.plainTexts }
        guard let text = self.defaultText(parameter), text != "[]" else { return [] }
        return [text]
    }

    /// The number of a parameter, or its default; of a limit at most the largest, which `max` is too.
    public func number(_ parameter: String) -> Double? {
        guard let text = self.text(parameter) else { return nil }
        guard let range = self.signature.parameter(parameter)?.range, range.isLimit else { return Double(text) }
        if text.lowercased() == "max" { return range.bounds.upperBound }
        return Double(text).map { min($0, range.bounds.upperBound) }
    }

    /// The same as an integer.
    public func integer(_ parameter: String) -> Int? { self.number(parameter).flatMap { Int(exactly: $0) } }

    /// Whether a boolean parameter is true, by argument or default.
    public func isTrue(_ parameter: String) -> Bool { self.text(parameter)?.lowercased() == "true" }

    /// The elements of an aggregate, pipeline or expression parameter.
    public func elements(_ parameter: String) -> [Expression] { self.values[parameter]?.elements ?? [] }

    /// The default of a parameter, without quotes.
    private func defaultText(_ parameter: String) -> String? {
        guard let text = self.signature.parameter(parameter)?.defaultText else { return nil }
        return text.hasPrefix("\"") && text.count >= 2 ? String(text.dropFirst().dropLast()) : text
    }
}

extension Expression {
    /// The text of a word, string, number or regex; `nil` for what has to be computed.
    public var plainText: String? {
        switch self {
        case .field(let text, _), .string(let text, _), .number(let text, _), .duration(let text, _),
            .pattern(let text, _):
            text
        case .boolean(let value, _): value ? "true" : "false"
        case .regex(let literal): literal.body
        case .unary(.minus, .number(let text, _), _): "-" + text
        case .parameter(let parameter): parameter.defaultValue?.text
        default: nil
        }
    }

    /// The plain texts of an array, or of one value.
    public var plainTexts: [String] { self.elements.compactMap(\.plainText) }

    /// The elements of an array or list; anything else is its only element.
    public var elements: [Expression] {
        switch self {
        case .array(let elements, _), .list(let elements, _): elements
        default: [self]
        }
    }
}

extension [String] {
    /// Each name once, where it stands first.
    var withoutRepetitions: [String] {
        self.reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }
}
