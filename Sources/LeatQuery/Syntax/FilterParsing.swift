/// Reading of filters: `or` binds tighter than `and`, `not` tighter than both.
extension QueryReader {
    mutating func filter() throws(SyntaxFailure) -> Filter {
        var parts = [try self.orFilter()]
        while true {
            try self.scanner.skipTrivia()
            if self.scanner.takeKeyword("and") {
                parts.append(try self.orFilter())
            } else if self.isAtFilterEnd {
                break
            } else if try self.startsStatement() {
                break
            } else {
                parts.append(try self.orFilter())
            }
        }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private var isAtFilterEnd: Bool {
        if self.scanner.isAtEnd { return true }
        switch self.scanner.current {
        case "|", ")", "}", ";", ",", "]", "[": return true
        default: return false
        }
    }

    private mutating func orFilter() throws(SyntaxFailure) -> Filter {
        var parts = [try self.notFilter()]
        while true {
            try self.scanner.skipTrivia()
            guard self.scanner.takeKeyword("or") else { break }
            parts.append(try self.notFilter())
        }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func notFilter() throws(SyntaxFailure) -> Filter {
        try self.scanner.skipTrivia()
        let start = self.scanner.position
        if self.scanner.isAt("!=") || self.scanner.isAt("!~") { throw self.missingOperand(at: start) }
        if self.scanner.take("!") || self.scanner.takeKeyword("not") {
            let inner = try self.nested { reader throws(SyntaxFailure) in try reader.notFilter() }
            return .not(inner, SourceRange(start..<max(start + 1, inner.range.range.upperBound)))
        }
        return try self.primaryFilter()
    }

    private mutating func primaryFilter() throws(SyntaxFailure) -> Filter {
        let start = self.scanner.position
        switch self.scanner.current {
        case "(":
            return try self.nested { reader throws(SyntaxFailure) in try reader.parenthesised() }
        case "/": return .regex(try self.scanner.regex())
        case "?": return .parameter(try self.parameter())
        default: break
        }
        if let field = try self.fieldOfTerm() {
            try self.scanner.skipTrivia()
            if let filter = try self.comparison(of: field) { return filter }
            self.scanner.position = start
        }
        if self.scanner.current == "\"" { return .text(try self.textValue()) }
        if let call = try self.callIfAny() { return .call(call) }
        return try self.freeWord()
    }

    private mutating func parenthesised() throws(SyntaxFailure) -> Filter {
        let open = self.scanner.position
        self.scanner.position += 1
        try self.scanner.skipTrivia()
        if self.scanner.current == ")" {
            throw SyntaxFailure(
                "nothing between the parentheses",
                at: open..<self.scanner.position + 1,
                hint: self.hintOnEmptyParentheses(at: open)
            )
        }
        let inner = try self.filter()
        try self.refuseDoublePipe()
        try self.expectClose(")", of: "(", openedAt: open)
        return inner
    }

    /// A bare word as free text, or a constant.
    private mutating func freeWord() throws(SyntaxFailure) -> Filter {
        let start = self.scanner.position
        let end = self.scanner.endOfPatternWord()
        guard end > start else { throw self.missingOperand(at: start) }
        let word = self.scanner.text(start..<end)
        let range = SourceRange(start..<end)
        switch word {
        case "true", "false":
            self.scanner.position = end
            return .constant(word == "true", range)
        default: break
        }
        if let failure = self.reservedWord(word, at: start..<end) { throw failure }
        self.scanner.position = end
        try self.refuseOperatorAfterWord(word, start..<end)
        return .text(TextValue(word, isQuoted: false, range: range))
    }

    // MARK: Comparisons

    /// The rest of `field op value`; `nil` when no operator stands here.
    private mutating func comparison(of field: FieldName) throws(SyntaxFailure) -> Filter? {
        let start = self.scanner.position
        if self.scanner.take("<=>") {
            try self.scanner.skipTrivia()
            guard let other = try self.fieldName() else { throw self.missingValue(of: field, at: start) }
            return .link(field, other)
        }
        guard let comparator = self.comparator() else { return nil }
        if let failure = self.foreignOperator(field, comparator, at: start) { throw failure }
        try self.scanner.skipTrivia()
        let value = try self.comparedValue(of: field, comparator)
        let range = SourceRange(field.range.range.lowerBound..<self.scanner.position)
        return .comparison(Comparison(field: field, comparator: comparator, value: value, range: range))
    }

    private mutating func comparator() -> Comparison.Operator? {
        // `f =~ /x/`, as other languages write it, occurs in real parsers; it is `f = /x/`.
        if self.scanner.isRegexAfter("=~"), self.scanner.take("=~") { return .equal }
        if self.scanner.isAt("=~") || self.scanner.isAt("=>") { return nil }
        for comparator: Comparison.Operator in [.notEqual, .lessOrEqual, .greaterOrEqual, .equal, .less, .greater]
        where self.scanner.take(comparator.rawValue) {
            return comparator
        }
        return self.scanner.takeKeyword("like") ? .like : nil
    }

    private mutating func comparedValue(
        of field: FieldName,
        _ comparator: Comparison.Operator
    ) throws(SyntaxFailure) -> Comparison.Value {
        let start = self.scanner.position
        switch self.scanner.current {
        case "\"": return .text(try self.textValue())
        case "?": return .parameter(try self.parameter())
        case "/":
            let literal = try self.scanner.regex()
            if comparator != .equal && comparator != .notEqual && comparator != .like {
                throw SyntaxFailure(
                    "'\(comparator.rawValue)' compares numbers, not regular expressions",
                    at: literal.range.range,
                    hint: "use '\(field.name) = /…/'"
                )
            }
            return .regex(literal)
        default: break
        }
        if comparator == .equal || comparator == .notEqual, let call = try self.filterCallAsValue() {
            return .call(call)
        }
        let end = self.scanner.endOfPatternWord()
        guard end > start else { throw self.missingValue(of: field, at: start) }
        self.scanner.position = end
        try self.refuseURLBeforeComment(start..<end)
        return .text(TextValue(self.scanner.text(start..<end), isQuoted: false, range: SourceRange(start..<end)))
    }

    /// A call of a known filter function right before its `(`; a word with a space before `(` is a value, and the
    /// parenthesis begins the next term (P9).
    private mutating func filterCallAsValue() throws(SyntaxFailure) -> FunctionCall? {
        let start = self.scanner.position
        let end = self.scanner.endOfPatternWord()
        guard end > start, end < self.scanner.scalars.count, self.scanner.scalars[end] == "(",
            let signature = FunctionCatalogue.find(self.scanner.text(start..<end)), signature.canFilter
        else { return nil }
        return try self.callIfAny()
    }
}
