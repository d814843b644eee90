internal import HTTPTypes
internal import LeatCore
internal import LeatQuery
internal import NIOCore
internal import Synchronization

/// `POST …/repositories/NAME/query`: an answer that is streamed, historic or live.
struct QueryEndpoint: Sendable {
    let executor: SearchExecutor
    let live: LiveQueries
    let access: Access
    let metrics: ServerMetrics
    let time: any TimeSource

    /// Before this nothing is sent, so that a quick failure still has a status of its own.
    static let headDelayMilliseconds: Int64 = 300

    func reply(to call: Call, repository: String, credential: Credential) async throws -> Reply {
        guard call.method == .post else {
            throw RequestFault.text(405, "method_not_allowed", "send the query with POST")
        }
        let body = try await call.wholeBody(limit: ServerLimits.controlBodyByteCountMax)
        let request = try QueryRequest(body, now: call.arrivedAt)
        call.notes.add("query", request.queryString)
        let wantsControl = call.header("x-leat-stream") == "1"
        let form = wantsControl ? .ndjson : RowsForm(call)
        let plan: QueryPlan
        do {
            plan = try self.executor.plan(request, repository: repository, credential: credential)
        } catch {
            return Self.reply(to: error, asJSON: wantsControl || form == .json)
        }
        try self.executor.check(repository: repository)
        var reply =
            request.isLive
            ? try await self.live(call, plan, request, (repository, credential), form, wantsControl: wantsControl)
            : try await self.historic(
                call,
                plan,
                (repository, credential.id),
                form,
                wantsControl ? request.explains ? .explained : .plain : .none
            )
        reply = reply.with("humio-query-id", "q-\(String(SystemRandom.uint64(), radix: 36))")
        if let name = call.header("x-desired-filename") {
            let safe = name.filter { $0 != "\"" && $0 != "\r" && $0 != "\n" && $0 != "\\" }
            reply = reply.with("Content-Disposition", "attachment; filename=\"\(safe)\"")
        }
        return reply
    }

    /// A refusal that shows where the query is wrong.
    static func reply(to errors: QueryErrors, asJSON: Bool) -> Reply {
        guard asJSON else { return Reply(400, text: errors.description + "\n") }
        return Reply(400, json: ["errors": .array(errors.diagnostics.map(Self.value))])
    }

    private static func value(_ diagnostic: Diagnostic) -> JSONValue {
        [
            "line": JSONValue(diagnostic.line), "column": JSONValue(diagnostic.column),
            "length": JSONValue(diagnostic.length), "message": .string(diagnostic.message),
            "hint": diagnostic.hint.map { .string($0) } ?? .null, "lineText": .string(diagnostic.lineText),
        ]
    }

    // MARK: historic

    private func historic(
        _ call: Call,
        _ plan: QueryPlan,
        _ asked: (repository: String, user: String),
        _ form: RowsForm,
        _ control: Control
    ) async throws -> Reply {
        let wantsControl = control != .none
        // A filter query's rows are sent as they are found; CSV needs all of them for its header, an array its end.
        let isStreamed = plan.isStreamable && (form == .ndjson || form == .text)
        let channel = isStreamed ? RowChannel(form: form) : nil
        let query = try await self.executor.start(plan, repository: asked.repository, user: asked.user, into: channel)
        // The executor ends a long query; this is for one that does not listen.
        let deadline = self.time.monotonicNanoseconds() + UInt64(self.executor.seconds + 5) * 1_000_000_000
        return try await withTaskCancellationHandler {
            try await self.waitForHead(of: query, call, until: deadline, wantsControl: wantsControl)
            return Reply(200, mediaType: form.mediaType) { writer in
                do {
                    try await self.write(query, call, form, until: deadline, control, to: &writer)
                } catch {
                    query.cancel()
                    throw error
                }
            }
        } onCancel: {
            query.cancel()
        }
    }

    /// Waits until it is known that the answer is no failure, or, for a client that understands a failure later, a while.
    private func waitForHead(
        of query: RunningQuery,
        _ call: Call,
        until deadline: UInt64,
        wantsControl: Bool
    ) async throws {
        var waited: Int64 = 0
        while query.result == nil, query.channel?.isEmpty ?? true {
            if wantsControl, waited >= Self.headDelayMilliseconds { return }
            // Short waits first: the first rows of a filter query come without a signal here.
            let wait = min(20, waited / 4 + 1)
            _ = await query.wait(milliseconds: query.channel == nil ? 200 : wait)
            waited += query.channel == nil ? 200 : wait
            try self.check(query, call, until: deadline)
        }
        if case .failure(let failure) = query.result { throw RequestFault(failure) }
        if query.wasStopped, !wantsControl { throw self.tooLong }
    }

    private var tooLong: RequestFault {
        .text(
            400,
            "query_too_long",
            "the query ran longer than \(self.executor.seconds) s; narrow the interval or the filter"
        )
    }

