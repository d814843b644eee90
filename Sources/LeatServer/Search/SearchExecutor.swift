internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Runs queries over what is stored: segments and open rows to batches to an answer.
final class SearchExecutor: Sendable {
    private let store: Store
    private let time: any TimeSource
    private let threadCount: Int
    private let queryCountMax: Int
    private let metrics: ServerMetrics
    private let files: LookupFiles
    private let queries: SavedQueries
    private let userQueryCountMax: Int
    private let nameServers: [String]
    private let threads = SpareThreads(name: "query", idleCountMax: ServerLimits.idleQueryThreadCount)
    /// Running queries by the name of the token that asks, which is empty for everybody in open mode.
    private let runningCounts = Mutex<[String: Int]>([:])

    /// Longest run, in seconds.
    let seconds: Int

    init(
        store: Store,
        files: LookupFiles,
        queries: SavedQueries,
        configuration: ServerConfiguration,
        time: any TimeSource,
        metrics: ServerMetrics
    ) {
        self.store = store
        self.files = files
        self.queries = queries
        self.time = time
        self.seconds = configuration.querySeconds
        self.queryCountMax = configuration.queryCountMax
        self.userQueryCountMax = configuration.userQueryCountMax
        self.nameServers = configuration.nameServers
        self.threadCount =
            configuration.queryThreadCount > 0 ? configuration.queryThreadCount : WorkerThread.processorCount
        self.metrics = metrics
    }

    /// A plan for a request.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - repository: Whose events, files and saved queries.
    ///   - credential: Who asks; sub-queries see no more than that.
    ///   - eventLimit: Events that the answer to a filter query keeps.
    /// - Returns: The plan.
    /// - Throws: Everything that is wrong with the query.
    func plan(
        _ request: QueryRequest,
        repository: String,
        credential: Credential,
        eventLimit: Int = .max
    ) throws(QueryErrors) -> QueryPlan {
        var options = QueryOptions(now: self.time.now(), start: request.start, end: request.end)
        options.arguments = request.arguments
        options.isLive = request.isLive
        options.eventLimit = eventLimit
        options.nameServers = self.nameServers
        if let zone = request.timeZone { options.timeZone = zone }
        options.blocks = StoredBlocks(store: self.store, repository: repository, scope: credential.scope)
        options.lookupFiles = self.files.provider(repository)
        options.savedQueries = self.queries.provider(repository)
        var tree = try QueryParser.parse(request.queryString)
        if request.usesIngestTime {
            // The interval is that of arrival; events may have any time of their own.
            tree.pipeline = request.ingestTimeFilter(before: tree.pipeline)
            (options.start, options.end) = (nil, nil)
        }
        return try QueryPlan(tree, options: options)
    }

    /// Whether a repository exists.
    func has(repository: String) -> Bool { self.store.repository(named: repository) != nil }

    /// Refuses a repository that does not exist.
    ///
    /// - Throws: 404 with the nearest name.
    func check(repository: String) throws {
        guard self.has(repository: repository) else {
            let names = self.store.repositories.map(\.name)
            throw StorageError.unknownRepository(
                name: repository,
                nearest: NearestName.find(repository, among: names)
            )
        }
    }

    /// Begins a run; its answer comes through `RunningQuery`.
    ///
    /// - Parameters:
    ///   - plan: What to run.
    ///   - repository: Whose events.
    ///   - user: Who asks; nobody may have all queries that may run.
    ///   - live: A live aggregate that gets the events instead, and then those that arrived meanwhile.
    ///   - channel: Where the rows of a filter query go as they are found; then the answer has none.
    /// - Returns: The run.
    /// - Throws: 429 when too many queries run.
    func start(
        _ plan: QueryPlan,
        repository: String,
        user: String,
        filling live: LiveQuery? = nil,
        into channel: RowChannel? = nil
    ) async throws -> RunningQuery {
        try self.count(user)
        do {
            return try await self.startCounted(plan, repository: repository, user: user, filling: live, into: channel)
        } catch {
            self.uncount(user)
            throw error
        }
    }

