internal import LeatCore

/// Turns the tree of a query into stages.
struct PlanBuilder {
    let text: SourceText
    let options: QueryOptions
    var diagnostics: [Diagnostic] = []
    var start: Timestamp?
    var end: Timestamp?

    /// What a plan is made of.
    struct Built {
        var program: Program
        var prefilter: Prefilter
        var start: Timestamp?
        var end: Timestamp?
    }

    static func build(_ tree: QueryTree, options: QueryOptions) throws(QueryErrors) -> Built {
        var builder = PlanBuilder(text: tree.text, options: options, start: options.start, end: options.end)
        let program = builder.program(of: tree.pipeline)
        guard builder.diagnostics.isEmpty else { throw QueryErrors(builder.diagnostics) }
        return Built(program: program, prefilter: .all, start: builder.start, end: builder.end)
    }

    mutating func program(of pipeline: Pipeline) -> Program {
        Program()
    }
}
