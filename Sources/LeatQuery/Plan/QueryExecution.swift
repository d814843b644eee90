public import LeatCore
internal import Synchronization

/// One run of a plan: the workers that consume batches, and the answer so far.
///
/// Make one worker per thread, give each batch to one worker, and ask for the answer at any time from any thread.
public final class QueryExecution: Sendable {
    public let plan: QueryPlan
    let context: StageContext
    private let workers = Mutex<[QueryWorker]>([])
    private let matchTimes = Mutex(StageTimes())
    private let damages = Mutex<[String]>([])
    private let final = Mutex<QueryResult?>(nil)
    private let failure = Mutex<QueryFailure?>(nil)
    /// Whether the answer is being made, which may take long and holds the workers' states.
    private let finishing = Atomic(false)
    /// Events beyond this time cannot be among those that are kept, whichever worker sees them.
    private let keptBound = Mutex<Int64?>(nil)

    /// A run of `plan` over events whose times lie in `dataRange`, which bounds an interval that the plan leaves open.
    ///
    /// `blocks` are where sub-queries look for events when the options name no provider.
    public init(_ plan: QueryPlan, dataRange: ClosedRange<Int64>? = nil, blocks: [any BlockSource] = []) {
        self.plan = plan
        self.context = StageContext(options: plan.options, dataRange: dataRange, blocks: blocks)
    }

    /// A worker with a state of its own, for one thread; `sequence` says of a block of the list how late it arrived.
    func makeWorker(sequence: @escaping @Sendable (Int) -> Int) -> QueryWorker {
        let worker = QueryWorker(self, sequence: sequence)
        self.workers.withLock { $0.append(worker) }
        return worker
    }

    /// Ends the run: workers throw `cancelled` at their next batch.
    public func cancel() {
        self.context.cancel()
        self.plan.cancellation.cancel()
    }

    /// Says that events could not be read; the answer becomes partial.
    func report(_ damage: [DamagedBlock]) { for damage in damage { self.reportDamage(damage.description) } }

    func reportDamage(_ description: String) {
        self.damages.withLock { if !$0.contains(description) { $0.append(description) } }
    }

    /// Ends the run because of a failure; of several the first counts.
    func fail(_ failure: QueryFailure) {
        self.failure.withLock { if $0 == nil { $0 = failure } }
        self.cancel()
    }

    /// Does a worker's work on a batch: damage is reported and the scan goes on, another failure ends the run.
    func guarded(_ work: () throws(QueryFailure) -> Void) -> ScanStep {
        do throws(QueryFailure) {
            try self.context.check()
            try work()
            return .more
        } catch {
            if case .damaged(let what) = error {
                self.reportDamage(what)
                return .more
            }
            self.fail(error)
            return .enough
        }
    }

    /// Throws what made the run fail.
    func checkFailure() throws(QueryFailure) {
        if let failure = self.failure.withLock({ $0 }) { throw failure }
    }

    /// Notes that a worker keeps as many rows as are wanted, the worst of them at `time`.
    func noteKept(worst time: Int64, _ preference: RowKeeper.Preference) {
        self.keptBound.withLock { bound in
            guard let known = bound else { return bound = time }
            bound = preference == .newest ? max(known, time) : min(known, time)
        }
    }

    /// Whether events of these times can still be among those that are kept.
    func mayKeep(_ timeRange: ClosedRange<Int64>, _ preference: RowKeeper.Preference) -> Bool {
        guard let bound = self.keptBound.withLock({ $0 }) else { return true }
        return preference == .newest ? timeRange.upperBound >= bound : timeRange.lowerBound <= bound
    }

    var isFinishing: Bool { self.finishing.load(ordering: .relaxed) }

    /// The answer to what the workers have consumed so far.
    ///
    /// While the whole answer is being made there is none, rather than that who asks waits for it.
    public func partialResult() throws(QueryFailure) -> QueryResult {
        if let final = self.final.withLock({ $0 }) { return final }
        let state = self.plan.program.makeState(self.context)
        if self.isFinishing { return try self.result(of: state) }
        for worker in self.workers.withLock({ $0 }) { try worker.merge(into: state) }
        return try self.result(of: state)
    }

    /// The answer, once all batches were consumed; the workers are of no more use then.
    public func finalResult() throws(QueryFailure) -> QueryResult {
        if let final = self.final.withLock({ $0 }) { return final }
        let workers = self.workers.withLock { $0 }
        guard let first = workers.first else { return try self.partialResult() }
        self.finishing.store(true, ordering: .relaxed)
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
        result.warnings += self.plan.warnings
        return result
    }

    /// Nanoseconds that the workers have spent so far.
    var stageTimes: StageTimes {
        self.workers.withLock { $0 }.reduce(into: self.matchTimes.withLock { $0 }) { $0.add($1.times) }
    }

    /// Notes the time of a worker that has no aggregate.
    func note(stages nanoseconds: UInt64) { self.matchTimes.withLock { $0.stages += nanoseconds } }
}

