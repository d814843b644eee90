public import LeatCore

/// Plans and texts made of parts of a query, for those who show more than its answer.
extension QueryPlan {
    /// The steps before the first aggregate, as text; `*` when there are none.
    public var filterText: String {
        let steps = self.filterSteps.filter { !Self.isPreamble($0) }
        return steps.isEmpty ? "*" : QueryPrinter.print(Pipeline(steps: steps))
    }

    /// A plan that counts the events that pass the filter, over time.
    public func distribution() throws(QueryErrors) -> QueryPlan { try self.filterPlan(ending: "timeChart", []) }

    /// A plan of the first or last events that pass the filter, in an interval of its own.
    public func events(
        _ end: EventsEnd,
        limit: Int,
        start: Timestamp?,
        before: Timestamp?
    ) throws(QueryErrors) -> QueryPlan {
        let limit = Argument(name: FieldName("limit"), value: .number(String(limit), .none))
        var options = self.options
        (options.start, options.end) = (start, before)
        return try self.filterPlan(ending: end.rawValue, [limit], options)
    }

    /// Which events a plan keeps.
    public enum EventsEnd: String, Sendable {
        case oldest = "head"
        case newest = "tail"
    }

    /// Whether a live run must ask everything anew from time to time: a sub-query's rows are those of one moment.
    public var needsRepetition: Bool {
        var search = CallSearch(names: ["join", "selfJoinFilter", "defineTable", "remoteTable", "beta:repeating"])
        _ = search.rewrite(self.tree.pipeline)
        return search.isFound
    }

    private func filterPlan(
        ending function: String,
        _ arguments: [Argument],
        _ options: QueryOptions? = nil
    ) throws(QueryErrors) -> QueryPlan {
        let steps = self.filterSteps + [.call(FunctionCall(name: function, arguments: arguments))]
        let tree = QueryTree(text: self.tree.text.string, pipeline: Pipeline(steps: steps))
        return try QueryPlan(tree, options: options ?? self.options)
    }

    private var filterSteps: [Step] { Array(self.tree.pipeline.steps.prefix { !Self.isAggregate($0) }) }

    private static func isPreamble(_ step: Step) -> Bool {
        if case .call(let call) = step { return FunctionCatalogue.find(call.name)?.kind == .preamble }
        return false
    }

    private static func isAggregate(_ step: Step) -> Bool {
        let name: String
        switch step {
        case .stats: return true
        case .call(let call): name = call.name
        case .assignment(let assignment):
            guard case .call(let call) = assignment.value else { return false }
            name = call.name
        default: return false
        }
        let kind = FunctionCatalogue.find(name)?.kind
        return kind == .aggregate || kind == .sequence
    }
}

/// Looks for calls of some functions.
struct CallSearch: TreeRewriter {
    let names: Set<String>
    var isFound = false

    mutating func rewrite(_ call: FunctionCall) -> FunctionCall {
        if self.names.contains(call.name) { self.isFound = true }
        return self.descend(call)
    }
}
