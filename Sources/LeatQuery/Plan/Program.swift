internal import LeatCore

/// The stages of a plan, ready to run.
struct Program: Sendable {
    /// A step that runs once, after all events were seen.
    enum Step: Sendable {
        case stage(any Stage)
        case aggregate(any AggregatePlan)
    }

    /// What takes the place of the events (`createEvents`, `readFile`); `nil`: the events themselves.
    var source: EventSource?
    /// Stages that each worker applies to each batch.
    var stages: [any Stage] = []
    /// What consumes the events; `nil`: they are the answer themselves.
    var aggregate: (any AggregatePlan)?
    /// What follows the aggregate.
    var rest: [Step] = []
    /// The fields that the last stage of a filter query leaves, in order; `nil`: each event has its own.
    var columns: [String]?

    var isAggregate: Bool { self.aggregate != nil }

    /// Rows that a function of the query makes.
    enum EventSource: Sendable {
        case batches([Batch])
        /// The rows of lookup files or tables, one after the other.
        case tables([TableSource], include: [String]?, limit: Int?)

        /// The fields of its rows, in order; `nil` when they are events, or not known yet.
        var columns: [String]? {
            guard case .tables(let sources, let include, _) = self else { return nil }
            var columns: [String] = []
            for source in sources {
                guard case .table(let table) = source.content else { return include }
                columns = columns.adding(table.columns)
            }
            return include.map { include in columns.filter { include.contains($0) } } ?? columns
        }
    }

    /// Runs what follows the first aggregate.
    func finish(_ state: any AggregateState, _ context: StageContext) throws(QueryFailure) -> QueryResult {
        let output = try self.runRest(try Self.output(of: state, of: self.aggregate, context), context)
        return try output.result(warnings: context.warnings, extraData: context.extraData)
    }

    /// Runs what follows the first aggregate over the rows that it gave.
    func finish(
        _ batches: [Batch],
        columns: [String],
        _ context: StageContext
    ) throws(QueryFailure) -> (kept: KeptRows, columns: [String]?) {
        let ordered = batches.enumerated().map { EventRows.ordered($0.element, sequence: $0.offset) }
        let output = try self.runRest(.batches(ordered, columns: columns), context)
        var kept = KeptRows()
        kept.batches = try output.ordered()
        for (index, batch) in kept.batches.enumerated() {
            batch.selection.forEachSet { kept.order.append((index, $0)) }
        }
        return (kept, output.columns)
    }

    private func runRest(_ start: Output, _ context: StageContext) throws(QueryFailure) -> Output {
        var output = start
        for step in self.rest {
            try context.check()
            switch step {
            case .stage(let stage): output = try Self.apply(stage, to: output, context)
            case .aggregate(let plan):
                let state = plan.makeState(context)
                for rows in try output.ordered() { try state.update(rows, .one) }
                output = try Self.output(of: state, of: plan, context)
            }
        }
        return output
    }

    private static func apply(
        _ stage: any Stage,
        to output: Output,
        _ context: StageContext
    ) throws(QueryFailure) -> Output {
        var result: [EventRows] = []
        for batch in try output.ordered() { result += try stage.run(batch, context).filter { !$0.isEmpty } }
        return .batches(result, columns: stage.columns(after: output.columns))
    }

    private static func output(
        of state: any AggregateState,
        of plan: (any AggregatePlan)?,
        _ context: StageContext
    ) throws(QueryFailure) -> Output {
        if let keeping = state as? any RowKeepingState { return .kept(try keeping.keptRows(), columns: plan?.columns) }
        let writer = RowWriter(columns: plan?.columns ?? [], rowCountMax: Int.max)
        try state.emit(0, into: writer) { () throws(QueryFailure) in writer.endRow() }
        let batches = writer.finish()
        return .batches(
            batches.enumerated().map { EventRows.ordered($0.element, sequence: $0.offset) },
            columns: writer.columns
        )
    }

    /// Rows between the steps that follow the first aggregate.
    private enum Output {
        case kept(KeptRows, columns: [String]?)
        case batches([EventRows], columns: [String]?)

        var columns: [String]? {
            switch self {
            case .kept(_, let columns), .batches(_, let columns): columns
            }
        }

        /// The rows as batches in order.
        func ordered() throws(QueryFailure) -> [EventRows] {
            switch self {
            case .kept(let kept, let columns): try kept.assembled(names: columns)
            case .batches(let batches, _): batches
            }
        }

        func result(warnings: [String], extraData: [String: String]) throws(QueryFailure) -> QueryResult {
            var rows = QueryRows()
            switch self {
            case .kept(let kept, _): rows = try kept.queryRows()
            case .batches(let batches, _):
                for batch in batches {
                    let index = rows.batches.count
                    rows.batches.append(batch.batch)
                    batch.selection.forEachSet { rows.order.append(.init(batch: index, row: $0)) }
                }
            }
            var result = QueryResult(columns: self.columns, rows: rows, warnings: warnings, isAggregate: true)
            result.extraData = extraData
            return result
        }
    }
}

/// The state of an aggregate whose rows are rows that it was given: they leave without being copied.
protocol RowKeepingState: AggregateState {
    func keptRows() throws(QueryFailure) -> KeptRows
}
