internal import LeatCore

/// The errors of the syntax, with hints for what was probably meant.
extension QueryReader {
    func unexpected(at position: Int) -> SyntaxFailure {
        let scalar = self.scanner.scalars[position]
        switch scalar {
        case ")": return SyntaxFailure("')' without its '('", at: position..<position + 1)
        case "}":
            return SyntaxFailure(
                "'}' without its '{'",
                at: position..<position + 1,
                hint: "only 'case', 'match' and subqueries use braces"
            )
        case ";":
            return SyntaxFailure(
                "';' outside of 'case' and 'match'",
                at: position..<position + 1,
                hint: "steps are separated by '|'"
            )
        default: return SyntaxFailure("unexpected '\(scalar)'", at: position..<position + 1)
        }
    }

    /// What stands after a step instead of a pipe.
    func missingPipe() -> SyntaxFailure {
        let here = self.scanner.position
        let end = max(here + 1, self.scanner.endOfPatternWord())
        if self.scanner.current == "," {
            return SyntaxFailure("unexpected ','", at: here..<here + 1, hint: "steps are separated by '|'")
        }
        if self.scanner.isAt("==") {
            return SyntaxFailure(
                "comparisons in an assignment do not chain",
                at: here..<here + 2,
                hint: "put parentheses around one of them"
            )
        }
        let text = self.scanner.text(here..<min(end, self.scanner.scalars.count))
        return SyntaxFailure(
            "expected '|' before '\(text)'",
            at: here..<end,
            hint: "steps are separated by '|'"
        )
    }

    /// Where a filter term should be.
    func missingOperand(at start: Int) -> SyntaxFailure {
        let range = start..<start + 1
        if start >= self.scanner.scalars.count {
            return SyntaxFailure("the query ends where a filter is expected", at: max(0, start - 1)..<max(1, start))
        }
        switch self.scanner.scalars[start] {
        case "|", ")", "}", ";":
            return SyntaxFailure("expected a filter before '\(self.scanner.scalars[start])'", at: range)
        case "'":
            return SyntaxFailure(
                "single quotes do not quote",
                at: range,
                hint: "write text in double quotes: \"…\""
            )
        case "=", "!", "<", ">":
            if self.followsCall(start) {
                return SyntaxFailure(
                    "a call or group has no value in a filter",
                    at: range,
                    hint: "compare it in an expression: test(length(field) > 3), with '==' for equality"
                )
            }
            if self.scalarsMatch("!~", at: start) || self.scalarsMatch("=~", at: start) {
                return SyntaxFailure(
                    "unknown operator '\(self.scanner.text(start..<start + 2))'",
                    at: start..<start + 2,
                    hint: "for a regular expression write 'field = /…/' or 'field != /…/'"
                )
            }
            return SyntaxFailure(
                "a comparison needs a field on its left",
                at: range,
                hint: "free text needs no operator: write the text itself"
            )
        case "$", "`":
            return SyntaxFailure("expected '|' before '\(self.scanner.scalars[start])'", at: range)
        default:
            return SyntaxFailure(
                "unexpected '\(self.scanner.scalars[start])'",
                at: range,
                hint: "text with this character must be quoted"
            )
        }
    }

    /// Whether these scalars stand at a place.
    private func scalarsMatch(_ text: String, at start: Int) -> Bool {
        let end = start + text.unicodeScalars.count
        return end <= self.scanner.scalars.count && self.scanner.text(start..<end) == text
    }

    /// Whether a closing parenthesis stands before a place.
    private func followsCall(_ start: Int) -> Bool {
        self.scanner.scalars[..<start].last { $0 != " " } == ")"
    }

    func missingExpression(at start: Int) -> SyntaxFailure {
        guard start < self.scanner.scalars.count else {
            return SyntaxFailure("the query ends where a value is expected", at: max(0, start - 1)..<max(1, start))
        }
        let scalar = self.scanner.scalars[start]
        if scalar == "'" {
            return SyntaxFailure(
                "single quotes do not quote",
                at: start..<start + 1,
                hint: "write text in double quotes: \"…\""
            )
        }
        return SyntaxFailure("expected a value before '\(scalar)'", at: start..<start + 1)
    }

