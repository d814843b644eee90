internal import LeatCore

extension PlanBuilder {
    /// The parts of a conjunction, nested ones taken apart.
    static func conjuncts(_ filter: Filter) -> [Filter] {
        guard case .and(let parts) = filter else { return [filter] }
        return parts.flatMap { Self.conjuncts($0) }
    }

    /// The stages of a filter step: what extracts is a stage of its own, everything else one conjunction, cheap parts
    /// first.
    mutating func filterStages(_ filter: Filter) -> [any Stage] {
        var nodes: [FilterNode] = []
        var extractions: [any Stage] = []
        for part in Self.conjuncts(filter) {
            if let stage = self.extraction(part) {
                extractions.append(stage)
            } else {
                nodes.append(self.node(part))
            }
        }
        nodes = nodes.enumerated().sorted { ($0.element.cost, $0.offset) < ($1.element.cost, $1.offset) }.map(\.element)
        guard !nodes.isEmpty else { return extractions }
        return [FilterStage(filter: nodes.count == 1 ? nodes[0] : .and(nodes))] + extractions
    }

    /// A conjunct that writes fields: a regular expression with named groups, or a function that is no mere filter.
    private mutating func extraction(_ filter: Filter) -> (any Stage)? {
        switch filter {
        case .regex(let literal):
            guard let regex = self.regex(literal), !regex.fieldNames.isEmpty || literal.flags.contains("g") else {
                return nil
            }
            return RegexStage(
                regex: regex,
                field: literal.flags.contains("g") ? "@rawstring" : nil,
                repeats: literal.flags.contains("g"),
                limit: self.options.limits.regexRepeats
            )
        case .comparison(let comparison):
            guard case .regex(let literal) = comparison.value, comparison.comparator != .notEqual,
                let regex = self.regex(literal), !regex.fieldNames.isEmpty || literal.flags.contains("g")
            else { return nil }
            return RegexStage(
                regex: regex,
                field: comparison.field.name,
                repeats: literal.flags.contains("g"),
                limit: self.options.limits.regexRepeats
            )
        case .call(let call):
            guard let bound = call.bound, bound.signature.kind == .transformation || call.name == "join" else {
                return nil
            }
            return self.callStages(bound).first
        default: return nil
        }
    }

    /// A filter that only keeps or drops.
    mutating func node(_ filter: Filter) -> FilterNode {
        switch filter {
        case .and(let parts): return .and(parts.map { self.node($0) })
        case .or(let parts): return .or(parts.map { self.node($0) })
        case .not(let part, _): return .not(self.node(part))
        case .constant(let value, _): return .constant(value)
        case .text(let value):
            let test = ValueTest.containing(value.text)
            if case .present = test { return .constant(true) }
            return .anyField(test)
        case .regex(let literal):
            return self.regex(literal).map { .anyField(.regex($0)) } ?? .constant(false)
        case .parameter: return .constant(true)
        case .comparison(let comparison): return self.node(comparison)
        case .call(let call): return self.node(call)
        case .link(let left, _):
            self.report("'<=>' has a meaning only within correlate()", at: left.range)
            return .constant(false)
        }
    }

    private mutating func node(_ comparison: Comparison) -> FilterNode {
        let field = comparison.field.name
        switch comparison.value {
        case .text(let value): return self.node(field, comparison.comparator, value)
        case .regex(let literal):
            guard let regex = self.regex(literal) else { return .constant(false) }
            let node = FilterNode.field(field, .regex(regex))
            return comparison.comparator == .notEqual ? .not(node) : node
        case .parameter: return .constant(true)
        case .call(let call): return self.node(call)
        }
    }

    private mutating func node(_ field: String, _ comparator: Comparison.Operator, _ value: TextValue) -> FilterNode {
        switch comparator {
        case .equal: return .field(field, .equality(to: value.text))
        case .notEqual: return .not(.field(field, .equality(to: value.text)))
        case .like: return .field(field, .likeness(to: value.text))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let number = NumberText.parse(value.text) else {
                self.report(
                    "'\(value.text)' is no number",
                    at: value.range,
                    hint: "'\(comparator.rawValue)' compares numbers; for texts use test(\(field) == …) or a regex"
                )
                return .constant(false)
            }
            return .field(field, .number(comparator, number))
        }
    }

