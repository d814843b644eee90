/// Reading of the statements: `case`, `match`, assignments, `=~` and saved queries.
extension QueryReader {
    /// `case { …; … }`; `nil` when something else stands here.
    mutating func caseStatement() throws(SyntaxFailure) -> Step? {
        let start = self.scanner.position
        guard self.scanner.takeKeyword("case") else { return nil }
        try self.scanner.skipTrivia()
        guard self.scanner.current == "{" else {
            self.scanner.position = start
            return nil
        }
        let branches = try self.nested { reader throws(SyntaxFailure) in try reader.caseBranches() }
        return .cases(branches, SourceRange(start..<self.scanner.position))
    }

    private mutating func caseBranches() throws(SyntaxFailure) -> [Pipeline] {
        let open = self.scanner.position
        self.scanner.position += 1
        var branches: [Pipeline] = []
        while true {
            let branch = self.pipeline(isNested: true)
            if !branch.steps.isEmpty { branches.append(branch) }
            if self.scanner.take(";") { continue }
            try self.expectClose("}", of: "case", openedAt: open)
            return branches
        }
    }

    /// `field := …`, `field =~ …` or `field match { … }`; `nil` when something else stands here.
    mutating func fieldStatement() throws(SyntaxFailure) -> Step? {
        let start = self.scanner.position
        guard let field = try self.fieldOfTerm() else { return nil }
        try self.scanner.skipTrivia()
        if self.scanner.take(":=") {
            let value = try self.expression()
            let range = SourceRange(start..<value.range.range.upperBound)
            return .assignment(Assignment(target: field, value: value, range: range))
        }
        if self.scanner.isAt("=~"), !self.scanner.isRegexAfter("=~") {
            self.scanner.position += 2
            return .shorthand(try self.shorthand(of: field))
        }
        if self.scanner.takeKeyword("match") {
            try self.scanner.skipTrivia()
            if self.scanner.current == "{" {
                let arms = try self.nested { reader throws(SyntaxFailure) in try reader.matchArms() }
                let range = SourceRange(start..<self.scanner.position)
                return .match(MatchStatement(field: field, arms: arms, range: range))
            }
        }
        self.scanner.position = start
        return nil
    }

    private mutating func shorthand(of field: FieldName) throws(SyntaxFailure) -> FieldShorthand {
        try self.scanner.skipTrivia()
        let isNegated = self.scanner.take("!") || self.scanner.takeKeyword("not")
        try self.scanner.skipTrivia()
        let here = self.scanner.position
        guard let call = try self.callIfAny() else {
            throw SyntaxFailure(
                "'=~' wants a function",
                at: here..<here + 1,
                hint: self.scanner.current == "/"
                    ? "for a regular expression write '\(field.name) != /…/'"
                    : "for example '\(field.name) =~ in(values=[\"a\", \"b\"])'"
            )
        }
        return FieldShorthand(field: field, isNegated: isNegated, call: call, range: field.range.joined(call.range))
    }

    private mutating func matchArms() throws(SyntaxFailure) -> [MatchStatement.Arm] {
        let open = self.scanner.position
        self.scanner.position += 1
        var arms: [MatchStatement.Arm] = []
        while true {
            try self.scanner.skipTrivia()
            if self.scanner.take(";") { continue }
            if self.scanner.take("}") { return arms }
            if self.scanner.isAtEnd { try self.expectClose("}", of: "match", openedAt: open) }
            let condition = try self.matchGuard()
            try self.scanner.skipTrivia()
            guard self.scanner.take("=>") else {
                let here = self.scanner.position
                throw SyntaxFailure(
                    "expected '=>' in an arm of 'match'",
                    at: here..<here + 1,
                    hint: "an arm is 'value => step | step'"
                )
            }
            arms.append(MatchStatement.Arm(condition: condition, pipeline: self.pipeline(isNested: true)))
            if self.scanner.take(";") { continue }
            try self.expectClose("}", of: "match", openedAt: open)
            return arms
        }
    }

    private mutating func matchGuard() throws(SyntaxFailure) -> MatchStatement.Guard {
        let start = self.scanner.position
        switch self.scanner.current {
        case "\"":
            let text = try self.scanner.quoted()
            return .text(TextValue(text, isQuoted: true, range: SourceRange(start..<self.scanner.position)))
        case "/": return .regex(try self.scanner.regex())
        case "?": return .parameter(try self.parameter())
        default: break
        }
        if let call = try self.callIfAny() { return .call(call) }
        let end = self.scanner.endOfPatternWord()
        guard end > start else {
            throw SyntaxFailure("expected a value, a regular expression or a function", at: start..<start + 1)
        }
        self.scanner.position = end
        let text = self.scanner.text(start..<end)
        if text == "*" { return .always }
        return .text(TextValue(text, isQuoted: false, range: SourceRange(start..<end)))
    }

