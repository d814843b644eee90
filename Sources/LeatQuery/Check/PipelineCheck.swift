internal import LeatCore

/// Checks the steps of a pipeline and everything in them.
struct PipelineCheck {
    /// What a pipeline is, which decides what may stand in it.
    enum Place: Hashable {
        /// A query of its own.
        case query
        /// A branch of `case` or `match`, or a pipeline per event or element.
        case events
        /// A pipeline that ends in an aggregate, within one.
        case aggregate
        /// A subquery of `correlate()`.
        case correlation
    }

    let source: SourceText
    let context: QueryContext
    private(set) var errors: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []
    private var place = Place.query
    /// Whether an aggregate came before.
    private var isAggregated = false
    /// The text, if it has a `||` somewhere.
    private let doublyPiped: [Unicode.Scalar]

    init(source: SourceText, context: QueryContext) {
        self.source = source
        self.context = context
        self.doublyPiped = source.string.contains("||") ? Array(source.string.unicodeScalars) : []
    }

    mutating func check(_ pipeline: Pipeline, as place: Place) {
        let outer = (self.place, self.isAggregated)
        self.place = place
        if place == .query { self.isAggregated = false }
        var isAfterPreamble = false
        var previous: Step?
        for step in pipeline.steps {
            if let previous { self.warnOfDoublePipe(between: previous, and: step) }
            previous = step
            self.check(step, isAfterPreamble: isAfterPreamble)
            if case .call(let call) = step, FunctionCatalogue.find(call.name)?.kind == .preamble { continue }
            isAfterPreamble = true
        }
        (self.place, self.isAggregated) = outer
    }

    private mutating func check(_ step: Step, isAfterPreamble: Bool) {
        switch step {
        case .filter(let filter):
            self.warnOfForeignWords(filter, isAfterPipe: isAfterPreamble)
            self.check(filter)
        case .call(let call): self.checkStep(call, isAfterPreamble: isAfterPreamble)
        case .assignment(let assignment): self.check(assignment)
        case .cases(let branches, _):
            for branch in branches { self.check(branch, as: .events) }
        case .match(let statement):
            for arm in statement.arms {
                if case .call(let call) = arm.condition { self.checkFilter(call) }
                self.check(arm.pipeline, as: .events)
            }
        case .savedQuery: break
        case .shorthand(let shorthand): self.checkStep(shorthand.call, isAfterPreamble: isAfterPreamble)
        case .stats(let elements, _): for element in elements { self.check(element) }
        }
    }

    // MARK: Calls

    private mutating func checkStep(_ call: FunctionCall, isAfterPreamble: Bool) {
        guard let signature = self.bind(call)?.signature else { return }
        switch signature.kind {
        case .filter, .transformation: break
        case .aggregate, .sequence, .source:
            if self.place == .events || (self.place == .correlation && signature.kind != .source) {
                self.report(
                    "\(signature.name)() cannot stand here: it does not work event by event",
                    at: call.range,
                    hint: "aggregate after the 'case' or 'match'"
                )
            }
            if signature.kind != .source { self.isAggregated = true }
        case .preamble:
            if self.place != .query {
                self.report("\(signature.name)() belongs at the start of the query", at: call.range)
            } else if isAfterPreamble {
                self.report("\(signature.name)() must stand before the steps of the query", at: call.range)
            }
        }
        self.checkContext(signature, call)
    }

    private mutating func checkContext(_ signature: FunctionSignature, _ call: FunctionCall) {
        guard self.context == .parser else { return }
        let isForbidden =
            switch signature.kind {
            case .aggregate, .sequence, .source, .preamble: true
            case .filter, .transformation: signature.name == "join" || signature.name == "selfJoinFilter"
            }
        if isForbidden && signature.name != "createEvents" {
            self.report("\(signature.name)() cannot be used in a parser: it needs more than one event", at: call.range)
        }
    }

    /// A call that decides whether an event stays.
    private mutating func checkFilter(_ call: FunctionCall) {
        guard let signature = self.bind(call)?.signature else { return }
        if !signature.canFilter {
            self.report(
                "\(signature.name)() is no filter and cannot be negated or joined with 'and' or 'or'",
                at: call.range,
                hint: "put it into a step of its own: | \(signature.name)(…)"
            )
        }
        self.checkContext(signature, call)
    }

