internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Query jobs: created, polled for what is known so far, deleted; `humio-api.md` 3.2.
final class QueryJobs: Sendable {
    private let executor: SearchExecutor
    private let live: LiveQueries
    private let time: any TimeSource
    private let jobs = Mutex<[String: QueryJob]>([:])
    private let reaper = Mutex<RepeatedTask?>(nil)

    init(executor: SearchExecutor, live: LiveQueries, time: any TimeSource) {
        self.executor = executor
        self.live = live
        self.time = time
        let pause = TimeAmount.seconds(Int64(ServerLimits.jobReapSeconds))
        let task = MultiThreadedEventLoopGroup.singleton.any()
            .scheduleRepeatedTask(initialDelay: pause, delay: pause) { [weak self] _ in self?.expire() }
        self.reaper.withLock { $0 = task }
    }

    deinit { self.reaper.withLock { $0?.cancel() } }

    /// Jobs that exist.
    var count: Int { self.jobs.withLock { $0.count } }

    /// `POST …/queryjobs`.
    func create(_ call: Call, repository: String, credential: Credential) async throws -> Reply {
        guard call.method == .post else { throw RequestFault.text(405, "method_not_allowed", "use POST") }
        let body = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let request = try QueryRequest(body, now: call.arrivedAt)
        call.notes.add("query", request.queryString)
        let asker = JobAsker(repository: repository, credential: credential, body: body)
        let plan: QueryPlan
        do {
            plan = try self.plan(request, asker)
        } catch {
            return QueryEndpoint.reply(to: error, asJSON: call.accepts(["application/json"]) != nil)
        }
        try self.executor.check(repository: repository)
        guard self.count < ServerLimits.jobCountMax else {
            throw RequestFault.text(429, "too_many_jobs", "too many query jobs; delete those that are done")
        }
        let id = "P1-" + String(SystemRandom.uint64(), radix: 36) + String(SystemRandom.uint64(), radix: 36)
        let job = QueryJob(request: request, asker: asker, plan: plan, createdAt: call.arrivedAt)
        job.touch(self.time.monotonicNanoseconds())
        do {
            for (role, plan) in try Self.parts(of: request, plan) {
                job.add(try await self.start(plan, request, asker, isMain: role == .main), as: role)
            }
        } catch {
            self.end(job)
            throw error
        }
        self.jobs.withLock { $0[id] = job }
        return Reply(200, json: ["id": .string(id), "queryOnView": .string(plan.filterTextOrWhole)])
    }

    private func plan(_ request: QueryRequest, _ asker: JobAsker) throws(QueryErrors) -> QueryPlan {
        try self.executor.plan(
            request,
            repository: asker.repository,
            credential: asker.credential,
            eventLimit: ServerLimits.jobEventCountMax
        )
    }

    /// The queries that make up a job.
    private static func parts(of request: QueryRequest, _ plan: QueryPlan) throws -> [(QueryJob.Role, QueryPlan)] {
        if let context = request.context {
            // Events of one moment are told apart by their ids only, so that some more are asked for.
            let extra = 200
            let next = Timestamp(milliseconds: context.moment.milliseconds + 1)
            let before = try plan.events(.newest, limit: context.countBefore + extra, start: nil, before: next)
            let after = try plan.events(.oldest, limit: context.countAfter + extra, start: context.moment, before: nil)
            return [(.main, before), (.after, after)]
        }
        guard request.wantsDistribution else { return [(.main, plan)] }
        return [(.main, plan), (.distribution, try plan.distribution())]
    }

    private func start(
        _ plan: QueryPlan,
        _ request: QueryRequest,
        _ asker: JobAsker,
        isMain: Bool
    ) async throws -> JobPart {
        var liveJob: LiveJob?
        var liveNumber: Int?
        if request.isLive, !plan.needsRepetition {
            let window = request.start.map { plan.options.now.nanoseconds - $0.nanoseconds }
            let job = LiveJob(LiveExecution(plan, window: window))
            if plan.isAggregate { job.query.hold() }
            liveNumber = self.live.open(job.query, repository: asker.repository)
            guard liveNumber != nil else { throw RequestFault.text(503, "stopping", "the server is stopping") }
            liveJob = job
        }
        do {
            let query = try await self.executor.start(
                plan,
                repository: asker.repository,
                user: asker.credential.id,
                filling: plan.isAggregate ? liveJob?.query : nil
            )
            return JobPart(plan: plan, query: query, live: liveJob, liveNumber: liveNumber)
        } catch {
            if let liveNumber { self.live.close(liveNumber, repository: asker.repository) }
            throw error
        }
    }

