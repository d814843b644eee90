internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// One query job: what a poll answers.
final class QueryJob: Sendable {
    /// What one of its queries is for.
    enum Role: Hashable, Sendable {
        /// The rows.
        case main
        /// Counts of the events over time.
        case distribution
        /// The events after one whose context is shown; `main` has those before it.
        case after
    }

    let request: QueryRequest
    let asker: JobAsker
    let plan: QueryPlan
    private let createdAt: Timestamp
    private let touched = Mutex<UInt64>(0)
    private let partOfRole = Mutex<[Role: JobPart]>([:])

    init(request: QueryRequest, asker: JobAsker, plan: QueryPlan, createdAt: Timestamp) {
        self.request = request
        self.asker = asker
        self.plan = plan
        self.createdAt = createdAt
    }

    func add(_ part: JobPart, as role: Role) { self.partOfRole.withLock { $0[role] = part } }

    func part(_ role: Role) -> JobPart? { self.partOfRole.withLock { $0[role] } }

    var parts: [JobPart] { self.partOfRole.withLock { Array($0.values) } }

    /// When the job was last polled, or made, on the clock that never goes back.
    var touchedAt: UInt64 { self.touched.withLock { $0 } }

    func touch(_ now: UInt64) { self.touched.withLock { $0 = now } }

    /// How long the job stays when nobody polls it.
    var idleNanoseconds: UInt64 {
        UInt64(self.request.isLive ? ServerLimits.liveJobIdleSeconds : ServerLimits.jobIdleSeconds) * 1_000_000_000
    }

    /// What is known so far.
    func poll(now: Timestamp, page: JobPage) throws -> JSONValue {
        guard let main = self.part(.main) else { throw RequestFault.text(404, "unknown_job", "the job has ended") }
        let isDone = self.parts.allSatisfy(\.isDone)
        let result = try main.result(now: now)
        var events: [JSONValue] = []
        if isDone || !self.request.waitsUntilDone {
            events = try self.events(result, main, page)
        }
        var members: [JSONValue.Member] = [
            .init("done", .bool(isDone)), .init("cancelled", false), .init("events", .array(events)),
            .init("warnings", .array(result.warnings.map { ["message": .string($0)] })),
            .init("metaData", self.metaData(main, result, isDone: isDone, count: events.count, now)),
        ]
        if let distribution = self.part(.distribution) {
            members.append(.init("queryEventDistribution", try Self.distribution(distribution, now)))
        }
        if self.request.wantsFieldStatistics {
            members.append(.init("fieldStats", FieldStatistics.value(of: events)))
        }
        return .object(members)
    }

    // MARK: rows

    private func events(_ result: QueryResult, _ main: JobPart, _ page: JobPage) throws -> [JSONValue] {
        if self.request.context != nil { return try self.context(result) }
        if main.plan.isAggregate {
            let rows = page.rows(of: result.rows.order, standard: .max)
            return try Self.values(QueryRows(batches: result.rows.batches, order: Array(rows)), result.columns)
        }
        guard let live = main.live else {
            let rows = page.rows(of: result.rows.order, standard: ServerLimits.jobPageEventCount)
            return try Self.values(QueryRows(batches: result.rows.batches, order: Array(rows)), result.columns)
        }
        var all: [JSONValue] = []
        for row in try live.rows() { all.append(try JSONValue(row.text)) }
        all = Self.merged(all, try Self.values(result.rows, result.columns))
        return Array(page.rows(of: all, standard: ServerLimits.jobPageEventCount))
    }

    /// The events of both lists, those with an id that is in the first once.
    private static func merged(_ first: [JSONValue], _ second: [JSONValue]) -> [JSONValue] {
        let ids = Set(first.compactMap { $0["@id"]?.string })
        return first + second.filter { event in event["@id"]?.string.map { !ids.contains($0) } ?? true }
    }

    /// The events around the one that was asked for, newest first.
    private func context(_ before: QueryResult) throws -> [JSONValue] {
        guard let context = self.request.context, let part = self.part(.after) else { return [] }
        let after = try part.stored()
        // The oldest come first there.
        let newer = try Self.values(after.rows, after.columns).reversed()
        let all = Self.merged(Array(newer), try Self.values(before.rows, before.columns))
        let center =
            all.firstIndex { context.eventID != nil && $0["@id"]?.string == context.eventID }
            ?? all.firstIndex { ($0["@timestamp"]?.integer ?? 0) <= context.moment.milliseconds } ?? all.count
        let first = max(0, center - context.countAfter)
        return Array(all[first..<min(all.count, center + context.countBefore + 1)])
    }

    private static func values(_ rows: QueryRows, _ columns: [String]?) throws -> [JSONValue] {
        var text = RowsText(rows, columns: columns, form: .ndjson)
        var values: [JSONValue] = []
        while let piece = try text.piece() {
            for line in piece.split(separator: 0x0A) { values.append(try JSONValue(Array(line))) }
        }
        return values
    }

    // MARK: facts

    private static func distribution(_ part: JobPart, _ now: Timestamp) throws -> JSONValue {
        let result = try part.result(now: now)
        let names = ["bucket_first_bucket", "bucket_last_bucket", "bucket_span_humanized", "bucket_span_millis"]
        let facts = names.compactMap { name in
            result.extraData[name].map { JSONValue.Member(name, .string($0)) }
        }
        return ["events": .array(try Self.values(result.rows, result.columns)), "extraData": .object(facts)]
    }

    private func metaData(
        _ main: JobPart,
        _ result: QueryResult,
        isDone: Bool,
        count: Int,
        _ now: Timestamp
    ) -> JSONValue {
        let progress = main.query.run.progress
        let start = self.request.start?.milliseconds ?? 0
        let end = (self.request.isLive ? now : self.request.end ?? self.createdAt).milliseconds
        let isAggregate = self.plan.isAggregate && self.request.context == nil
        var extraData = result.extraData.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
        if !isAggregate { extraData.append(.init("hasMoreEvents", "false")) }
        var members: [JSONValue.Member] = [
            .init("eventCount", JSONValue(max(result.rowCount, count))), .init("extraData", .object(extraData)),
            .init("filterQuery", self.filterQuery(start, end)), .init("isAggregate", .bool(isAggregate)),
            .init("pollAfter", JSONValue(isDone ? 1_000 : 100)),
            .init("processedBytes", JSONValue(progress.byteCount)),
            .init("processedEvents", JSONValue(progress.eventCount)),
            .init("queryStart", .number("\(start)")), .init("queryEnd", .number("\(end)")),
            .init("resultBufferSize", JSONValue(count)),
            .init("timeMillis", JSONValue(Int(main.query.cost.nanoseconds / 1_000_000))),
            .init("totalWork", JSONValue(max(1, progress.byteCountTotal))),
            .init("workDone", JSONValue(isDone ? max(1, progress.byteCountTotal) : progress.byteCount)),
            .init("warnings", .array(result.warnings.map { .string($0) })),
        ]
        if let columns = result.columns {
            members.insert(.init("fieldOrder", .array(columns.map { .string($0) })), at: 2)
        }
        return .object(members)
    }

    private func filterQuery(_ start: Int64, _ end: Int64) -> JSONValue {
        [
            "queryString": .string(self.plan.filterText), "isInteractive": false, "includeDeletedEvents": false,
            "start": .number("\(start)"), "end": .number("\(end)"),
            "showQueryEventDistribution": .bool(self.request.wantsDistribution),
            "isLive": .bool(self.request.isLive), "noResultUntilDone": .bool(self.request.waitsUntilDone),
        ]
    }
}