    /// Binds the call, and checks what its arguments hold.
    private mutating func bind(_ call: FunctionCall) -> BoundCall? {
        let (bound, problems) = CallBinder.bind(call)
        for problem in problems {
            switch problem.severity {
            case .error: self.report(problem.message, at: problem.range, hint: problem.hint)
            case .warning: self.warn(problem.message, at: problem.range, hint: problem.hint)
            }
        }
        guard let bound else { return nil }
        for parameter in bound.signature.parameters {
            guard let value = bound.values[parameter.name] else { continue }
            switch parameter.kind {
            case .aggregate: for element in value.elements { self.checkAggregate(element) }
            case .query: self.checkPipelines(value, as: .query)
            case .pipeline, .pipelines, .condition: self.checkPipelines(value, as: .events)
            case .expression, .expressions: for element in value.elements { self.check(element) }
            default: break
            }
        }
        for other in bound.others {
            if bound.signature.name == "correlate" {
                self.checkPipelines(other.value, as: .correlation)
            } else {
                self.check(other.value)
            }
        }
        return bound
    }

    private mutating func checkPipelines(_ value: Expression, as place: Place) {
        for element in value.elements {
            if case .subquery(let subquery) = element {
                self.check(subquery.pipeline, as: place)
            } else if place == .events {
                self.check(element)
            }
        }
    }

    private mutating func checkAggregate(_ element: Expression) {
        switch element {
        case .call(let call): _ = self.bind(call)
        case .assignment(let assignment):
            guard case .call(let call) = assignment.value else { return self.check(assignment.value) }
            _ = self.bind(call)
            self.report(
                "\(call.name)() has no single output to name '\(assignment.target.name)'",
                at: assignment.range,
                hint: "rename its field after it"
            )
        case .subquery(let subquery):
            self.check(subquery.pipeline, as: .aggregate)
        case .array(let elements, _), .list(let elements, _):
            for element in elements { self.checkAggregate(element) }
        default: break
        }
    }

    // MARK: Filters

    private mutating func check(_ filter: Filter) {
        switch filter {
        case .and(let parts):
            self.warnOfForeignMembership(parts)
            for part in parts { self.check(part) }
        case .or(let parts): for part in parts { self.check(part) }
        case .not(let inner, _): self.check(inner)
        case .constant, .parameter: break
        case .text(let value):
            self.checkFreeText(value.range)
            if !value.isQuoted { self.warnOfLucene(value) }
        case .regex(let literal): self.checkFreeText(literal.range)
        case .comparison(let comparison): self.check(comparison)
        case .call(let call): self.checkFilter(call)
        case .link(let left, let right):
            if self.place != .correlation {
                self.report(
                    "'<=>' belongs into the subqueries of correlate()",
                    at: left.range.joined(right.range),
                    hint: "to compare two fields write test(\(left.name) == \(right.name))"
                )
            }
        }
    }

    private mutating func checkFreeText(_ range: SourceRange) {
        guard self.isAggregated else { return }
        let text = String(String.UnicodeScalarView(Array(self.source.string.unicodeScalars)[safe: range.range]))
        self.report(
            "free text cannot follow an aggregate: its rows have no original event",
            at: range,
            hint: ForeignWords.afterAggregates[text.lowercased()] ?? "name the field: field = *text*"
        )
    }

    /// Says what stands here for words that mean something in other languages, and are text in this one.
    private mutating func warnOfForeignWords(_ filter: Filter, isAfterPipe: Bool) {
        let parts = if case .and(let parts) = filter { parts } else { [filter] }
        for (index, part) in parts.prefix(2).enumerated() {
            guard case .text(let value) = part, !value.isQuoted else { continue }
            let word = value.text.lowercased()
            var hint = index == 0 && isAfterPipe ? ForeignWords.steps[word] : nil
            if index == 0, !isAfterPipe, parts.count > 1, case .comparison = parts[1] {
                hint = ForeignWords.beginnings[word]
            }
            if index == 1, parts.count == 3, Self.isForeignValue(parts[2], after: word) {
                hint = ForeignWords.comparisons[word]
            }
            guard let hint else { continue }
            self.warn("'\(value.text)' is free text", at: value.range, hint: hint)
        }
    }

    /// Whether what stands behind a word makes it a comparison of other languages: a text in quotes, `null`, `not null`.
    private static func isForeignValue(_ filter: Filter, after word: String) -> Bool {
        switch filter {
        case .text(let value): word == "is" ? value.text.lowercased() == "null" : value.isQuoted
        case .not(let inner, _): word == "is" && Self.isForeignValue(inner, after: word)
        default: false
        }
    }

    /// Says that `status IN (500, 503)` looks for the text `status`, and for 503 in the field `500`.
    private mutating func warnOfForeignMembership(_ parts: [Filter]) {
        for (left, right) in zip(parts, parts.dropFirst()) {
            guard case .text(let field) = left, !field.isQuoted, case .call(let call) = right,
                FunctionCatalogue.find(call.name)?.name == "in", call.arguments.allSatisfy({ $0.name == nil })
            else { continue }
            self.warn(
                "'\(field.text)' is free text, and no field of in()",
                at: field.range,
                hint: "write in(\(field.text), values=[a, b])"
            )
        }
    }

