internal import LeatCore

/// Puts the steps of saved queries in the place of their calls, like a macro.
struct SavedQueryExpansion: TreeRewriter {
    /// The text of a saved query by its name.
    let lookup: @Sendable (String) -> String?
    /// Whether unknown saved queries are left as they are.
    let acceptsUnknown: Bool
    let source: SourceText
    /// Saved queries that are being expanded, outermost first.
    var open: [String] = []
    /// Where the outermost call stands, once within one; places of saved texts mean nothing to the reader.
    var callPlace: SourceRange?
    var problems: [Diagnostic] = []

    func place(_ range: SourceRange) -> SourceRange { self.callPlace ?? range }

    mutating func rewrite(_ step: Step) -> [Step] {
        guard case .savedQuery(let call) = step else { return [self.descend(step)] }
        if let pipeline = self.expand(call) { return pipeline.steps }
        // What only gets checked passes an unknown saved query as if it were not there.
        return self.acceptsUnknown ? [] : [step]
    }

    mutating func rewrite(_ expression: Expression) -> Expression {
        guard case .savedQuery(let call) = expression else { return self.descend(expression) }
        guard let pipeline = self.expand(call) else { return expression }
        if case .call(let only) = pipeline.steps.first, pipeline.steps.count == 1 { return .call(only) }
        return .subquery(Subquery(pipeline: pipeline, range: self.place(call.range)))
    }

    private mutating func expand(_ call: SavedQueryCall) -> Pipeline? {
        let name = call.name.name
        let range = self.place(call.range)
        if self.open.contains(name) {
            self.report("saved query '\(name)' calls itself", at: range)
            return nil
        }
        guard let text = self.lookup(name) else {
            if !self.acceptsUnknown { self.report("unknown saved query '\(name)'", at: range) }
            return nil
        }
        let tree: QueryTree
        do {
            tree = try QueryParser.parse(text)
        } catch {
            let first = error.diagnostics[0]
            self.report("saved query '\(name)' is not valid: \(first.message)", at: range, hint: first.hint)
            return nil
        }
        var substitution = ParameterSubstitution(arguments: Self.arguments(of: call), source: self.source)
        substitution.acceptsMissing = true
        let pipeline = substitution.rewrite(tree.pipeline)
        self.open.append(name)
        let isOutermost = self.callPlace == nil
        if isOutermost { self.callPlace = range }
        defer {
            self.open.removeLast()
            if isOutermost { self.callPlace = nil }
        }
        return self.rewrite(pipeline)
    }

    private static func arguments(of call: SavedQueryCall) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for argument in call.arguments {
            if let name = argument.name?.name { result[name] = argument.value.plainTexts }
        }
        return result
    }

    private mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        self.problems.append(self.source.diagnostic(message, at: range, hint: hint))
    }
}