    /// A compiled regular expression literal, or `nil` after saying what is wrong with it.
    mutating func regex(_ literal: RegexLiteral) -> RegexTest? {
        self.regex(body: literal.body, flags: literal.flags, at: literal.range)
    }

    mutating func regex(body: String, flags: String, at range: SourceRange) -> RegexTest? {
        do throws(PatternError) {
            return try RegexTest(body: body, flags: flags, cancellation: self.cancellation)
        } catch {
            self.report("the regular expression is not valid: \(error.message)", at: range)
            return nil
        }
    }

    /// A call that decides whether an event stays.
    mutating func node(_ call: FunctionCall) -> FilterNode {
        guard let bound = call.bound else {
            self.report("unknown function '\(call.name)'", at: call.nameRange)
            return .constant(false)
        }
        switch bound.signature.name {
        case "in": return self.membership(bound)
        case "wildcard": return self.wildcard(bound)
        case "regex":
            let flags = bound.text("flags") ?? "m"
            guard let regex = self.regex(of: bound, "regex", flags: flags) else { return .constant(false) }
            return .field(bound.text("field") ?? "@rawstring", .regex(regex))
        case "test": return .expression(self.expression(bound.expression("expression")))
        case "dropEvent": return .constant(false)
        case "array:exists", "objectArray:exists":
            return self.elementPipeline(bound).map { .elements($0) } ?? .constant(false)
        default: return self.otherNode(bound)
        }
    }

    /// The regular expression of a parameter, from a literal or a text.
    mutating func regex(of call: BoundCall, _ parameter: String, flags: String) -> RegexTest? {
        guard let argument = call.expression(parameter) else { return nil }
        if case .regex(let literal) = argument {
            return self.regex(body: literal.body, flags: literal.flags + flags, at: literal.range)
        }
        return self.regex(body: argument.plainText ?? "", flags: flags, at: argument.range)
    }

    private mutating func membership(_ call: BoundCall) -> FilterNode {
        let field = call.text("field") ?? ""
        let foldsCase = call.isTrue("ignoreCase")
        var plain: [[UInt8]] = []
        var tests: [ValueTest] = []
        for value in call.texts("values") {
            if foldsCase {
                tests.append(self.foldingGlob(value, at: call.call.range))
                if NumberText.parse(value) != nil { tests.append(.equality(to: value)) }
            } else if case .equals(let text) = ValueTest.equality(to: value) {
                plain.append(text)
            } else {
                tests.append(.equality(to: value))
            }
        }
        if plain.count > 4 {
            tests.append(.oneOf(ByteStringSet(plain)))
        } else {
            tests += plain.map { .equals($0) }
        }
        if tests.isEmpty { return .constant(false) }
        return .field(field, tests.count == 1 ? tests[0] : .any(tests))
    }

    /// Section 5.9.
    private mutating func wildcard(_ call: BoundCall) -> FilterNode {
        let pattern = call.text("pattern") ?? "*"
        let foldsCase = call.isTrue("ignoreCase")
        if pattern == "*" && call.isTrue("includeEverythingOnAsterisk") { return .constant(true) }
        let fields = call.texts("field")
        if fields.isEmpty {
            let test =
                foldsCase
                ? self.foldingGlob("*\(pattern)*", at: call.call.range) : ValueTest.containing(pattern)
            if case .present = test { return .constant(true) }
            return .anyField(test)
        }
        let test: ValueTest = foldsCase ? self.foldingGlob(pattern, at: call.call.range) : .equality(to: pattern)
        let nodes = fields.map { FilterNode.field($0, test) }
        return nodes.count == 1 ? nodes[0] : .or(nodes)
    }

    /// The test for an anchored glob without regard to case; only regular expressions know the cases beyond ASCII.
    private mutating func foldingGlob(_ pattern: String, at range: SourceRange) -> ValueTest {
        guard !pattern.utf8.allSatisfy({ $0 < 0x80 }) else {
            let glob = GlobPattern(pattern, foldsCase: true)
            if glob.matchesAll { return .present }
            return glob.onlyNeedle.map { .contains($0) } ?? .glob(glob)
        }
        let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false).map { piece in
            piece.map { $0.isASCII && !$0.isLetter && !$0.isNumber ? "\\\($0)" : "\($0)" }.joined()
        }
        guard let regex = self.regex(body: "\\A\(pieces.joined(separator: ".*"))\\z", flags: "id", at: range) else {
            return .any([])
        }
        return .regex(regex)
    }
}