    /// Says that `||` between filters is an empty step, and not the `or` of other languages.
    private mutating func warnOfDoublePipe(between left: Step, and right: Step) {
        let (start, end) = (left.range.range.upperBound, right.range.range.lowerBound)
        guard Self.isFilter(left), Self.isFilter(right), start < end, end <= self.doublyPiped.count else { return }
        // The parentheses around a filter are not part of its place.
        let gap = self.doublyPiped[start..<end]
        let before = gap.reversed().drop { $0 == "(" || $0.properties.isWhitespace }
        guard before.starts(with: ["|", "|"]) else { return }
        let position = start + before.count - 2
        self.warn(
            "'||' is two pipes: both filters must hold",
            at: SourceRange(position..<position + 2),
            hint: "write 'or' if one is enough"
        )
    }

    private static func isFilter(_ step: Step) -> Bool {
        switch step {
        case .filter: true
        case .call(let call): FunctionCatalogue.find(call.name)?.canFilter ?? false
        case .assignment, .shorthand, .cases, .match, .savedQuery, .stats: false
        }
    }

    private mutating func warnOfLucene(_ value: TextValue) {
        let parts = value.text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].unicodeScalars.first, ScalarClass.isLetter(first),
            let next = parts[1].unicodeScalars.first, next != "/", next != "\\", !ScalarClass.isDigit(next)
        else { return }
        self.warn(
            "'\(value.text)' is free text",
            at: value.range,
            hint: "to compare the field write \(parts[0])=\(parts[1])"
        )
    }

    private mutating func check(_ comparison: Comparison) {
        guard case .text(let value) = comparison.value else { return }
        switch comparison.comparator {
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            if NumberText.parse(value.text) == nil {
                self.report(
                    "'\(comparison.comparator.rawValue)' compares numbers, and '\(value.text)' is none",
                    at: value.range,
                    hint:
                        "to compare with a field write test(\(comparison.field.name) \(comparison.comparator.rawValue) "
                        + "\(value.text))"
                )
            }
        case .equal, .notEqual, .like: break
        }
    }

    // MARK: Expressions

    private mutating func check(_ assignment: Assignment) {
        if case .call(let call) = assignment.value, let signature = self.bind(call)?.signature {
            switch signature.kind {
            case .filter: break
            case .transformation where signature.isFilterToo: break
            default:
                let hasName = signature.parameters.contains { $0.name == "as" || $0.name == "asArray" }
                if !hasName {
                    self.report("\(signature.name)() gives no value to assign", at: call.range)
                }
            }
            return
        }
        self.check(assignment.value)
    }

    private mutating func check(_ expression: Expression) {
        switch expression {
        case .call(let call):
            guard let kind = self.bind(call)?.signature.kind else { return }
            if kind != .filter && kind != .transformation {
                self.report(
                    "\(call.name)() cannot stand in an expression: it does not work event by event",
                    at: call.range,
                    hint: kind == .aggregate ? "aggregate in a step before, and compute with its field" : nil
                )
            }
        case .array(let elements, _), .list(let elements, _): for element in elements { self.check(element) }
        case .subquery(let subquery): self.check(subquery.pipeline, as: .events)
        case .assignment(let assignment): self.check(assignment.value)
        case .unary(_, let operand, _): self.check(operand)
        case .binary(let symbol, let left, let right):
            if symbol == .link && self.place != .correlation {
                self.report("'<=>' belongs into the subqueries of correlate()", at: left.range.joined(right.range))
            }
            self.check(left)
            self.check(right)
        case .regex(let literal):
            self.report(
                "a regular expression is no value",
                at: literal.range,
                hint: "filter with 'field = /…/', or extract with regex(\"…\", field=…)"
            )
        case .field, .string, .number, .duration, .boolean, .pattern, .parameter, .savedQuery: break
        }
    }

    /// Errors beyond those that are shown are not even looked for in the text, which takes its time each.
    private mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        guard self.errors.count < SyntaxLimits.errorCountMax else { return }
        self.errors.append(self.source.diagnostic(message, at: range, hint: hint))
    }

    private mutating func warn(_ message: String, at range: SourceRange, hint: String?) {
        guard self.warnings.count < SyntaxLimits.errorCountMax else { return }
        let warning = self.source.diagnostic(message, at: range, hint: hint, severity: .warning)
        // A call may be looked at as a step and as an argument.
        if !self.warnings.contains(warning) { self.warnings.append(warning) }
    }
}

extension Array {
    /// The elements in a range, as far as there are any.
    fileprivate subscript(safe range: Range<Int>) -> ArraySlice<Element> { self[range.clamped(to: self.indices)] }
}
