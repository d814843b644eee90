internal import LeatCore

/// Turns the text of a query into its tree.
public enum QueryParser {
    /// The tree of a query.
    ///
    /// - Throws: All errors of its syntax, and what else is wrong with the steps that could be read.
    public static func parse(_ text: String) throws(QueryErrors) -> QueryTree { try Self.parse(text, for: .query) }

    /// The same; what else is wrong is looked for as the context has it.
    static func parse(_ text: String, for context: QueryContext) throws(QueryErrors) -> QueryTree {
        let source = SourceText(text)
        let length = text.unicodeScalars.count
        guard length <= SyntaxLimits.lengthMax else {
            let message = "the query has \(length) characters, more than \(SyntaxLimits.lengthMax)"
            throw QueryErrors([source.diagnostic(message, at: SourceRange(0..<1), hint: "save parts as saved queries")])
        }
        var reader = QueryReader(text)
        let pipeline = reader.wholeQuery()
        let tree = QueryTree(text: text, pipeline: pipeline)
        if reader.failures.isEmpty { return tree }
        let errors = reader.failures.map { source.diagnostic($0.message, at: SourceRange($0.range), hint: $0.hint) }
        throw QueryErrors(errors + FurtherProblems.find(in: tree, beside: errors, context: context))
    }
}

/// Reads a query by recursive descent, as section 3 of the language's description lays down its grammar.
///
/// This file reads pipelines and statements; extensions read filters and expressions.
struct QueryReader {
    var scanner: Scanner
    /// Errors so far; a step with an error is skipped, so that later ones are found too.
    var failures: [SyntaxFailure] = []
    private var depth = 0
    private var operators = OperatorDepth()

    init(_ text: String) { self.scanner = Scanner(text) }

    mutating func wholeQuery() -> Pipeline {
        var steps: [Step] = []
        while true {
            let part = self.pipeline(isNested: false)
            steps += part.steps
            if self.scanner.isAtEnd || self.failures.count >= SyntaxLimits.errorCountMax { break }
            // After an error a stray bracket is most likely its consequence.
            if self.failures.isEmpty { self.failures.append(self.unexpected(at: self.scanner.position)) }
            self.scanner.position += 1
        }
        return Pipeline(steps: steps, range: SourceRange(0..<self.scanner.scalars.count))
    }

    /// Runs `body` one level deeper.
    mutating func nested<Result>(
        _ body: (inout QueryReader) throws(SyntaxFailure) -> Result
    ) throws(SyntaxFailure) -> Result {
        let outer = self.operators
        self.depth += 1
        self.operators = outer.inside
        defer {
            self.depth -= 1
            self.operators = self.depth == 0 ? OperatorDepth() : outer.around(self.operators)
        }
        if self.depth > SyntaxLimits.depthMax {
            let here = self.scanner.position
            throw SyntaxFailure("nested more than \(SyntaxLimits.depthMax) levels deep", at: here..<here + 1)
        }
        return try body(&self)
    }

    /// Counts an operator that joins what was read at this level with what follows.
    mutating func countOperator(at range: Range<Int>) throws(SyntaxFailure) {
        self.operators.add()
        guard self.operators.most > SyntaxLimits.operatorsMax else { return }
        throw SyntaxFailure(
            "an expression with more than \(SyntaxLimits.operatorsMax) operators",
            at: range,
            hint: "compute parts of it in steps of their own: part := … | x := part + …"
        )
    }

    /// Reads steps up to `;`, `}`, `)` or the end; records errors and goes on at the next pipe.
    mutating func pipeline(isNested: Bool) -> Pipeline {
        var steps: [Step] = []
        let start = self.scanner.position
        while true {
            do throws(SyntaxFailure) {
                try self.scanner.skipTrivia()
                if self.scanner.take("|") {
                    try self.refuseForeignPipe()
                    continue
                }
                if self.isAtPipelineEnd {
                    if isNested && self.scanner.current == ")" { throw self.unexpected(at: self.scanner.position) }
                    break
                }
                steps += try self.step()
                try self.scanner.skipTrivia()
                if self.isAtPipelineEnd || self.scanner.current == "|" { continue }
                if try self.startsStatement() { continue }
                throw self.missingPipe()
            } catch {
                self.failures.append(error)
                if self.failures.count >= SyntaxLimits.errorCountMax { break }
                self.skipStep()
                // A closing parenthesis ends nothing within braces.
                while isNested && self.scanner.take(")") { self.skipStep() }
            }
        }
        return Pipeline(steps: steps, range: SourceRange(start..<self.scanner.position))
    }

    var isAtPipelineEnd: Bool {
        if self.scanner.isAtEnd { return true }
        switch self.scanner.current {
        case ";", "}", ")": return true
        default: return false
        }
    }

