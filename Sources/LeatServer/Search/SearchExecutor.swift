internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Synchronization

/// Runs queries over what is stored: segments and open rows to batches to an answer.
final class SearchExecutor: Sendable {
    private let store: Store
    private let time: any TimeSource
    private let threadCount: Int
    private let queryCountMax: Int
    private let metrics: ServerMetrics
    private let runningCount = Mutex(0)

    /// Longest run, in seconds.
    let seconds: Int

    init(store: Store, configuration: ServerConfiguration, time: any TimeSource, metrics: ServerMetrics) {
        self.store = store
        self.time = time
        self.seconds = configuration.querySeconds
        self.queryCountMax = configuration.queryCountMax
        self.threadCount =
            configuration.queryThreadCount > 0 ? configuration.queryThreadCount : WorkerThread.processorCount
        self.metrics = metrics
    }

    /// A plan for a request.
    ///
    /// - Throws: Everything that is wrong with the query.
    func plan(_ request: QueryRequest, repository: String) throws(QueryErrors) -> QueryPlan {
        var options = QueryOptions(now: self.time.now(), start: request.start, end: request.end)
        options.arguments = request.arguments
        options.isLive = request.isLive
        if let zone = request.timeZone { options.timeZone = zone }
        options.blocks = StoredBlocks(store: self.store, repository: repository)
        return try QueryPlan(try QueryParser.parse(request.queryString), options: options)
    }

    /// Whether a repository exists.
    ///
    /// - Throws: 404 with the nearest name.
    func check(repository: String) throws {
        guard self.store.repository(named: repository) != nil else {
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
    ///   - live: A live aggregate that gets the events instead, and then those that arrived meanwhile.
    ///   - channel: Where the rows of a filter query go as they are found; then the answer has none.
    /// - Returns: The run.
    /// - Throws: 429 when too many queries run.
    func start(
        _ plan: QueryPlan,
        repository: String,
        filling live: LiveQuery? = nil,
        into channel: RowChannel? = nil
    ) async throws -> RunningQuery {
        let hasRoom = self.runningCount.withLock { count in
            guard count < self.queryCountMax else { return false }
            count += 1
            return true
        }
        guard hasRoom else {
            throw RequestFault.text(
                429,
                "too_many_queries",
                "\(self.queryCountMax) queries are running; try again when some have ended"
            )
        }
        do {
            return try await self.startCounted(plan, repository: repository, filling: live, into: channel)
        } catch {
            self.runningCount.withLock { $0 -= 1 }
            throw error
        }
    }

    private func startCounted(
        _ plan: QueryPlan,
        repository: String,
        filling live: LiveQuery?,
        into channel: RowChannel?
    ) async throws -> RunningQuery {
        let store = self.store
        let range = Self.range(plan)
        let snapshot = try await Blocking.run { try store.snapshot(repository: repository, timeRange: range) }
        let query = RunningQuery(
            QueryRun(plan, over: live == nil ? snapshot.blocks : []),
            channel: channel,
            damaged: snapshot.damaged,
            startedAt: self.time.monotonicNanoseconds(),
            time: self.time
        )
        let threadCount = self.threadCount
        _ = WorkerThread(name: "query") {
            if let live { Self.fill(live, plan, from: snapshot.blocks) }
            query.run(threads: threadCount)
            self.runningCount.withLock { $0 -= 1 }
            self.metrics.queried(
                nanoseconds: query.cost.nanoseconds,
                scannedByteCount: query.run.progress.byteCount
            )
        }
        return query
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

    init(_ run: QueryRun, channel: RowChannel?, damaged: [String], startedAt: UInt64, time: any TimeSource) {
        self.run = run
        self.channel = channel
        self.damaged = damaged
        self.startedAt = startedAt
        self.time = time
    }

    /// What the query has cost so far.
    var cost: QueryCost {
        let end = self.endedAt.withLock { $0 } ?? self.time.monotonicNanoseconds()
        return QueryCost(nanoseconds: end - self.startedAt, progress: self.run.progress)
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
        self.outcome.fulfil(result)
        self.channel?.nudge()
    }

    private func scan(threads: Int) throws(QueryFailure) -> QueryResult {
        guard let channel = self.channel else { return try self.run.run(threads: threads) }
        return try self.run.stream(threads: threads) { (rows) throws(QueryFailure) in
            do throws(DamagedBlock) {
                return try channel.put(rows)
            } catch {
                throw .damaged("\(error)")
            }
        }
    }

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
        guard !self.damaged.isEmpty else { return result }
        var result = result
        result.isPartial = true
        result.warnings += self.damaged.filter { !result.warnings.contains($0) }
        return result
    }
}

/// What a query took.
struct QueryCost: Sendable {
    let nanoseconds: UInt64
    let progress: QueryProgress

    /// The cost as the last line of an answer shows it.
    var value: JSONValue {
        [
            "milliseconds": JSONValue(Int(self.nanoseconds / 1_000_000)),
            "events": JSONValue(self.progress.eventCount), "bytes": JSONValue(self.progress.byteCount),
            "blocks": JSONValue(self.progress.blockCount), "skippedBlocks": JSONValue(self.progress.skippedBlockCount),
        ]
    }
}

/// Where sub-queries find their events.
struct StoredBlocks: BlockProvider {
    let store: Store
    let repository: String

    func blocks(repository: String?, start: Timestamp?, end: Timestamp?) throws -> [any BlockSource] {
        let lower = start?.nanoseconds ?? .min
        let upper = max(lower, end?.nanoseconds ?? .max)
        return try self.store.snapshot(repository: repository ?? self.repository, timeRange: lower...upper).blocks
    }
}