    func missingValue(of field: FieldName, at start: Int) -> SyntaxFailure {
        let scalar = self.scanner.current
        var hint = "an empty value is written \"\"; any value is '*'"
        switch scalar {
        case "(", "[": hint = "for several values write in(field=\(field.name), values=[\"a\", \"b\"])"
        case "'": hint = "write text in double quotes: \"…\""
        case "$": hint = "a parameter is written '?name'"
        default: break
        }
        return SyntaxFailure(
            "expected a value to compare '\(field.name)' with",
            at: start..<max(start + 1, self.scanner.position),
            hint: hint
        )
    }

    func unknownFunction(_ name: String, at range: Range<Int>) -> SyntaxFailure {
        let names = FunctionCatalogue.all.flatMap { [$0.name] + $0.aliases }
        var hint = ForeignWords.functions[name.lowercased()]
        if hint == nil { hint = NearestName.find(name, among: names).map { "did you mean '\($0)'?" } }
        if hint == nil {
            let folded = name.lowercased()
            if let known = names.first(where: { $0.lowercased().hasSuffix(":" + folded) }) {
                hint = "did you mean '\(known)'?"
            }
        }
        return SyntaxFailure(
            "unknown function '\(name)'",
            at: range,
            hint: hint ?? "a text before a parenthesis must be quoted: \"\(name)\""
        )
    }

    /// A word that means something else when it stands alone.
    func reservedWord(_ word: String, at range: Range<Int>) -> SyntaxFailure? {
        switch word.lowercased() {
        case _ where word.hasPrefix("&&"):
            return SyntaxFailure(
                "'&&' is no operator",
                at: range.lowerBound..<range.lowerBound + 2,
                hint: "write 'and', or nothing: filters side by side must all hold; as text it must be quoted"
            )
        case "and", "or":
            return SyntaxFailure(
                "expected a filter before '\(word)'",
                at: range,
                hint: "as text it must be quoted: \"\(word)\""
            )
        case "like":
            return SyntaxFailure(
                "'\(word)' needs a field on its left",
                at: range,
                hint: "write 'not field like \"text\"' for the negation"
            )
        default: break
        }
        guard let signature = FunctionCatalogue.find(word), signature.name == word || word == word.lowercased() else {
            return nil
        }
        let call = ForeignWords.calls[word.lowercased()].map { "write '\($0)'" } ?? "call it as '\(signature.name)(…)'"
        let hint = "\(call), or quote it as text: \"\(word)\""
        return SyntaxFailure("'\(word)' is a function and needs parentheses", at: range, hint: hint)
    }

    /// `==` and other operators that this language does not have in filters.
    func foreignOperator(_ field: FieldName, _ comparator: Comparison.Operator, at start: Int) -> SyntaxFailure? {
        let next = self.scanner.current
        let range = start..<self.scanner.position + 1
        if !field.isQuoted && field.name.hasPrefix("&&") { return self.reservedWord(field.name, at: field.range.range) }
        if next == "=" && (comparator == .equal || comparator == .notEqual) {
            return SyntaxFailure(
                "'\(comparator.rawValue)=' does not belong in a filter",
                at: range,
                hint:
                    "write '\(field.name) \(comparator.rawValue) value', or test(\(field.name) == other) to compare fields"
            )
        }
        if comparator == .less && next == ">" {
            return SyntaxFailure("unknown operator '<>'", at: range, hint: "write '\(field.name) != value'")
        }
        return nil
    }

    /// `|=` and `|~` of LogQL right after a pipe.
    func refuseForeignPipe() throws(SyntaxFailure) {
        let here = self.scanner.position
        if self.scanner.current == "=" || (self.scanner.current == "~" && !ScalarClass.isPattern(self.scanner.peek(1)))
        {
            let isText = self.scanner.current == "="
            throw SyntaxFailure(
                "unknown operator '|\(self.scanner.current)'",
                at: max(0, here - 1)..<here + 1,
                hint: isText ? "write the text alone: | \"text\"" : "write the expression alone: | /regex/"
            )
        }
    }

