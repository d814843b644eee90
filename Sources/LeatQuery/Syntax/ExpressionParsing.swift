/// Reading of expressions, calls, arrays and subqueries.
extension QueryReader {
    /// Reads an expression: one comparison of sums of products.
    mutating func expression(as kind: FunctionParameter.Kind = .expression) throws(SyntaxFailure) -> Expression {
        try self.nested { reader throws(SyntaxFailure) in
            try reader.scanner.skipTrivia()
            if let word = try reader.loneWord(as: kind) { return word }
            return try reader.binary(precedence: 1, as: kind)
        }
    }

    /// Operators of one precedence, joined from the left; comparisons do not chain.
    private mutating func binary(precedence: Int, as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression {
        if precedence > 3 { return try self.unary(as: kind) }
        var left = try self.binary(precedence: precedence + 1, as: kind)
        while true {
            try self.scanner.skipTrivia()
            let start = self.scanner.position
            guard let symbol = self.binaryOperator(precedence) else { return left }
            try self.countOperator(at: start..<self.scanner.position)
            left = .binary(symbol, left, try self.binary(precedence: precedence + 1, as: kind))
            if precedence == 1 { return left }
        }
    }

    private mutating func binaryOperator(_ precedence: Int) -> BinaryOperator? {
        for symbol: BinaryOperator in [
            .link, .equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater, .add, .subtract, .multiply,
            .divide, .remainder,
        ] where symbol.precedence == precedence && self.scanner.isAt(symbol.rawValue) {
            self.scanner.position += symbol.rawValue.utf8.count
            return symbol
        }
        return nil
    }

    private mutating func unary(as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression {
        try self.scanner.skipTrivia()
        let start = self.scanner.position
        for symbol: UnaryOperator in [.minus, .not] where self.scanner.take(symbol.rawValue) {
            let operand = try self.nested { reader throws(SyntaxFailure) in try reader.unary(as: kind) }
            return .unary(symbol, operand, SourceRange(start..<max(start, operand.range.range.upperBound)))
        }
        return try self.primary(as: kind)
    }

    private mutating func primary(as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression {
        let start = self.scanner.position
        switch self.scanner.current {
        case "(": return try self.parenthesisedExpression(as: kind)
        case "[":
            let elements = try self.arrayElements(of: kind)
            return .array(elements, SourceRange(start..<self.scanner.position))
        case "{": return .subquery(try self.subquery(label: nil, from: start))
        case "?": return .parameter(try self.parameter())
        case "$": return .savedQuery(try self.savedQueryCall())
        case "\"":
            let text = try self.scanner.quoted()
            return .string(text, SourceRange(start..<self.scanner.position))
        case "/": return .regex(try self.scanner.regex())
        case "*":
            let end = self.scanner.endOfPatternWord()
            self.scanner.position = end
            return .pattern(self.scanner.text(start..<end), SourceRange(start..<end))
        default: break
        }
        if let labelled = try self.labelledSubquery() { return labelled }
        if let call = try self.callIfAny() { return .call(call) }
        return try self.word(as: kind)
    }

    /// A field, number, duration or constant.
    private mutating func word(as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression {
        let start = self.scanner.position
        var end = self.scanner.endOfFieldWord()
        guard end > start else { throw self.missingExpression(at: start) }
        if [.expression, .expressions, .condition].contains(kind) { end = self.endBeforeRemainder(start, end) }
        end = self.endOfExponent(start, end)
        self.scanner.position = end
        let text = self.scanner.text(start..<end)
        let range = SourceRange(start..<end)
        if text == "true" || text == "false" { return .boolean(text == "true", range) }
        switch WordShape(text) {
        case .number: return .number(text, range)
        case .duration: return .duration(text, range)
        case .other: return .field(text, range)
        }
    }

    /// Ends a word before a `%` that has a number on one side: `id%2` computes, though `%` may stand in names.
    private func endBeforeRemainder(_ start: Int, _ end: Int) -> Int {
        let signs = (start..<end).filter { self.scanner.scalars[$0] == "%" }
        guard let first = signs.first, first > start, first + 1 < end else { return end }
        let next = signs.count > 1 ? signs[1] : end
        let isOperator =
            WordShape(self.scanner.text(start..<first)) == .number
            || WordShape(self.scanner.text(first + 1..<next)) == .number
        return isOperator ? first : end
    }

    /// Lengthens `1e` by `+5`, as a sign is no part of a word.
    private func endOfExponent(_ start: Int, _ end: Int) -> Int {
        let last = self.scanner.scalars[end - 1]
        guard last == "e" || last == "E", end + 1 < self.scanner.scalars.count,
            self.scanner.scalars[end] == "+" || self.scanner.scalars[end] == "-",
            ScalarClass.isDigit(self.scanner.scalars[end + 1]),
            WordShape(self.scanner.text(start..<end - 1)) == .number
        else { return end }
        var index = end + 1
        while index < self.scanner.scalars.count, ScalarClass.isDigit(self.scanner.scalars[index]) { index += 1 }
        return index
    }

    /// A bare word with pattern characters, such as `Europe/Copenhagen`, if it is the whole argument and no
    /// expression is wanted; `nil` otherwise.
    private mutating func loneWord(as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression? {
        guard kind.takesBareText else { return nil }
        let start = self.scanner.position
        let end = self.scanner.endOfPatternWord()
        guard end > start, end != self.scanner.endOfFieldWord() else { return nil }
        let text = self.scanner.text(start..<end)
        if text.hasPrefix("-"), WordShape(String(text.dropFirst())) == .number { return nil }
        self.scanner.position = end
        try self.scanner.skipTrivia()
        let next = self.scanner.current
        guard next == "," || next == ")" || next == "]" else {
            self.scanner.position = start
            return nil
        }
        self.scanner.position = end
        return .pattern(text, SourceRange(start..<end))
    }

    private mutating func parenthesisedExpression(
        as kind: FunctionParameter.Kind
    ) throws(SyntaxFailure) -> Expression {
        let open = self.scanner.position
        self.scanner.position += 1
        var elements: [Expression] = []
        repeat {
            elements.append(try self.element(as: kind))
            try self.scanner.skipTrivia()
        } while self.scanner.take(",")
        try self.expectClose(")", of: "(", openedAt: open)
        if elements.count == 1 { return elements[0] }
        return .list(elements, SourceRange(open..<self.scanner.position))
    }

    /// `[ … ]`; a comma may stand after the last element.
    mutating func arrayElements(of kind: FunctionParameter.Kind) throws(SyntaxFailure) -> [Expression] {
        try self.nested { reader throws(SyntaxFailure) in
            let open = reader.scanner.position
            reader.scanner.position += 1
            var elements: [Expression] = []
            while true {
                try reader.scanner.skipTrivia()
                if reader.scanner.take("]") { return elements }
                if elements.isEmpty && reader.takeLoneComma(before: "]") { continue }
                elements.append(try reader.element(as: kind))
                try reader.scanner.skipTrivia()
                if reader.scanner.take(",") { continue }
                try reader.expectClose("]", of: "[", openedAt: open)
                return elements
            }
        }
    }

    /// An expression, or `name := expression`.
    private mutating func element(as kind: FunctionParameter.Kind) throws(SyntaxFailure) -> Expression {
        try self.scanner.skipTrivia()
        let start = self.scanner.position
        if let name = try self.fieldName() {
            try self.scanner.skipTrivia()
            if self.scanner.take(":=") {
                let value = try self.expression(as: kind)
                return .assignment(Assignment(target: name, value: value, range: name.range.joined(value.range)))
            }
            self.scanner.position = start
        }
        return try self.expression(as: kind)
    }

    // MARK: Subqueries

    private mutating func labelledSubquery() throws(SyntaxFailure) -> Expression? {
        let start = self.scanner.position
        guard let label = try self.fieldName() else { return nil }
        try self.scanner.skipTrivia()
        if self.scanner.take(":") {
            try self.scanner.skipTrivia()
            if self.scanner.current == "{" { return .subquery(try self.subquery(label: label, from: start)) }
        }
        self.scanner.position = start
        return nil
    }

    private mutating func subquery(label: FieldName?, from start: Int) throws(SyntaxFailure) -> Subquery {
        try self.nested { reader throws(SyntaxFailure) in
            let open = reader.scanner.position
            reader.scanner.position += 1
            let pipeline = reader.pipeline(isNested: true)
            try reader.expectClose("}", of: "{", openedAt: open)
            var attributes: [Subquery.Attribute] = []
            while let attribute = try reader.attribute() { attributes.append(attribute) }
            let range = SourceRange(start..<reader.scanner.position)
            return Subquery(label: label, pipeline: pipeline, attributes: attributes, range: range)
        }
    }

    /// `name: value` after a subquery.
    private mutating func attribute() throws(SyntaxFailure) -> Subquery.Attribute? {
        let start = self.scanner.position
        try self.scanner.skipTrivia()
        if self.scanner.current != "\"", let name = try self.fieldName() {
            try self.scanner.skipTrivia()
            if self.scanner.current == ":" && self.scanner.peek(1) != "=" {
                self.scanner.position += 1
                return Subquery.Attribute(name: name, value: try self.expression(as: .fields))
            }
        }
        self.scanner.position = start
        return nil
    }
}

/// What a bare word looks like.
enum WordShape {
    case number, duration, other

    init(_ word: String) {
        var scalars = Substring(word).unicodeScalars
        func takeDigits() -> Bool {
            let before = scalars.count
            while let first = scalars.first, ScalarClass.isDigit(first) { scalars.removeFirst() }
            return scalars.count < before
        }
        self = .other
        guard takeDigits() else { return }
        if scalars.first == "." {
            scalars.removeFirst()
            guard takeDigits() else { return }
        }
        guard let letter = scalars.first else {
            self = .number
            return
        }
        if letter == "e" || letter == "E" {
            var rest = scalars.dropFirst()
            if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
            if !rest.isEmpty && rest.allSatisfy(ScalarClass.isDigit) {
                self = .number
                return
            }
        }
        if ScalarClass.isLetter(letter),
            scalars.allSatisfy({ ScalarClass.isLetter($0) || ScalarClass.isDigit($0) })
        {
            self = .duration
        }
    }
}