    /// The answer to a query that is short enough to be waited for.
    ///
    /// - Throws: 429 when too many queries run, 503 when it takes longer than a query may.
    func answer(to plan: QueryPlan, repository: String, user: String) async throws -> QueryResult {
        let query = try await self.start(plan, repository: repository, user: user)
        while await query.wait(milliseconds: 1_000) == nil { if Task.isCancelled { query.cancel() } }
        guard !query.wasStopped else {
            let reason = "the query ran longer than \(self.seconds) s"
            throw RequestFault.elastic(503, "search_phase_execution_exception", reason)
        }
        switch query.result {
        case .success(let result): return result
        case .failure(let failure): throw RequestFault(failure)
        case nil: throw CancellationError()
        }
    }

    /// Takes a place among the running queries.
    private func count(_ user: String) throws(RequestFault) {
        let refusal: String? = self.runningCounts.withLock { counts in
            if counts.values.reduce(0, +) >= self.queryCountMax {
                return "\(self.queryCountMax) queries are running; try again when some have ended"
            }
            // In open mode nobody knows who asks.
            if !user.isEmpty, counts[user, default: 0] >= self.userQueryCountMax {
                return "\(self.userQueryCountMax) queries of yours are running; try again when some have ended"
            }
            counts[user, default: 0] += 1
            return nil
        }
        if let refusal { throw .text(429, "too_many_queries", refusal) }
    }

    private func uncount(_ user: String) {
        self.runningCounts.withLock { counts in
            counts[user, default: 1] -= 1
            if counts[user] == 0 { counts[user] = nil }
        }
    }

    private func startCounted(
        _ plan: QueryPlan,
        repository: String,
        user: String,
        filling live: LiveQuery?,
        into channel: RowChannel?
    ) async throws -> RunningQuery {
        // One thread looks for the blocks and scans them: passing a query on takes longer than a small one.
        try await withCheckedThrowingContinuation { (begun: CheckedContinuation<RunningQuery, any Error>) in
            self.threads.start {
                let query: RunningQuery
                let blocks: [any BlockSource]
                do {
                    let snapshot = try self.store.snapshot(repository: repository, timeRange: Self.range(plan))
                    blocks = snapshot.blocks
                    query = RunningQuery(
                        QueryRun(plan, over: live == nil ? blocks : []),
                        channel: channel,
                        damaged: snapshot.damaged,
                        startedAt: self.time.monotonicNanoseconds(),
                        time: self.time
                    )
                } catch {
                    return begun.resume(throwing: error)
                }
                query.stop(after: self.seconds)
                begun.resume(returning: query)
                if let live { Self.fill(live, plan, from: blocks) }
                query.run(threads: self.threadCount)
                self.uncount(user)
                self.metrics.queried(
                    nanoseconds: query.cost.nanoseconds,
                    scannedByteCount: query.run.progress.byteCount
                )
            }
        }
    }

    /// Gives a live aggregate the stored events, and then those that arrived since.
    private static func fill(_ live: LiveQuery, _ plan: QueryPlan, from blocks: [any BlockSource]) {
        var largest: Int64 = -1
        for block in blocks {
            do {
                guard try block.mayMatch(plan.prefilter) else { continue }
                let batch = try block.read()
                largest = max(largest, try StoredIDs.largest(of: batch) ?? -1)
                live.run(batch)
            } catch {
                live.miss(error)
            }
        }
        live.release(after: largest)
    }

    /// The event times that a plan looks at.
    private static func range(_ plan: QueryPlan) -> ClosedRange<Int64>? {
        guard plan.start != nil || plan.end != nil else { return nil }
        let lower = plan.start?.nanoseconds ?? .min
        let upper = plan.end.map { $0.nanoseconds > .min ? $0.nanoseconds - 1 : .min } ?? .max
        return lower <= upper ? lower...upper : lower...lower
    }
}

