internal import LeatCore

/// Turns the tree of a query into stages.
///
/// Split over `PlanBuilder+*.swift`: filters, expressions, stages, aggregates.
struct PlanBuilder {
    let text: SourceText
    let options: QueryOptions
    let functions: FunctionContext
    /// What ends the regular expressions of all parts of the query.
    let cancellation = Cancellation()
    var diagnostics: [Diagnostic] = []
    var start: Timestamp?
    var end: Timestamp?
    /// Tables by name, those of lookup files and those that the query defines.
    var tables: [String: TableSource] = [:]
    /// Whether the plan is to be shown instead of run, and its prefilter with it.
    private var explains: Bool?
    /// Whether the rows that come to the aggregate that is being built stand in an order, that of another aggregate.
    var isOrdered = false
    /// The stages before the step that is being built, for functions that pass over the events twice.
    var earlierStages: [any Stage] = []

    /// What a plan is made of.
    struct Built {
        var program: Program
        var prefilter: Prefilter
        var start: Timestamp?
        var end: Timestamp?
        var cancellation: Cancellation
        var hints: [Diagnostic]
    }

    static func build(_ tree: QueryTree, options: QueryOptions) throws(QueryErrors) -> Built {
        let checked = try QueryCheck.check(tree, options: options, context: options.isLive ? .live : .query)
        var builder = PlanBuilder(checked.tree, options: options)
        let pipeline = builder.takePreambles(checked.tree.pipeline)
        var program = builder.program(of: pipeline)
        guard builder.diagnostics.isEmpty else { throw QueryErrors(builder.diagnostics) }
        if let showsPrefilter = builder.explains {
            program = QueryExplanation.program(of: pipeline, as: program, showsPrefilter: showsPrefilter)
        }
        return Built(
            program: program,
            prefilter: program.source == nil ? PrefilterDerivation.prefilter(of: program.stages) : .all,
            start: builder.start,
            end: builder.end,
            cancellation: builder.cancellation,
            hints: checked.warnings
        )
    }

    /// What is wrong with a checked query, which is not run.
    static func problems(of tree: QueryTree, options: QueryOptions, isParser: Bool) -> [Diagnostic] {
        var builder = PlanBuilder(tree, options: options, isParser: isParser)
        if isParser {
            _ = builder.stages(of: tree.pipeline)
        } else {
            _ = builder.program(of: builder.takePreambles(tree.pipeline))
        }
        return builder.diagnostics
    }

    init(_ tree: QueryTree, options: QueryOptions, isParser: Bool = false) {
        self.text = tree.text
        self.options = options
        self.functions = FunctionContext(options: options, isParser: isParser)
        self.start = options.start
        self.end = options.end
    }

    /// Says what is wrong at a place of the query.
    mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        // More are not shown, and each has to find its line.
        guard self.diagnostics.count < SyntaxLimits.errorCountMax else { return }
        self.diagnostics.append(self.text.diagnostic(message, at: range, hint: hint))
    }

    /// Acts on the steps that say something about the query, and returns the others.
    private mutating func takePreambles(_ pipeline: Pipeline) -> Pipeline {
        var result = pipeline
        result.steps.removeAll()
        for step in pipeline.steps {
            guard case .call(let call) = step, let bound = call.bound, bound.signature.kind == .preamble else {
                result.steps.append(step)
                continue
            }
            switch bound.signature.name {
            case "setTimeInterval":
                self.setInterval(bound)
            case "defineTable": self.defineTable(bound, repository: bound.text("view"))
            case "remoteTable": self.defineTable(bound, repository: bound.text("connection"))
            case "explain:asTable": self.explains = bound.isTrue("showPrefilters")
            case "beta:repeating": break
            default: self.report("\(call.name)() is not supported", at: call.range)
            }
        }
        return result
    }

    /// `setTimeInterval`: the interval of the query is this one.
    private mutating func setInterval(_ call: BoundCall) {
        let zone = self.zone(call)
        self.start = self.moment(call, "start", zone) ?? self.start
        self.end = self.moment(call, "end", zone) ?? self.end
        guard let start = self.start, let end = self.end, start >= end else { return }
        self.report("the interval is empty: 'start' is not before 'end'", at: call.call.range)
    }

    private mutating func moment(_ call: BoundCall, _ parameter: String, _ zone: TimeZoneRules) -> Timestamp? {
        guard let text = call.text(parameter) else { return nil }
        let range = call.expression(parameter)?.range ?? call.call.range
        if self.options.isLive && RelativeTime.isAnchored(text) {
            self.report(
                "'\(text)' has an anchor, which moves by jumps",
                at: range,
                hint: "a live query takes 7d or 15m"
            )
        }
        let moment = RelativeTime.moment(text, now: self.options.now, zone: zone)
        if moment == nil { self.report("'\(text)' is no moment", at: range, hint: "write 7d, now or a number") }
        return moment
    }

    /// The whole program of a query.
    mutating func program(of pipeline: Pipeline) -> Program {
        var program = Program()
        for step in pipeline.steps {
            if let source = self.source(step) {
                // Whatever stands before it has nothing to say: its events replace all others.
                program = Program()
                program.source = source
                program.columns = source.columns
                continue
            }
            // Only when asked for: a second owner makes each step that follows copy all stages.
            self.earlierStages = Self.looksBack(step) ? program.stages : []
            if let aggregate = self.aggregate(step, isOrdered: program.isAggregate || self.isOrdered) {
                if program.aggregate == nil {
                    program.aggregate = aggregate
                } else {
                    program.rest.append(.aggregate(aggregate))
                }
                continue
            }
            for stage in self.stages(step) {
                if program.isAggregate {
                    program.rest.append(.stage(stage))
                } else {
                    program.columns = stage.columns(after: program.columns)
                    program.stages.append(stage)
                }
            }
        }
        return program
    }

    /// Whether a step passes over the events twice.
    private static func looksBack(_ step: Step) -> Bool {
        var search = CallSearch(names: ["selfJoinFilter"])
        _ = search.rewrite(step)
        return search.isFound
    }

    /// The stages of a pipeline that has no aggregate.
    mutating func stages(of pipeline: Pipeline) -> [any Stage] {
        var result: [any Stage] = []
        for step in pipeline.steps { result += self.stages(step) }
        return result
    }
}