    /// `||` within parentheses, where no pipe can stand.
    func refuseDoublePipe() throws(SyntaxFailure) {
        guard self.scanner.isAt("||") else { return }
        let start = self.scanner.position
        throw SyntaxFailure("'||' is no operator", at: start..<start + 2, hint: "write 'or' between filters")
    }

    /// An operator after a word that cannot be a field without quotes.
    mutating func refuseOperatorAfterWord(_ word: String, _ range: Range<Int>) throws(SyntaxFailure) {
        try self.refuseURLBeforeComment(range)
        let end = self.scanner.position
        try self.scanner.skipTrivia()
        let here = self.scanner.position
        defer { self.scanner.position = end }
        let isComparison =
            self.scanner.isAt("=") && !self.scanner.isAt("=>") || self.scanner.isAt("!=") || self.scanner.isAt("<")
            || self.scanner.isAt(">")
        guard isComparison || self.scanner.isAt(":=") else { return }
        throw SyntaxFailure(
            "'\(word)' is not a field name without quotes",
            at: range.lowerBound..<here + 1,
            hint: word.hasSuffix(":")
                ? "to compare the field write \(word.dropLast()) without the colon"
                : "write \"\(word)\" in double quotes"
        )
    }

    /// What to say of empty parentheses: behind the name of a function they are a call, which compares in expressions only.
    func hintOnEmptyParentheses(at open: Int) -> String? {
        let start = self.scanner.scalars[..<open].lastIndex { !ScalarClass.isLetter($0) }.map { $0 + 1 } ?? 0
        let word = self.scanner.text(start..<open)
        guard start < open, FunctionCatalogue.find(word) != nil else { return nil }
        return "a filter compares with texts and numbers; to compute write test(field > \(word)())"
    }

    /// `https://` at the end of a word would be `https:` and a comment.
    func refuseURLBeforeComment(_ range: Range<Int>) throws(SyntaxFailure) {
        guard self.scanner.isAt("//"), range.upperBound == self.scanner.position,
            self.scanner.scalars[range.upperBound - 1] == ":"
        else { return }
        throw SyntaxFailure(
            "'//' before a space begins a comment",
            at: range.lowerBound..<range.upperBound + 2,
            hint: "quote the text: \"\(self.scanner.text(range))//\""
        )
    }

    /// What stands in an argument list instead of `,` or `)`.
    func foreignArgument(of signature: FunctionSignature?) -> SyntaxFailure? {
        let here = self.scanner.position
        let name = signature?.name ?? "a saved query"
        if self.scanner.isAtKeyword("and") || self.scanner.isAtKeyword("or") || self.scanner.isAt("&&")
            || self.scanner.isAt("||")
        {
            return SyntaxFailure(
                "'and' and 'or' join filters, not expressions",
                at: here..<max(here + 2, self.scanner.endOfPatternWord()),
                hint: "use several steps, or 'case { … }'"
            )
        }
        if self.scanner.isAtKeyword("by") {
            return SyntaxFailure(
                "unexpected 'by' in the arguments of \(name)",
                at: here..<here + 2,
                hint: "grouping is 'groupBy(field, function=\(name)(…))'"
            )
        }
        if self.scanner.current == "=" {
            return SyntaxFailure(
                "unexpected '=' in the arguments of \(name)",
                at: here..<here + 1,
                hint: "expressions compare with '=='; a name with unusual characters must be quoted"
            )
        }
        return nil
    }

    /// Steps over a closing bracket, or says where it is missing.
    mutating func expectClose(_ close: String, of name: String, openedAt open: Int) throws(SyntaxFailure) {
        try self.scanner.skipTrivia()
        if self.scanner.take(close) { return }
        let here = self.scanner.position
        if self.scanner.isAtEnd {
            throw SyntaxFailure("'\(name)' is not closed", at: open..<open + 1, hint: "add '\(close)'")
        }
        let end = max(here + 1, self.scanner.endOfPatternWord())
        throw SyntaxFailure(
            "expected '\(close)' or ',' before '\(self.scanner.text(here..<end))'",
            at: here..<end,
            hint: "'\(name)' was opened at character \(open + 1)"
        )
    }
}