/// A query that a thread works on.
final class RunningQuery: Sendable {
    let run: QueryRun
    /// Where the rows go; `nil`: they are in the answer.
    let channel: RowChannel?
    private let damaged: [String]
    private let startedAt: UInt64
    private let endedAt = Mutex<UInt64?>(nil)
    private let time: any TimeSource
    private let outcome = Outcome<Result<QueryResult, QueryFailure>>()
    private let alarm = Mutex<Scheduled<Void>?>(nil)
    private let lateSeconds = Mutex<Int?>(nil)

    init(_ run: QueryRun, channel: RowChannel?, damaged: [String], startedAt: UInt64, time: any TimeSource) {
        self.run = run
        self.channel = channel
        self.damaged = damaged
        self.startedAt = startedAt
        self.time = time
    }

    /// When the query ended, on the clock that never goes back.
    var endedAtNanoseconds: UInt64? { self.endedAt.withLock { $0 } }

    /// What the query has cost so far.
    var cost: QueryCost {
        let end = self.endedAt.withLock { $0 } ?? self.time.monotonicNanoseconds()
        return QueryCost(nanoseconds: end - self.startedAt, progress: self.run.progress)
    }

    /// Lets the scan end after so many seconds; the answer is then to what was scanned, and says so.
    func stop(after seconds: Int) {
        let alarm = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .seconds(Int64(seconds))) {
            [weak self] in
            guard let self, self.result == nil else { return }
            self.lateSeconds.withLock { $0 = seconds }
            self.run.stop()
        }
        self.alarm.withLock { $0 = alarm }
    }

    /// Scans; blocks this thread.
    func run(threads: Int) {
        let result: Result<QueryResult, QueryFailure>
        do throws(QueryFailure) {
            result = .success(self.complete(try self.scan(threads: threads)))
        } catch {
            result = .failure(error)
        }
        self.endedAt.withLock { $0 = self.time.monotonicNanoseconds() }
        self.alarm.withLock { $0?.cancel() }
        self.outcome.fulfil(result)
        self.channel?.nudge()
    }

    private func scan(threads: Int) throws(QueryFailure) -> QueryResult {
        guard let channel = self.channel else { return try self.run.run(threads: threads) }
        return try self.run.stream(
            threads: threads,
            render: { channel.render($0) },
            to: { channel.put($0) }
        )
    }

    /// Whether the query was ended because it ran too long.
    var wasStopped: Bool { self.lateSeconds.withLock { $0 != nil } }

    /// The answer, if the query has ended.
    var result: Result<QueryResult, QueryFailure>? { self.outcome.value }

    /// The answer to what was scanned so far.
    func partialResult() throws(QueryFailure) -> QueryResult { self.complete(try self.run.partialResult()) }

    /// Waits for the answer, at most `milliseconds`; `nil` when it has not come.
    func wait(milliseconds: Int64) async -> Result<QueryResult, QueryFailure>? {
        await self.outcome.wait(milliseconds: milliseconds)
    }

    /// Ends the scan, mostly within one block.
    func cancel() {
        self.channel?.close()
        self.run.cancel()
    }

    /// Adds what storage could not read.
    private func complete(_ result: QueryResult) -> QueryResult {
        var missing = self.damaged.filter { !result.warnings.contains($0) }
        if let seconds = self.lateSeconds.withLock({ $0 }) {
            missing.append("the query was stopped after \(seconds) s; narrow the interval or the filter")
        }
        guard !missing.isEmpty else { return result }
        var result = result
        result.isPartial = true
        result.warnings += missing
        return result
    }
}

/// Where sub-queries find their events.
struct StoredBlocks: BlockProvider {
    let store: Store
    let repository: String
    /// The only repository whose events whoever asks may see; `nil`: all.
    var scope: String?

    func blocks(repository: String?, start: Timestamp?, end: Timestamp?) throws -> [any BlockSource] {
        let repository = repository ?? self.repository
        if let scope = self.scope, scope != repository {
            throw RequestFault.text(403, "security_exception", "the token is for the repository '\(scope)'")
        }
        let lower = start?.nanoseconds ?? .min
        let upper = max(lower, end?.nanoseconds ?? .max)
        return try self.store.snapshot(repository: repository, timeRange: lower...upper).blocks
    }
}
