internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// One query of a job: its run over what is stored, and what arrives meanwhile.
final class JobPart: Sendable {
    private struct State {
        var query: RunningQuery
        /// The run whose answer is shown while a newer one has not ended.
        var earlier: RunningQuery?
        var isRepeating = false
    }

    let plan: QueryPlan
    let live: LiveJob?
    let liveNumber: Int?
    private let state: Mutex<State>

    init(plan: QueryPlan, query: RunningQuery, live: LiveJob?, liveNumber: Int?) {
        self.plan = plan
        self.live = live
        self.liveNumber = liveNumber
        self.state = Mutex(State(query: query))
    }

    /// The run that is shown.
    var query: RunningQuery {
        self.state.withLock { state in
            if state.query.result == nil, let earlier = state.earlier { return earlier }
            return state.query
        }
    }

    /// Whether the time has come for another run, which the caller then makes.
    func claimRepetition(now: UInt64) -> Bool {
        self.state.withLock { state in
            guard !state.isRepeating, state.query.result != nil, let ended = state.query.endedAtNanoseconds else {
                return false
            }
            // A query that takes long is not asked all the time.
            let pause = max(UInt64(ServerLimits.repetitionSeconds) * 1_000_000_000, state.query.cost.nanoseconds * 2)
            guard now > ended + pause else { return false }
            state.isRepeating = true
            return true
        }
    }

    /// Takes the new run; `nil`: there is none.
    func replace(by query: RunningQuery?) {
        self.state.withLock { state in
            state.isRepeating = false
            guard let query else { return }
            state.earlier = state.query
            state.query = query
        }
    }

    func cancel() { self.state.withLock { $0.query }.cancel() }

    /// Whether all that is stored was looked at.
    var isDone: Bool { self.query.result != nil }

    /// The answer so far to what is stored.
    func stored() throws(RequestFault) -> QueryResult {
        do throws(QueryFailure) {
            let query = self.query
            if let ended = query.result { return try ended.get() }
            return try query.partialResult()
        } catch {
            throw RequestFault(error)
        }
    }

    /// The answer so far: of an aggregate that is live, the one for the window that ends now.
    func result(now: Timestamp) throws(RequestFault) -> QueryResult {
        let stored = try self.stored()
        guard self.plan.isAggregate, let live = self.live else { return stored }
        do throws(QueryFailure) {
            var result = try live.execution.currentResult(now: now)
            result.warnings += live.query.warnings
            return result
        } catch {
            throw RequestFault(error)
        }
    }
}

/// The live part of a job: rows that arrived after it began.
final class LiveJob: Sendable {
    let execution: LiveExecution
    let query: LiveQuery
    /// Rows that passed, newest first, at most `ServerLimits.jobEventCountMax`.
    private let newest = Mutex<[LiveQuery.Row]>([])

    init(_ execution: LiveExecution) {
        self.execution = execution
        self.query = LiveQuery(execution)
    }

    /// The rows that arrived, newest first.
    func rows() throws(RequestFault) -> [LiveQuery.Row] {
        let waiting = self.query.take()
        if let failure = waiting.failure { throw RequestFault(failure) }
        return self.newest.withLock { newest in
            newest = Array((waiting.rows.reversed() + newest).prefix(ServerLimits.jobEventCountMax))
            return newest
        }
    }
}
