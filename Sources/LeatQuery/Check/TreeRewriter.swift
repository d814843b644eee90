internal import LeatCore

/// A pass over a tree that replaces parts of it.
///
/// Conformers override what they change and call `descend` for the rest; every place goes through `place`.
protocol TreeRewriter {
    mutating func rewrite(_ pipeline: Pipeline) -> Pipeline
    /// The steps that take the place of one.
    mutating func rewrite(_ step: Step) -> [Step]
    mutating func rewrite(_ filter: Filter) -> Filter
    mutating func rewrite(_ expression: Expression) -> Expression
    mutating func rewrite(_ call: FunctionCall) -> FunctionCall
    mutating func rewrite(_ condition: MatchStatement.Guard, of field: FieldName) -> MatchStatement.Guard
    func place(_ range: SourceRange) -> SourceRange
}

extension TreeRewriter {
    mutating func rewrite(_ pipeline: Pipeline) -> Pipeline { self.descend(pipeline) }
    mutating func rewrite(_ step: Step) -> [Step] { [self.descend(step)] }
    mutating func rewrite(_ filter: Filter) -> Filter { self.descend(filter) }
    mutating func rewrite(_ expression: Expression) -> Expression { self.descend(expression) }
    mutating func rewrite(_ call: FunctionCall) -> FunctionCall { self.descend(call) }
    mutating func rewrite(_ condition: MatchStatement.Guard, of field: FieldName) -> MatchStatement.Guard {
        self.descend(condition)
    }
    func place(_ range: SourceRange) -> SourceRange { range }

    mutating func descend(_ pipeline: Pipeline) -> Pipeline {
        var steps: [Step] = []
        for step in pipeline.steps { steps += self.rewrite(step) }
        return Pipeline(steps: steps, range: self.place(pipeline.range))
    }

    mutating func descend(_ step: Step) -> Step {
        switch step {
        case .filter(let filter): return .filter(self.rewrite(filter))
        case .call(let call): return .call(self.rewrite(call))
        case .assignment(let assignment): return .assignment(self.descend(assignment))
        case .shorthand(var shorthand):
            shorthand.field = self.placed(shorthand.field)
            shorthand.call = self.rewrite(shorthand.call)
            shorthand.range = self.place(shorthand.range)
            return .shorthand(shorthand)
        case .cases(let branches, let range):
            var rewritten: [Pipeline] = []
            for branch in branches { rewritten.append(self.rewrite(branch)) }
            return .cases(rewritten, self.place(range))
        case .match(var statement):
            for index in statement.arms.indices {
                statement.arms[index].condition = self.rewrite(statement.arms[index].condition, of: statement.field)
                statement.arms[index].pipeline = self.rewrite(statement.arms[index].pipeline)
            }
            statement.field = self.placed(statement.field)
            statement.range = self.place(statement.range)
            return .match(statement)
        case .stats(let elements, let range): return .stats(self.descend(elements), self.place(range))
        case .savedQuery(let call): return .savedQuery(self.descend(call))
        }
    }

    mutating func descend(_ condition: MatchStatement.Guard) -> MatchStatement.Guard {
        switch condition {
        case .always: .always
        case .text(let text): .text(self.placed(text))
        case .regex(let literal): .regex(self.placed(literal))
        case .call(let call): .call(self.rewrite(call))
        case .parameter(let parameter): .parameter(self.placed(parameter))
        }
    }

    mutating func descend(_ filter: Filter) -> Filter {
        switch filter {
        case .and(let parts): return .and(self.descend(parts))
        case .or(let parts): return .or(self.descend(parts))
        case .not(let inner, let range): return .not(self.rewrite(inner), self.place(range))
        case .constant(let value, let range): return .constant(value, self.place(range))
        case .text(let text): return .text(self.placed(text))
        case .regex(let literal): return .regex(self.placed(literal))
        case .parameter(let parameter): return .parameter(self.placed(parameter))
        case .comparison(var comparison):
            comparison.field = self.placed(comparison.field)
            comparison.range = self.place(comparison.range)
            switch comparison.value {
            case .text(let text): comparison.value = .text(self.placed(text))
            case .regex(let literal): comparison.value = .regex(self.placed(literal))
            case .parameter(let parameter): comparison.value = .parameter(self.placed(parameter))
            case .call(let call): comparison.value = .call(self.rewrite(call))
            }
            return .comparison(comparison)
        case .call(let call): return .call(self.rewrite(call))
        case .link(let left, let right): return .link(self.placed(left), self.placed(right))
        }
    }

