public import LeatCore
internal import Synchronization

/// One run of a plan: the workers that consume batches, and the answer so far.
///
/// Make one worker per thread, give each batch to one worker, and ask for the answer at any time from any thread.
public final class QueryExecution: Sendable {
    /// What happens after a batch.
    public enum Continuation: Hashable, Sendable {
        case more
        /// Nothing that can still come would change the answer, if batches come newest first.
        case enough
    }

    public let plan: QueryPlan
    let context: StageContext
    private let workers = Mutex<[QueryWorker]>([])
    private let damages = Mutex<[String]>([])
    private let final = Mutex<QueryResult?>(nil)

    /// A run of `plan` over events whose times lie in `dataRange`, which bounds an interval that the plan leaves open.
    ///
    /// `blocks` are where sub-queries look for events when the options name no provider.
    public init(_ plan: QueryPlan, dataRange: ClosedRange<Int64>? = nil, blocks: [any BlockSource] = []) {
        self.plan = plan
        self.context = StageContext(options: plan.options, dataRange: dataRange, blocks: blocks)
    }

    /// A worker with a state of its own, for one thread.
    public func makeWorker() -> QueryWorker {
        let worker = QueryWorker(self)
        self.workers.withLock { $0.append(worker) }
        return worker
    }

    /// Ends the run: workers throw `cancelled` at their next batch.
    public func cancel() {
        self.context.cancel()
        self.plan.cancellation.cancel()
    }

    /// Says that events could not be read; the answer becomes partial.
    public func report(_ damage: DamagedBlock) { self.reportDamage(damage.description) }

    func reportDamage(_ description: String) {
        self.damages.withLock { if !$0.contains(description) { $0.append(description) } }
    }

    /// The answer to what the workers have consumed so far.
    public func partialResult() throws(QueryFailure) -> QueryResult {
        if let final = self.final.withLock({ $0 }) { return final }
        let state = self.plan.program.makeState(self.context)
        for worker in self.workers.withLock({ $0 }) { try worker.merge(into: state) }
        return try self.result(of: state)
    }

    /// The answer, once all batches were consumed; the workers are of no more use then.
    public func finalResult() throws(QueryFailure) -> QueryResult {
        if let final = self.final.withLock({ $0 }) { return final }
        let workers = self.workers.withLock { $0 }
        guard let first = workers.first else { return try self.partialResult() }
        // The first worker's own state takes in the others', so that nothing is copied for a single worker.
        let result = try first.withState { (state) throws(QueryFailure) in
            for worker in workers.dropFirst() { try worker.merge(into: state) }
            return try self.result(of: state)
        }
        self.final.withLock { $0 = result }
        return result
    }

    private func result(of state: any AggregateState) throws(QueryFailure) -> QueryResult {
        var result = try self.plan.program.finish(state, self.context)
        let damages = self.damages.withLock { $0 }
        result.isAggregate = self.plan.isAggregate
        if !self.plan.isAggregate { result.columns = self.plan.program.columns }
        result.isPartial = !damages.isEmpty
        result.warnings += damages
        result.warnings += self.plan.hints.map { hint in
            hint.message + (hint.hint.map { "; \($0)" } ?? "")
        }
        return result
    }
}

extension Program {
    /// What consumes the events: without an aggregate all of them are kept, newest first.
    func makeState(_ context: StageContext) -> any AggregateState {
        self.aggregate?.makeState(context)
            ?? KeepRowsState(
                RowKeeper(preference: .newest, limit: context.options.eventLimit),
                newestFirst: true
            )
    }
}

/// The state of one thread of a run.
public final class QueryWorker: Sendable {
    private struct State {
        let aggregate: any AggregateState
        var eventCount = 0
    }

    // Contended only by `partialResult`.
    private let state: Guarded<State>
    private let execution: QueryExecution

    init(_ execution: QueryExecution) {
        self.execution = execution
        self.state = Guarded(State(aggregate: execution.plan.program.makeState(execution.context)))
    }

    /// Whether a block of these times could change the answer, given what this worker has seen.
    public func needs(_ timeRange: ClosedRange<Int64>) -> Bool {
        let plan = self.execution.plan
        if plan.program.source != nil { return true }
        guard timeRange.upperBound >= plan.startNanoseconds, timeRange.lowerBound < plan.endNanoseconds else {
            return false
        }
        return self.state.withLock { state in
            !((state.aggregate as? KeepRowsState)?.keeper.isDone(with: timeRange) ?? false)
        }
    }

    /// Runs the plan's stages over the rows of a batch; of two batches the one with the higher `sequence` (0 ..<
    /// 2^24) arrived later.
    ///
    /// A batch that turns out to be damaged is left out and reported.
    @discardableResult
    public func consume(_ batch: Batch, sequence: Int) throws(QueryFailure) -> QueryExecution.Continuation {
        try self.execution.context.check()
        do throws(QueryFailure) {
            let parts = try self.execution.plan.matching(batch, sequence: sequence, self.execution.context)
            try self.state.withLock { (state) throws(QueryFailure) in
                for rows in parts { try state.aggregate.update(rows, .one) }
            }
        } catch {
            guard case .damaged(let what) = error else { throw error }
            self.execution.reportDamage(what)
        }
        return .more
    }

    func withState<Result>(
        _ body: (any AggregateState) throws(QueryFailure) -> Result
    ) throws(QueryFailure) -> Result {
        try self.state.withLock { (state) throws(QueryFailure) in try body(state.aggregate) }
    }

    func merge(into target: any AggregateState) throws(QueryFailure) {
        try self.state.withLock { (state) throws(QueryFailure) in
            try target.merge(state.aggregate, groups: [0], groupCount: 1)
        }
    }
}

extension QueryPlan {
    /// The rows of a batch that lie in the interval and pass the stages before the first aggregate.
    func matching(_ batch: Batch, sequence: Int, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        guard batch.rowCount > 0 else { return [] }
        var rows = EventRows(batch, sequence: sequence)
        if self.program.source == nil, self.start != nil || self.end != nil, let inside = self.rowsInside(batch) {
            rows.narrow(to: inside)
        }
        return try self.program.stages.run(rows, context)
    }

    /// The rows whose time lies in the interval; `nil` when all do.
    private func rowsInside(_ batch: Batch) -> Bitmap? {
        let (start, end) = (self.startNanoseconds, self.endNanoseconds)
        let times = batch.timestamps
        guard times.contains(where: { $0 < start || $0 >= end }) else { return nil }
        return Bitmap(count: times.count) { times[$0] >= start && times[$0] < end }
    }
}