    /// `GET` and `DELETE …/queryjobs/ID`.
    func reply(to call: Call, repository: String, id: String) async throws -> Reply {
        let job = self.jobs.withLock { $0[id] }
        guard let job, job.asker.repository == repository else {
            throw RequestFault.text(404, "unknown_job", "no query job '\(id)'; it has ended, or was not polled in time")
        }
        switch call.method {
        case .get, .head:
            job.touch(self.time.monotonicNanoseconds())
            try await self.repeatIfDue(job)
            let page = try JobPage(call)
            let now = self.time.now()
            return try await Blocking.run { try Reply(200, json: job.poll(now: now, page: page)) }
        case .delete:
            self.jobs.withLock { _ = $0.removeValue(forKey: id) }
            self.end(job)
            return Reply(204)
        default:
            throw RequestFault.text(405, "method_not_allowed", "use GET or DELETE")
        }
    }

    /// Asks everything anew when the answer of a live job is old and arriving events cannot be added to it.
    private func repeatIfDue(_ job: QueryJob) async throws {
        guard job.request.isLive, job.plan.needsRepetition, let part = job.part(.main),
            part.claimRepetition(now: self.time.monotonicNanoseconds())
        else { return }
        do {
            let request = try QueryRequest(job.asker.body, now: self.time.now())
            let plan = try self.plan(request, job.asker)
            let query = try await self.executor.start(
                plan,
                repository: job.asker.repository,
                user: job.asker.credential.id
            )
            part.replace(by: query)
        } catch {
            // The old answer stands; the next poll tries again.
            part.replace(by: nil)
        }
    }

    private func end(_ job: QueryJob) {
        for part in job.parts {
            part.cancel()
            if let number = part.liveNumber { self.live.close(number, repository: job.asker.repository) }
        }
    }

    /// Ends the jobs that nobody polls.
    private func expire() {
        let now = self.time.monotonicNanoseconds()
        let late = self.jobs.withLock { jobs in
            let late = jobs.filter { now > $0.value.touchedAt + $0.value.idleNanoseconds }
            for id in late.keys { jobs.removeValue(forKey: id) }
            return late.values
        }
        for job in late { self.end(job) }
    }
}

/// Who asked for a job, and with which words.
struct JobAsker: Sendable {
    let repository: String
    let credential: Credential
    let body: [UInt8]
}

/// The part of a job's rows that one poll wants.
struct JobPage: Hashable, Sendable {
    var offset = 0
    /// `nil`: as many as a poll shows without asking.
    var limit: Int?

    init() {}

    /// Reads `paginationOffset` and `paginationLimit`.
    init(_ call: Call) throws(RequestFault) {
        func number(_ name: String) throws(RequestFault) -> Int? {
            guard let text = call.target[name] else { return nil }
            guard let number = Int(text), number >= 0 else {
                throw .text(400, "bad_request", "'\(name)' must be a number from 0 on, not '\(text)'")
            }
            return number
        }
        self.offset = try number("paginationOffset") ?? 0
        self.limit = try number("paginationLimit")
    }

    /// The rows of `rows` that belong to the page.
    func rows<Rows: RandomAccessCollection>(of rows: Rows, standard: Int) -> Rows.SubSequence {
        rows.dropFirst(self.offset).prefix(self.limit ?? standard)
    }
}

extension QueryPlan {
    /// What Humio calls `queryOnView`: the query as it is, `*` when it is empty.
    fileprivate var filterTextOrWhole: String {
        self.tree.pipeline.steps.isEmpty ? "*" : self.tree.text.string
    }
}
