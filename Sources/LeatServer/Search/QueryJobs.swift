internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// Query jobs: created, polled for what is known so far, deleted; `humio-api.md` 3.2.
final class QueryJobs: Sendable {
    private let executor: SearchExecutor
    private let live: LiveQueries
    private let time: any TimeSource
    private let jobs = Mutex<[String: QueryJob]>([:])

    init(executor: SearchExecutor, live: LiveQueries, time: any TimeSource) {
        self.executor = executor
        self.live = live
        self.time = time
    }

    /// Jobs that exist.
    var count: Int { self.jobs.withLock { $0.count } }

    /// `POST …/queryjobs`.
    func create(_ call: Call, repository: String) async throws -> Reply {
        guard call.method == .post else { throw RequestFault.text(405, "method_not_allowed", "use POST") }
        self.expire()
        let body = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let request = try QueryRequest(body, now: call.arrivedAt)
        let plan: QueryPlan
        do {
            plan = try self.executor.plan(request, repository: repository)
        } catch {
            return QueryEndpoint.reply(to: error, asJSON: call.accepts(["application/json"]) != nil)
        }
        try self.executor.check(repository: repository)
        guard self.jobs.withLock({ $0.count }) < ServerLimits.jobCountMax else {
            throw RequestFault.text(429, "too_many_jobs", "too many query jobs; delete those that are done")
        }
        let id = "P1-" + String(SystemRandom.uint64(), radix: 36) + String(SystemRandom.uint64(), radix: 36)
        let live = request.isLive ? LiveExecution(plan, window: Self.window(request, now: call.arrivedAt)) : nil
        var liveNumber: Int?
        let liveJob = live.map { LiveJob($0) }
        if let liveJob {
            if plan.isAggregate { liveJob.query.hold() }
            liveNumber = self.live.open(liveJob.query, repository: repository)
            guard liveNumber != nil else { throw RequestFault.text(503, "stopping", "the server is stopping") }
        }
        do {
            let query = try await self.executor.start(
                plan,
                repository: repository,
                filling: plan.isAggregate ? liveJob?.query : nil
            )
            let job = QueryJob(
                request: request,
                repository: repository,
                plan: plan,
                query: query,
                live: liveJob,
                liveNumber: liveNumber,
                createdAt: call.arrivedAt
            )
            self.jobs.withLock { $0[id] = job }
        } catch {
            if let liveNumber { self.live.close(liveNumber, repository: repository) }
            throw error
        }
        return Reply(200, json: ["id": .string(id), "queryOnView": .string(request.queryString)])
    }

    /// `GET` and `DELETE …/queryjobs/ID`.
    func reply(to call: Call, repository: String, id: String) async throws -> Reply {
        self.expire()
        let job = self.jobs.withLock { $0[id] }
        guard let job, job.repository == repository else {
            throw RequestFault.text(404, "unknown_job", "no query job '\(id)'; it has ended, or was not polled in time")
        }
        switch call.method {
        case .get, .head:
            job.touch(self.time.monotonicNanoseconds())
            let now = self.time.now()
            return try await Blocking.run { try Reply(200, json: job.poll(now: now)) }
        case .delete:
            self.remove(id, job)
            return Reply(204)
        default:
            throw RequestFault.text(405, "method_not_allowed", "use GET or DELETE")
        }
    }

    private func remove(_ id: String, _ job: QueryJob) {
        self.jobs.withLock { _ = $0.removeValue(forKey: id) }
        job.query.cancel()
        if let number = job.liveNumber { self.live.close(number, repository: job.repository) }
    }

    /// Ends the jobs that nobody polls.
    private func expire() {
        let now = self.time.monotonicNanoseconds()
        let idle = UInt64(ServerLimits.jobIdleSeconds) * 1_000_000_000
        let late = self.jobs.withLock { jobs in
            jobs.filter { now > $0.value.touchedAt + idle && $0.value.touchedAt > 0 }
        }
        for (id, job) in late { self.remove(id, job) }
    }

