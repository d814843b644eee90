internal import LeatCore

/// What else is wrong with a query that has errors already, so that its writer sees all of them at once.
///
/// Syntax, meaning and plan are looked at one after the other, each on the steps in which nothing is wrong so far. What such
/// a step may miss because another one was left out (a table, a saved query, a parameter) is no error here.
enum FurtherProblems {
    /// The errors of the steps of a tree that have none of those that are known.
    static func find(in tree: QueryTree, beside known: [Diagnostic], context: QueryContext = .query) -> [Diagnostic] {
        var options = QueryOptions(now: Timestamp(nanoseconds: 0))
        options.isCheckOnly = true
        options.isLive = context == .live
        var rest = tree
        rest.pipeline = Self.intact(tree, beside: known)
        var (checked, found) = QueryCheck.examine(rest, options: options, context: context)
        if !found.isEmpty {
            rest.pipeline = Self.intact(rest, beside: found)
            let (again, others) = QueryCheck.examine(rest, options: options, context: context)
            guard others.isEmpty else { return found }
            checked = again
        }
        return found + PlanBuilder.problems(of: checked.tree, options: options, isParser: context == .parser)
    }

    /// The steps of a tree within which no error lies.
    private static func intact(_ tree: QueryTree, beside errors: [Diagnostic]) -> Pipeline {
        let places = Self.places(of: errors, in: tree.text)
        var pipeline = tree.pipeline
        pipeline.steps.removeAll { step in places.contains { step.range.range.contains($0) } }
        return pipeline
    }

    /// Where errors stand, in Unicode scalars of the text.
    private static func places(of errors: [Diagnostic], in text: SourceText) -> [Int] {
        var lineStarts = [0]
        for (position, scalar) in text.string.unicodeScalars.enumerated() where scalar == "\n" {
            lineStarts.append(position + 1)
        }
        return errors.map { error in lineStarts[min(error.line, lineStarts.count) - 1] + error.column - 1 }
    }
}