    private mutating func descend(_ parts: [Filter]) -> [Filter] {
        var rewritten: [Filter] = []
        for part in parts { rewritten.append(self.rewrite(part)) }
        return rewritten
    }

    mutating func descend(_ expression: Expression) -> Expression {
        switch expression {
        case .field(let text, let range): return .field(text, self.place(range))
        case .string(let text, let range): return .string(text, self.place(range))
        case .number(let text, let range): return .number(text, self.place(range))
        case .duration(let text, let range): return .duration(text, self.place(range))
        case .boolean(let value, let range): return .boolean(value, self.place(range))
        case .pattern(let text, let range): return .pattern(text, self.place(range))
        case .regex(let literal): return .regex(self.placed(literal))
        case .parameter(let parameter): return .parameter(self.placed(parameter))
        case .call(let call): return .call(self.rewrite(call))
        case .savedQuery(let call): return .savedQuery(self.descend(call))
        case .array(let elements, let range): return .array(self.descend(elements), self.place(range))
        case .list(let elements, let range): return .list(self.descend(elements), self.place(range))
        case .subquery(let subquery): return .subquery(self.descend(subquery))
        case .assignment(let assignment): return .assignment(self.descend(assignment))
        case .unary(let symbol, let operand, let range):
            return .unary(symbol, self.rewrite(operand), self.place(range))
        case .binary(let symbol, let left, let right):
            return .binary(symbol, self.rewrite(left), self.rewrite(right))
        }
    }

    mutating func descend(_ elements: [Expression]) -> [Expression] {
        var rewritten: [Expression] = []
        for element in elements { rewritten.append(self.rewrite(element)) }
        return rewritten
    }

    mutating func descend(_ assignment: Assignment) -> Assignment {
        Assignment(
            target: self.placed(assignment.target),
            isComputed: assignment.isComputed,
            value: self.rewrite(assignment.value),
            range: self.place(assignment.range)
        )
    }

    mutating func descend(_ call: FunctionCall) -> FunctionCall {
        FunctionCall(
            name: call.name,
            nameRange: self.place(call.nameRange),
            arguments: self.descend(call.arguments),
            range: self.place(call.range)
        )
    }

    private mutating func descend(_ arguments: [Argument]) -> [Argument] {
        var rewritten: [Argument] = []
        for argument in arguments {
            rewritten.append(
                Argument(name: argument.name.map { self.placed($0) }, value: self.rewrite(argument.value))
            )
        }
        return rewritten
    }

    mutating func descend(_ call: SavedQueryCall) -> SavedQueryCall {
        SavedQueryCall(
            name: self.placed(call.name),
            arguments: self.descend(call.arguments),
            range: self.place(call.range)
        )
    }

    mutating func descend(_ subquery: Subquery) -> Subquery {
        var result = subquery
        result.label = subquery.label.map { self.placed($0) }
        result.pipeline = self.rewrite(subquery.pipeline)
        for index in result.attributes.indices {
            result.attributes[index].name = self.placed(result.attributes[index].name)
            result.attributes[index].value = self.rewrite(result.attributes[index].value)
        }
        result.range = self.place(subquery.range)
        return result
    }

    // MARK: Leaves

    private func placed(_ field: FieldName) -> FieldName {
        FieldName(field.name, isQuoted: field.isQuoted, range: self.place(field.range))
    }

    private func placed(_ text: TextValue) -> TextValue {
        TextValue(text.text, isQuoted: text.isQuoted, range: self.place(text.range))
    }

    private func placed(_ literal: RegexLiteral) -> RegexLiteral {
        RegexLiteral(body: literal.body, flags: literal.flags, range: self.place(literal.range))
    }

    private func placed(_ parameter: QueryParameter) -> QueryParameter {
        QueryParameter(
            name: self.placed(parameter.name),
            defaultValue: parameter.defaultValue.map { self.placed($0) },
            range: self.place(parameter.range)
        )
    }
}