/// Nanoseconds of all workers, by what they did with the rows that they were given.
public struct StageTimes: Hashable, Sendable {
    /// Filters and functions, up to the first aggregate.
    public var stages: UInt64 = 0
    /// The first aggregate.
    public var aggregate: UInt64 = 0

    mutating func add(_ other: StageTimes) {
        self.stages += other.stages
        self.aggregate += other.aggregate
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
final class QueryWorker: ScanWorker {
    private struct State {
        let aggregate: any AggregateState
    }

    // Contended only by `partialResult`.
    private let state: Guarded<State>
    /// Apart from the state, so that nobody who asks for the progress waits for the answer.
    private let measured = Mutex(StageTimes())
    /// Holds its workers, and lives as long as the run that calls them.
    private unowned let execution: QueryExecution
    private let sequence: @Sendable (Int) -> Int

    init(_ execution: QueryExecution, sequence: @escaping @Sendable (Int) -> Int) {
        self.execution = execution
        self.sequence = sequence
        self.state = Guarded(State(aggregate: execution.plan.program.makeState(execution.context)))
    }

    var times: StageTimes { self.measured.withLock { $0 } }

    func decide(_ block: any BlockSource, block index: Int) -> BlockFate {
        let plan = self.execution.plan
        if plan.program.source != nil { return .read }
        let range = block.timeRange
        guard plan.overlaps(range) else { return .outOfTime }
        return self.state.withLock { state in
            if let kept = state.aggregate as? KeepRowsState, kept.keeper.orders.isEmpty {
                if !self.execution.mayKeep(range, kept.keeper.preference) { return .unneeded }
            }
            guard plan.program.stages.isEmpty, plan.contains(range) else { return .read }
            guard state.aggregate.canAnswer(from: block) else { return .read }
            state.aggregate.answer(from: block)
            return .answered
        }
    }

    /// Runs the plan's stages over the rows of a batch; a failure ends the run.
    ///
    /// A batch that turns out to be damaged is left out and reported.
    func consume(_ batch: Batch, block index: Int) throws(DamagedBlock) -> ScanStep {
        self.execution.guarded { () throws(QueryFailure) in
            try self.consume(batch, sequence: self.sequence(index))
        }
    }

    /// Of two batches the one with the higher `sequence` (0 ..< 2^24) arrived later.
    private func consume(_ batch: Batch, sequence: Int) throws(QueryFailure) {
        let clock = SystemTime()
        let start = clock.monotonicNanoseconds()
        let parts = try self.execution.plan.matching(batch, sequence: sequence, self.execution.context)
        let matched = clock.monotonicNanoseconds()
        try self.state.withLock { (state) throws(QueryFailure) in
            for rows in parts { try state.aggregate.update(rows, .one) }
            let updated = clock.monotonicNanoseconds()
            self.measured.withLock { $0.add(StageTimes(stages: matched - start, aggregate: updated - matched)) }
            if let keeper = (state.aggregate as? KeepRowsState)?.keeper, let worst = keeper.worstTime {
                self.execution.noteKept(worst: worst, keeper.preference)
            }
        }
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
    /// Whether events of these times may lie in the interval.
    func overlaps(_ range: ClosedRange<Int64>) -> Bool {
        range.upperBound >= self.startNanoseconds && range.lowerBound < self.endNanoseconds
    }

    /// Whether all events of these times lie in the interval.
    func contains(_ range: ClosedRange<Int64>) -> Bool {
        range.lowerBound >= self.startNanoseconds && range.upperBound < self.endNanoseconds
    }

    /// The rows of a batch that lie in the interval and pass the stages before the first aggregate.
    func matching(_ batch: Batch, sequence: Int, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        guard batch.rowCount > 0 else { return [] }
        var rows = EventRows(batch, sequence: sequence)
        // The rows of a file have the fields of the file, and no time.
        if case .tables? = self.program.source { rows.areEvents = false }
        if self.program.source == nil, self.start != nil || self.end != nil, let inside = self.rowsInside(batch) {
            rows.narrow(to: inside)
        }
        return try self.program.stages.run(rows, context)
    }

    /// The rows whose time lies in the interval; `nil` when all do.
    private func rowsInside(_ batch: Batch) -> Bitmap? {
        if let range = batch.timeRange, self.contains(range) { return nil }
        let (start, end) = (self.startNanoseconds, self.endNanoseconds)
        let times = batch.timestamps
        // Mostly all do, so that there is nothing to stop at.
        let areAllInside = times.withUnsafeBufferPointer { times in
            var outside: UInt8 = 0
            for index in times.indices {
                outside |= (times[index] < start ? 1 : 0) | (times[index] >= end ? 1 : 0)
            }
            return outside == 0
        }
        if areAllInside { return nil }
        return Bitmap(count: times.count) { times[$0] >= start && times[$0] < end }
    }
}