    /// Sends rows as they come, progress meanwhile, and the last line.
    private func write(
        _ query: RunningQuery,
        _ call: Call,
        _ form: RowsForm,
        until deadline: UInt64,
        _ control: Control,
        to writer: inout ReplyWriter
    ) async throws {
        let wantsControl = control != .none
        do {
            if let channel = query.channel {
                let nudges = channel.nudging(everyMilliseconds: Self.headDelayMilliseconds)
                defer { nudges.cancel() }
                channel.nudge()
                for await _ in channel.signals {
                    let hasEnded = query.result != nil
                    let pieces = channel.take()
                    for piece in pieces { try await writer.write(piece) }
                    if hasEnded { break }
                    try self.check(query, call, until: deadline)
                    if wantsControl, pieces.isEmpty {
                        try await writer.write(Self.control(["progress": Self.progress(query)]))
                    }
                }
            } else {
                var previews =
                    call.header("x-leat-preview") == "1" ? AnswerPreviews(query: query, time: self.time) : nil
                while await query.wait(milliseconds: Self.headDelayMilliseconds) == nil {
                    try self.check(query, call, until: deadline)
                    guard wantsControl else { continue }
                    try await writer.write(Self.control(["progress": Self.progress(query)]))
                    if let piece = try await previews?.next() { try await writer.write(piece) }
                }
            }
            let result = try Self.value(of: query)
            // Who understands no control lines would take a part for the whole.
            if query.wasStopped, !wantsControl { throw self.tooLong }
            if query.channel == nil { try await Self.write(result, form, to: &writer) }
            if wantsControl {
                let line = Self.lastLine(result, query, explains: control == .explained)
                try await writer.write(Self.control(line))
            }
        } catch let fault as RequestFault {
            query.cancel()
            // Without control lines the only way to say that rows are missing is to break off.
            guard wantsControl else { throw fault }
            let line: JSONValue = ["done": true, "warnings": [], "partial": true, "error": .string(fault.reason)]
            try await writer.write(Self.control(line))
        }
        try await writer.finish()
    }

    private func check(_ query: RunningQuery, _ call: Call, until deadline: UInt64) throws {
        if call.presence.isGone {
            query.cancel()
            throw CancellationError()
        }
        if self.time.monotonicNanoseconds() > deadline {
            query.cancel()
            throw self.tooLong
        }
    }

    private static func value(of query: RunningQuery) throws -> QueryResult {
        switch query.result {
        case .success(let result): return result
        case .failure(let failure): throw RequestFault(failure)
        case nil: throw CancellationError()
        }
    }

    static func write(_ result: QueryResult, _ form: RowsForm, to writer: inout ReplyWriter) async throws {
        var text = RowsText(result.rows, columns: result.columns, form: form)
        while let piece = try text.piece() { try await writer.write(piece) }
    }

    static func control(_ value: JSONValue) -> [UInt8] { JSONValue.object([.init("@leat", value)]).bytes + [0x0A] }

    private static func progress(_ query: RunningQuery) -> JSONValue {
        let progress = query.run.progress
        return [
            "events": JSONValue(progress.eventCount), "bytes": JSONValue(progress.byteCount),
            "total": JSONValue(progress.byteCountTotal),
        ]
    }

    private static func lastLine(_ result: QueryResult, _ query: RunningQuery, explains: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("done", true), .init("warnings", .array(result.warnings.map { .string($0) })),
            .init("partial", .bool(result.isPartial)),
            .init("columns", result.columns.map { .array($0.map { .string($0) }) } ?? .null),
            .init("aggregate", .bool(result.isAggregate)), .init("cost", query.cost.value),
        ]
        if explains { members.append(.init("explain", query.cost.explanation(of: query.run.plan))) }
        return .object(members)
    }

    /// The lines with `@leat` among the rows.
    private enum Control {
        case none, plain, explained
    }

    // MARK: live

    private func live(
        _ call: Call,
        _ plan: QueryPlan,
        _ request: QueryRequest,
        _ asked: (repository: String, credential: Credential),
        _ form: RowsForm,
        wantsControl: Bool
    ) async throws -> Reply {
        guard !plan.needsRepetition else {
            throw RequestFault.text(
                400,
                "live_join",
                "a live query with join() or defineTable() asks everything anew; use a query job (…/queryjobs)"
            )
        }
        guard !plan.isAggregate else {
            throw RequestFault.text(
                400,
                "live_aggregate",
                "a live query with an aggregate has no rows to stream; use a query job (…/queryjobs)"
            )
        }
        guard form != .csv else {
            throw RequestFault.text(
                400,
                "live_csv",
                "the columns of a live query are not known before its end; ask for application/x-ndjson or text/plain"
            )
        }
        let isWithHistory = request.asked.start.map { !$0.isNull } ?? false
        let stream = LiveStream(
            query: LiveQuery(LiveExecution(plan), form: form),
            presence: call.presence,
            metrics: self.metrics,
            form: form,
            wantsControl: wantsControl,
            isAllowed: { [access = self.access] in access.isCurrent(asked.credential) }
        )
        let repository = asked.repository
        guard let number = self.live.open(stream.query, repository: repository) else {
            throw RequestFault.text(503, "stopping", "the server is stopping; try again soon")
        }
        let history: RunningQuery?
        do {
            history =
                isWithHistory
                ? try await self.executor.start(plan, repository: repository, user: asked.credential.id) : nil
        } catch {
            self.live.close(number, repository: repository)
            throw error
        }
        let live = self.live
        return Reply(200, mediaType: form.mediaType) { writer in
            defer {
                history?.cancel()
                live.close(number, repository: repository)
            }
            try await stream.write(history: history, to: &writer)
        }
    }
}

extension RequestFault {
    /// How a failed query is told to its client.
    init(_ failure: QueryFailure) {
        switch failure {
        case .cancelled: self = .text(499, "query_cancelled", "\(failure)")
        case .damaged: self = .text(500, "damaged", "\(failure)")
        default: self = .text(400, "query_failed", "\(failure)")
        }
    }
}