    /// How far back a live query reaches, in nanoseconds.
    private static func window(_ request: QueryRequest, now: Timestamp) -> Int64? {
        request.start.map { now.nanoseconds - $0.nanoseconds }
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

/// One query job.
final class QueryJob: Sendable {
    let request: QueryRequest
    let repository: String
    let plan: QueryPlan
    let query: RunningQuery
    let live: LiveJob?
    let liveNumber: Int?
    private let createdAt: Timestamp
    private let touched = Mutex<UInt64>(0)

    init(
        request: QueryRequest,
        repository: String,
        plan: QueryPlan,
        query: RunningQuery,
        live: LiveJob?,
        liveNumber: Int?,
        createdAt: Timestamp
    ) {
        self.request = request
        self.repository = repository
        self.plan = plan
        self.query = query
        self.live = live
        self.liveNumber = liveNumber
        self.createdAt = createdAt
    }

    /// When the job was last polled, on the clock that never goes back; 0: never.
    var touchedAt: UInt64 { self.touched.withLock { $0 } }

    func touch(_ now: UInt64) { self.touched.withLock { $0 = now } }

    /// What is known so far.
    func poll(now: Timestamp) throws -> JSONValue {
        let isDone = self.query.result != nil
        let result: QueryResult
        do throws(QueryFailure) {
            if let ended = self.query.result {
                result = try ended.get()
            } else {
                result = try self.query.partialResult()
            }
        } catch {
            throw RequestFault(error)
        }
        var events = try Self.values(
            result.rows,
            columns: result.columns,
            limit: self.plan.isAggregate ? .max : ServerLimits.jobEventCountMax
        )
        var columns = result.columns
        if let live = self.live {
            (events, columns) = try self.withLive(events, columns, live, now: now)
        }
        return [
            "done": .bool(isDone), "cancelled": false, "events": .array(events),
            "warnings": .array(result.warnings.map { ["message": .string($0)] }),
            "metaData": self.metaData(result, columns, isDone: isDone, count: events.count),
        ]
    }

    /// The answer of the history and of what came since.
    private func withLive(
        _ events: [JSONValue],
        _ columns: [String]?,
        _ live: LiveJob,
        now: Timestamp
    ) throws -> ([JSONValue], [String]?) {
        let rows = try live.rows()
        guard !self.plan.isAggregate else {
            let result: QueryResult
            do throws(QueryFailure) {
                result = try live.execution.currentResult(now: now)
            } catch {
                throw RequestFault(error)
            }
            return (try Self.values(result.rows, columns: result.columns, limit: .max), result.columns ?? columns)
        }
        var all: [JSONValue] = []
        for row in rows { all.append(try JSONValue(row.json)) }
        let ids = Set(all.compactMap { $0["@id"]?.string })
        all += events.filter { event in event["@id"]?.string.map { !ids.contains($0) } ?? true }
        return (Array(all.prefix(ServerLimits.jobEventCountMax)), columns)
    }

    private static func values(_ rows: QueryRows, columns: [String]?, limit: Int) throws -> [JSONValue] {
        let rows = QueryRows(batches: rows.batches, order: Array(rows.order.prefix(limit)))
        var text = RowsText(rows, columns: columns, form: .ndjson)
        var values: [JSONValue] = []
        while let piece = try text.piece() {
            for line in piece.split(separator: 0x0A) { values.append(try JSONValue(Array(line))) }
        }
        return values
    }

    private func metaData(_ result: QueryResult, _ columns: [String]?, isDone: Bool, count: Int) -> JSONValue {
        let progress = self.query.run.progress
        let start = self.request.start?.milliseconds ?? 0
        let end = (self.request.end ?? self.createdAt).milliseconds
        var extraData = result.extraData.map { JSONValue.Member($0.key, .string($0.value)) }
        if !self.plan.isAggregate { extraData.append(.init("hasMoreEvents", "false")) }
        var members: [JSONValue.Member] = [
            .init("eventCount", JSONValue(self.plan.isAggregate ? count : result.rowCount)),
            .init("extraData", .object(extraData)),
            .init(
                "filterQuery",
                [
                    "queryString": .string(self.request.queryString), "isInteractive": false,
                    "includeDeletedEvents": false, "start": .number("\(start)"), "end": .number("\(end)"),
                    "showQueryEventDistribution": .bool(self.request.wantsDistribution),
                    "isLive": .bool(self.request.isLive), "noResultUntilDone": false,
                ]
            ),
            .init("isAggregate", .bool(self.plan.isAggregate)),
            .init("pollAfter", JSONValue(isDone ? 1_000 : 100)),
            .init("processedBytes", JSONValue(progress.byteCount)),
            .init("processedEvents", JSONValue(progress.eventCount)),
            .init("queryStart", .number("\(start)")), .init("queryEnd", .number("\(end)")),
            .init("resultBufferSize", 0),
            .init("timeMillis", JSONValue(Int(self.query.cost.nanoseconds / 1_000_000))),
            .init("totalWork", JSONValue(max(1, progress.byteCountTotal))),
            .init("workDone", JSONValue(isDone ? max(1, progress.byteCountTotal) : progress.byteCount)),
            .init("warnings", .array(result.warnings.map { .string($0) })),
        ]
        if let columns { members.insert(.init("fieldOrder", .array(columns.map { .string($0) })), at: 2) }
        return .object(members)
    }
}
