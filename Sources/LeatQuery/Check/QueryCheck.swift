public import LeatCore

/// Where a query runs, which decides what it may use.
public enum QueryContext: Hashable, Sendable {
    /// Over stored events.
    case query
    /// Over events as they come.
    case live
    /// Over one event at a time, while it is taken in.
    case parser
}

/// A query whose meaning was checked.
public struct CheckedQuery: Hashable, Sendable {
    /// The tree without parameters, saved queries and short forms: its steps are filters, calls, assignments, `case`
    /// and `match`, and every call binds without a problem.
    public let tree: QueryTree
    /// The parameters that the query has, in order of their first use.
    public let parameters: [String]
    public let warnings: [Diagnostic]
}

/// Checks what a query means: functions, their arguments, and what may stand where.
public enum QueryCheck {
    /// The checked query; everything that is wrong with it otherwise.
    public static func check(
        _ tree: QueryTree,
        options: QueryOptions,
        context: QueryContext = .query
    ) throws(QueryErrors) -> CheckedQuery {
        let (checked, problems) = Self.examine(tree, options: options, context: context)
        if problems.isEmpty { return checked }
        throw QueryErrors(problems + FurtherProblems.find(in: tree, beside: problems, context: context))
    }

    /// The query as far as it could be understood, and what is wrong with its meaning.
    static func examine(
        _ tree: QueryTree,
        options: QueryOptions,
        context: QueryContext
    ) -> (checked: CheckedQuery, problems: [Diagnostic]) {
        var problems: [Diagnostic] = []
        let provider = options.savedQueries
        var expansion = SavedQueryExpansion(
            lookup: { provider?.savedQuery($0) },
            acceptsUnknown: options.isCheckOnly,
            source: tree.text
        )
        var pipeline = expansion.rewrite(tree.pipeline)
        problems += expansion.problems

        var search = ParameterSearch()
        _ = search.rewrite(pipeline)
        var substitution = ParameterSubstitution(
            arguments: options.arguments.mapValues(MultiValue.split),
            source: tree.text
        )
        substitution.defaults = search.defaults
        substitution.acceptsMissing = options.isCheckOnly
        pipeline = substitution.rewrite(pipeline)
        problems += substitution.problems

        var desugaring = Desugaring()
        pipeline = desugaring.rewrite(pipeline)

        var check = PipelineCheck(source: tree.text, context: context)
        check.check(pipeline, as: .query)
        problems += check.errors
        let checked = CheckedQuery(
            tree: QueryTree(text: tree.text.string, pipeline: pipeline),
            parameters: search.names,
            warnings: check.warnings
        )
        return (checked, problems)
    }
}

/// Several values of one parameter as text: separated by commas, double quotes protect commas, `\"` is a quote.
public enum MultiValue {
    /// The values of a text, without the white space around each.
    public static func split(_ text: String) -> [String] {
        var values: [String] = []
        var current = ""
        var isQuoted = false
        var wasQuoted = false
        var previous: Character = " "
        func finish() {
            values.append(wasQuoted ? current : current.trimmingSpaces)
            current = ""
            wasQuoted = false
        }
        for character in text {
            if character == "\"" && previous == "\\" {
                current.removeLast()
                current.append(character)
            } else if character == "\"" && (isQuoted || current.trimmingSpaces.isEmpty) {
                isQuoted.toggle()
                if isQuoted { current = "" }
                wasQuoted = true
            } else if character == "," && !isQuoted {
                finish()
            } else if !(wasQuoted && !isQuoted && character == " ") {
                current.append(character)
            }
            previous = character
        }
        finish()
        return values
    }
}

extension String {
    /// The text without spaces at either end.
    fileprivate var trimmingSpaces: String {
        var rest = Substring(self)
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