    /// `` `field` := expression ``.
    mutating func computedAssignment() throws(SyntaxFailure) -> Assignment {
        let start = self.scanner.position
        self.scanner.position += 1
        while !self.scanner.isAtEnd && self.scanner.current != "`" { self.scanner.position += 1 }
        let name = self.scanner.text(start + 1..<self.scanner.position)
        guard self.scanner.take("`"), !name.isEmpty else {
            throw SyntaxFailure("field name in back-ticks without an end", at: start..<start + 1)
        }
        let target = FieldName(name, range: SourceRange(start..<self.scanner.position))
        try self.scanner.skipTrivia()
        guard self.scanner.take(":=") else {
            throw SyntaxFailure(
                "expected ':=' after a field in back-ticks",
                at: start..<self.scanner.position,
                hint: "field names with unusual characters are put in double quotes"
            )
        }
        let value = try self.expression()
        let range = SourceRange(start..<value.range.range.upperBound)
        return Assignment(target: target, isComputed: true, value: value, range: range)
    }

    /// `$name(…)`, `$"a name"(…)`, `$package/scope:name(…)`, `$query://name()`.
    mutating func savedQueryCall() throws(SyntaxFailure) -> SavedQueryCall {
        let start = self.scanner.position
        self.scanner.position += 1
        let nameStart = self.scanner.position
        var name: FieldName
        if self.scanner.current == "\"" {
            name = FieldName(try self.scanner.quoted(), isQuoted: true)
        } else {
            let end = self.scanner.endOfPatternWord()
            name = FieldName(self.scanner.text(nameStart..<end))
            self.scanner.position = end
        }
        name.range = SourceRange(nameStart..<self.scanner.position)
        guard !name.name.isEmpty else {
            throw SyntaxFailure(
                "expected the name of a saved query after '$'",
                at: start..<start + 1,
                hint: "saved queries are called as '$name()'; parameters are written '?name'"
            )
        }
        try self.scanner.skipTrivia()
        guard self.scanner.current == "(" else {
            throw SyntaxFailure(
                "a saved query is called with parentheses",
                at: start..<self.scanner.position,
                hint: "write '$\(name.name)()'; a parameter is written '?\(name.name)'"
            )
        }
        let arguments = try self.nested { reader throws(SyntaxFailure) in try reader.arguments(of: nil) }
        return SavedQueryCall(name: name, arguments: arguments, range: SourceRange(start..<self.scanner.position))
    }

    /// `?name`, `?"a name"` or `?{name=default}`.
    mutating func parameter() throws(SyntaxFailure) -> QueryParameter {
        let start = self.scanner.position
        self.scanner.position += 1
        if self.scanner.take("{") {
            try self.scanner.skipTrivia()
            guard let name = try self.parameterName() else { throw self.missingParameterName(start) }
            try self.scanner.skipTrivia()
            var value: TextValue?
            if self.scanner.take("=") {
                try self.scanner.skipTrivia()
                value = try self.textValue()
                try self.scanner.skipTrivia()
            }
            try self.expectClose("}", of: "?{", openedAt: start + 1)
            return QueryParameter(name: name, defaultValue: value, range: SourceRange(start..<self.scanner.position))
        }
        guard let name = try self.parameterName() else { throw self.missingParameterName(start) }
        return QueryParameter(name: name, range: SourceRange(start..<self.scanner.position))
    }

    private mutating func parameterName() throws(SyntaxFailure) -> FieldName? {
        if self.scanner.current == "\"" { return try self.fieldName() }
        let start = self.scanner.position
        while ScalarClass.isField(self.scanner.current) || self.scanner.current == "-" { self.scanner.position += 1 }
        let end = self.scanner.position
        return end > start ? FieldName(self.scanner.text(start..<end), range: SourceRange(start..<end)) : nil
    }

    private func missingParameterName(_ start: Int) -> SyntaxFailure {
        SyntaxFailure(
            "expected the name of a parameter after '?'",
            at: start..<start + 1,
            hint: "a parameter is written '?name' or '?{name=\"default\"}'"
        )
    }

    /// A quoted string or a pattern word.
    mutating func textValue() throws(SyntaxFailure) -> TextValue {
        let start = self.scanner.position
        if self.scanner.current == "\"" {
            let text = try self.scanner.quoted()
            return TextValue(text, isQuoted: true, range: SourceRange(start..<self.scanner.position))
        }
        let end = self.scanner.endOfPatternWord()
        guard end > start else {
            throw SyntaxFailure("expected a value", at: start..<start + 1, hint: "an empty text is written \"\"")
        }
        self.scanner.position = end
        return TextValue(self.scanner.text(start..<end), isQuoted: false, range: SourceRange(start..<end))
    }
}
