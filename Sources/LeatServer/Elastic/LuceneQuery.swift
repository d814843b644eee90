internal import LeatCore

/// The text of `query_string` and `?q=`, as a filter of the query language.
///
/// Words, `"phrases"`, `field:word`, `field:*`, `field:"phrase"`, `field:[1 TO 5]`, `field:>=5`, `*:*`, `AND`, `OR`, `NOT`,
/// `&&`, `||`, `!`, `+`, `-` and parentheses; neither fuzziness, slop nor boosts.
struct LuceneQuery {
    private var rest: Substring
    private let field: String?
    private let joinsByAnd: Bool
    private var depth = 0

    /// The filter.
    ///
    /// - Parameters:
    ///   - text: The query.
    ///   - field: The field of words that name none; `nil`: any field.
    ///   - joinsByAnd: Whether words side by side must all be there.
    /// - Returns: The filter's text.
    /// - Throws: 400 when the text is none.
    static func filter(_ text: String, field: String?, joinsByAnd: Bool) throws(RequestFault) -> String {
        var reader = LuceneQuery(rest: text[...], field: field == "*" ? nil : field, joinsByAnd: joinsByAnd)
        let filter = try reader.alternatives()
        guard reader.rest.isEmpty else { throw Self.fault(text) }
        return filter
    }

    private static func fault(_ text: some StringProtocol) -> RequestFault {
        .elastic(400, "query_shard_exception", "Failed to parse query [\(text.prefix(200))]")
    }

    private init(rest: Substring, field: String?, joinsByAnd: Bool) {
        self.rest = rest
        self.field = field
        self.joinsByAnd = joinsByAnd
    }

    /// Whether nothing follows in these parentheses.
    private var isAtEnd: Bool { self.rest.isEmpty || self.rest.first == ")" }

    private mutating func alternatives() throws(RequestFault) -> String {
        var parts: [String] = []
        self.skipSpace()
        while !self.isAtEnd {
            parts.append(try self.conjunction())
            self.skipSpace()
            if self.take("OR") || self.take("||") { self.skipSpace() }
        }
        return parts.isEmpty ? "*" : FilterText.any(parts)
    }

    private mutating func conjunction() throws(RequestFault) -> String {
        var parts: [String] = []
        var isJoined = true
        while isJoined {
            // What must not be there must not be there whatever else is.
            let isSigned = self.isAtSign
            parts.append(try self.clause())
            self.skipSpace()
            if self.take("AND") || self.take("&&") {
                self.skipSpace()
            } else {
                let isAtOr = self.rest.hasPrefix("OR ") || self.rest.hasPrefix("||")
                isJoined = !self.isAtEnd && !isAtOr && (self.joinsByAnd || isSigned || self.isAtSign)
            }
        }
        return FilterText.all(parts)
    }

    private var isAtSign: Bool { ["-", "+", "!", "NOT "].contains { self.rest.hasPrefix($0) } }

    private mutating func clause() throws(RequestFault) -> String {
        if self.take("NOT") || self.take("!") || self.take("-") {
            self.skipSpace()
            return "(not \(try self.clause()))"
        }
        if self.take("+") { return try self.clause() }
        if self.take("(") {
            self.depth += 1
            guard self.depth <= 32 else { throw Self.fault(self.rest) }
            let inner = try self.alternatives()
            guard self.take(")") else { throw Self.fault(self.rest) }
            self.depth -= 1
            return inner
        }
        if self.rest.first == "\"" { return FilterText.word(try self.phrase(), in: self.fieldText) }
        let word = self.word()
        guard !word.isEmpty else { throw Self.fault(self.rest) }
        return self.take(":") ? try self.value(of: word) : Self.value(word, self.fieldText)
    }

    private var fieldText: String? { self.field.map { FilterText.field($0) } }

    /// What follows `field:`.
    private mutating func value(of name: String) throws(RequestFault) -> String {
        let field: String? = name == "*" || name == "_all" ? nil : FilterText.field(name)
        if self.rest.first == "\"" { return FilterText.word(try self.phrase(), in: field) }
        if let field, let opening = self.rest.first, opening == "[" || opening == "{" { return try self.range(field) }
        for comparator in [">=", "<=", ">", "<"] where self.take(comparator) {
            let number = self.word()
            guard let field, Double(number) != nil else { throw Self.fault(number) }
            return "\(field) \(comparator) \(number)"
        }
        let word = self.word()
        guard !word.isEmpty else { throw Self.fault(self.rest) }
        return Self.value(word, field)
    }

    private static func value(_ word: String, _ field: String?) -> String {
        if word == "*" { return field.map { "\($0) = *" } ?? "*" }
        guard word.contains("*") || word.contains("?") else { return FilterText.word(word, in: field) }
        return FilterText.glob(field ?? "\"@rawstring\"", field == nil ? "*\(word)*" : word)
    }

    /// `[1 TO 5]`, `{1 TO *]`.
    private mutating func range(_ field: String) throws(RequestFault) -> String {
        let isClosedBelow = self.rest.popFirst() == "["
        guard let end = self.rest.firstIndex(where: { $0 == "]" || $0 == "}" }) else { throw Self.fault(self.rest) }
        let words = self.rest[..<end].split(separator: " ")
        let isClosedAbove = self.rest[end] == "]"
        self.rest = self.rest[self.rest.index(after: end)...]
        guard words.count == 3, words[1] == "TO" else { throw Self.fault(field) }
        var parts: [String] = []
        for (bound, comparator) in [
            (words[0], isClosedBelow ? ">=" : ">"), (words[2], isClosedAbove ? "<=" : "<"),
        ] where bound != "*" {
            guard Double(bound) != nil else { throw Self.fault(bound) }
            parts.append("\(field) \(comparator) \(bound)")
        }
        return FilterText.all(parts)
    }

    private mutating func phrase() throws(RequestFault) -> String {
        self.rest = self.rest.dropFirst()
        var text = ""
        while let character = self.rest.popFirst() {
            if character == "\"" { return text }
            text.append(character == "\\" ? self.rest.popFirst() ?? character : character)
        }
        throw Self.fault(text)
    }

    /// The characters up to the next that means something.
    private mutating func word() -> String {
        var text = ""
        while let character = self.rest.first, !character.isWhitespace, !"():\"[]{}".contains(character) {
            self.rest = self.rest.dropFirst()
            text.append(character == "\\" ? self.rest.popFirst() ?? character : character)
        }
        return text
    }

    private mutating func skipSpace() { self.rest = self.rest.drop(while: \.isWhitespace) }

    /// Goes over a sign, or over an operator that is followed by something else than a letter.
    private mutating func take(_ sign: String) -> Bool {
        guard self.rest.hasPrefix(sign) else { return false }
        let after = self.rest.dropFirst(sign.count)
        if sign.first?.isLetter ?? false, let next = after.first, !next.isWhitespace, next != "(" { return false }
        self.rest = after
        return true
    }
}
