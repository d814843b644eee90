internal import LeatCore

/// Reading of function calls and their arguments.
extension QueryReader {
    /// A call of a known function; `nil` when no word followed by `(` stands here.
    mutating func callIfAny() throws(SyntaxFailure) -> FunctionCall? {
        let start = self.scanner.position
        let end = self.endOfFunctionName()
        // A slash right after the name belongs to a word such as `docker/*`.
        guard end > start, end >= self.scanner.scalars.count || self.scanner.scalars[end] != "/" else { return nil }
        self.scanner.position = end
        try self.scanner.skipTrivia()
        guard self.scanner.current == "(" else {
            self.scanner.position = start
            return nil
        }
        let written = self.scanner.text(start..<end)
        guard let signature = FunctionCatalogue.find(written) else {
            throw self.unknownFunction(written, at: start..<end)
        }
        let arguments = try self.nested { reader throws(SyntaxFailure) in try reader.arguments(of: signature) }
        return FunctionCall(
            name: signature.name,
            nameRange: SourceRange(start..<end),
            arguments: arguments,
            range: SourceRange(start..<self.scanner.position)
        )
    }

    /// The end of `name` or `namespace:name` here.
    func endOfFunctionName() -> Int {
        func endOfIdentifier(from start: Int) -> Int {
            var index = start
            while index < self.scanner.scalars.count {
                let scalar = self.scanner.scalars[index]
                let isDigit = ScalarClass.isDigit(scalar)
                guard ScalarClass.isLetter(scalar) || scalar == "_" || (isDigit && index > start) else { break }
                index += 1
            }
            return index
        }
        let start = self.scanner.position
        let end = endOfIdentifier(from: start)
        if end > start, end < self.scanner.scalars.count, self.scanner.scalars[end] == ":" {
            let second = endOfIdentifier(from: end + 1)
            if second > end + 1 { return second }
        }
        return end
    }

    /// `( … )`; of a saved query when `signature` is `nil`.
    mutating func arguments(of signature: FunctionSignature?) throws(SyntaxFailure) -> [Argument] {
        let open = self.scanner.position
        self.scanner.position += 1
        var arguments: [Argument] = []
        while true {
            try self.scanner.skipTrivia()
            if self.scanner.take(")") { return arguments }
            if arguments.isEmpty && self.takeLoneComma(before: ")") { continue }
            arguments.append(try self.argument(of: signature))
            try self.scanner.skipTrivia()
            if self.scanner.take(",") { continue }
            if let failure = self.foreignArgument(of: signature) { throw failure }
            try self.expectClose(")", of: signature.map { $0.name + "(" } ?? "(", openedAt: open)
            return arguments
        }
    }

    /// Steps over a comma that is all there is between brackets: one may follow the last element, and there is none.
    mutating func takeLoneComma(before close: Unicode.Scalar) -> Bool {
        guard self.scanner.current == "," else { return false }
        var distance = 1
        while ScalarClass.isSpace(self.scanner.peek(distance)) { distance += 1 }
        guard self.scanner.peek(distance) == close else { return false }
        self.scanner.position += 1
        return true
    }

    private mutating func argument(of signature: FunctionSignature?) throws(SyntaxFailure) -> Argument {
        let start = self.scanner.position
        if let name = try self.fieldName() {
            try self.scanner.skipTrivia()
            if self.scanner.current == "=" && self.scanner.peek(1) != "=" {
                self.scanner.position += 1
                let kind = signature.map { $0.parameter(name.name)?.kind ?? .expression } ?? .string
                return Argument(name: name, value: try self.expression(as: kind))
            }
            if self.scanner.take(":=") {
                let value = try self.expression()
                let range = name.range.joined(value.range)
                return Argument(value: .assignment(Assignment(target: name, value: value, range: range)))
            }
            self.scanner.position = start
        }
        return Argument(value: try self.expression(as: signature?.unnamedParameter?.kind ?? .expression))
    }
}

extension FunctionParameter.Kind {
    /// Whether a lone bare word with pattern characters is text rather than arithmetic.
    var takesBareText: Bool {
        switch self {
        case .expression, .expressions, .condition, .aggregate, .query, .pipeline, .pipelines: false
        default: true
        }
    }
}
