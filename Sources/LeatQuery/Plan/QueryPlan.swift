public import LeatCore

/// A query that is ready to run: stages with every argument resolved.
///
/// A value without state; the same plan runs over stored blocks, local files and live events.
public struct QueryPlan: Sendable {
    /// The query as written.
    public let tree: QueryTree
    public let options: QueryOptions
    /// What storage may test before it reads; lets too much through, never too little.
    public let prefilter: Prefilter
    /// First moment of the interval; `nil`: from the first event.
    public let start: Timestamp?
    /// First moment after the interval; `nil`: to the last event.
    public let end: Timestamp?
    /// Whether the answer is rows of an aggregate, and not events.
    public let isAggregate: Bool
    /// What was probably meant otherwise, such as a word that another language has for an operator.
    public private(set) var hints: [Diagnostic] = []
    /// The hints as warnings of an answer.
    var warnings: [String] {
        self.hints.map { hint in hint.message + (hint.hint.map { "; \($0)" } ?? "") }
    }
    /// What ends the regular expressions of the query.
    let cancellation: Cancellation
    /// The stages, up to the first aggregate per worker, from there on once.
    let program: Program

    /// A plan for a query; all that is wrong with it is reported at once.
    public init(_ tree: QueryTree, options: QueryOptions) throws(QueryErrors) {
        let built = try PlanBuilder.build(tree, options: options)
        self.tree = tree
        self.options = options
        self.program = built.program
        self.start = built.start
        self.end = built.end
        self.isAggregate = built.program.isAggregate
        self.prefilter = built.prefilter
        self.cancellation = built.cancellation
        self.hints = built.hints
    }

    /// The plan of a sub-query, whose program was built within that of another query.
    init(
        _ program: Program,
        of tree: QueryTree,
        options: QueryOptions,
        start: Timestamp?,
        end: Timestamp?,
        cancellation: Cancellation
    ) {
        self.cancellation = cancellation
        self.tree = tree
        self.options = options
        self.program = program
        self.start = start
        self.end = end
        self.isAggregate = program.isAggregate
        self.prefilter = program.source == nil ? PrefilterDerivation.prefilter(of: program.stages) : .all
    }

    /// The fields that a filter query leaves, in order; `nil`: each event has its own, or an aggregate names them.
    public var columns: [String]? { self.program.columns }

    /// Whether an event of that time lies in the interval.
    func contains(_ nanoseconds: Int64) -> Bool {
        nanoseconds >= self.startNanoseconds && nanoseconds < self.endNanoseconds
    }

    var startNanoseconds: Int64 { self.start?.nanoseconds ?? .min }

    /// The first nanosecond after the interval; the very last one of time stands for "no end".
    var endNanoseconds: Int64 { self.end?.nanoseconds ?? .max }
}