    /// Goes to the pipe, `;` or bracket that ends the step at this level.
    private mutating func skipStep() {
        var depth = 0
        while !self.scanner.isAtEnd {
            switch self.scanner.current {
            case "\"":
                // A string without an end was reported already: its quote is stepped over.
                if (try? self.scanner.quoted()) != nil { continue }
            case "(", "[", "{": depth += 1
            case ")", "]", "}":
                if depth == 0 && self.scanner.current != "]" { return }
                depth = max(0, depth - 1)
            case "|", ";":
                if depth == 0 { return }
            case "/" where self.scanner.peek(1) == "/":
                while !self.scanner.isAtEnd && self.scanner.current != "\n" { self.scanner.position += 1 }
                continue
            default: break
            }
            self.scanner.position += 1
        }
    }

    // MARK: Steps

    /// Reads one step; a filter whose parts are not all filters gives several.
    private mutating func step() throws(SyntaxFailure) -> [Step] {
        switch self.scanner.current {
        case "[":
            let start = self.scanner.position
            let elements = try self.arrayElements(of: .aggregate)
            return [.stats(elements, SourceRange(start..<self.scanner.position))]
        case "$": return [.savedQuery(try self.savedQueryCall())]
        case "`": return [.assignment(try self.computedAssignment())]
        case "{":
            // Braces around a pipeline without a statement are harmless.
            let here = self.scanner.position
            throw SyntaxFailure(
                "unexpected '{'",
                at: here..<here + 1,
                hint: "braces belong to 'case', 'match' and subqueries"
            )
        default: break
        }
        if let branches = try self.caseStatement() { return [branches] }
        if let statement = try self.fieldStatement() { return [statement] }
        return Self.steps(of: try self.filter())
    }

    /// Steps that stand without a pipe before them: an assignment, `=~`, `case`, `match` or a saved query.
    mutating func startsStatement() throws(SyntaxFailure) -> Bool {
        if self.scanner.current == "$" || self.scanner.current == "`" { return true }
        let start = self.scanner.position
        defer { self.scanner.position = start }
        if self.scanner.takeKeyword("case") {
            try self.scanner.skipTrivia()
            return self.scanner.current == "{"
        }
        guard try self.fieldOfTerm() != nil else { return false }
        try self.scanner.skipTrivia()
        if self.scanner.isAt(":=") || self.scanner.isAt("=~") { return true }
        guard self.scanner.takeKeyword("match") else { return false }
        try self.scanner.skipTrivia()
        return self.scanner.current == "{"
    }

    /// Splits a filter at calls that cannot filter, so that `groupBy(x) sort(y)` are two steps.
    private static func steps(of filter: Filter) -> [Step] {
        guard case .and(let parts) = filter, parts.contains(where: Self.isCallOfNoFilter) else {
            return [Self.step(of: filter)]
        }
        var steps: [Step] = []
        var group: [Filter] = []
        func flush() {
            if let only = group.first, group.count == 1 { steps.append(Self.step(of: only)) }
            if group.count > 1 { steps.append(.filter(.and(group))) }
            group = []
        }
        for part in parts {
            if Self.isCallOfNoFilter(part) {
                flush()
                steps.append(Self.step(of: part))
            } else {
                group.append(part)
            }
        }
        flush()
        return steps
    }

    private static func step(of filter: Filter) -> Step {
        if case .call(let call) = filter { .call(call) } else { .filter(filter) }
    }

    static func isCallOfNoFilter(_ filter: Filter) -> Bool {
        guard case .call(let call) = filter, let signature = FunctionCatalogue.find(call.name) else { return false }
        return !signature.canFilter
    }

    /// A field name at the start of a term: the same, but `docker/*` and `a-b` are words of text.
    mutating func fieldOfTerm() throws(SyntaxFailure) -> FieldName? {
        if self.scanner.current != "\"" && self.scanner.endOfPatternWord() > self.scanner.endOfFieldWord() {
            return nil
        }
        return try self.fieldName()
    }

    /// A field name, bare or quoted; the position stays when there is none.
    mutating func fieldName() throws(SyntaxFailure) -> FieldName? {
        let start = self.scanner.position
        if self.scanner.current == "\"" {
            let name = try self.scanner.quoted()
            return FieldName(name, isQuoted: true, range: SourceRange(start..<self.scanner.position))
        }
        let end = self.scanner.endOfFieldWord()
        guard end > start else { return nil }
        self.scanner.position = end
        return FieldName(self.scanner.text(start..<end), range: SourceRange(start..<end))
    }
}

/// How many operators lie on a path of the tree that is being read: each is a level that is descended by recursion.
private struct OperatorDepth {
    /// Operators above this level.
    private var above = 0
    /// Operators of this level so far; what follows is an operand of all of them.
    private var own = 0
    /// The most on a path of what was read at this level.
    private var deepest = 0

    /// The most on a path from the root.
    var most: Int { self.above + self.deepest }

    /// What is one level deeper.
    var inside: OperatorDepth {
        var result = OperatorDepth()
        result.above = self.above + self.own
        return result
    }

    /// This level with a deeper one that has ended; those of different arguments do not add up.
    func around(_ ended: OperatorDepth) -> OperatorDepth {
        var result = self
        result.deepest = max(self.deepest, self.own + ended.deepest)
        return result
    }

    /// An operator joins what was read at this level with what follows.
    mutating func add() {
        self.own += 1
        self.deepest += 1
    }
}
