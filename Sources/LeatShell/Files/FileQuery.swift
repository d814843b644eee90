internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// A query over local files: the same engine, and the same answer as a server's on the same lines.
struct FileQuery {
    let text: String
    /// Files in the order of their arrival; `-` is standard input.
    let paths: [String]
    let start: String?
    let end: String?
    let arguments: [String: String]
    /// How many rows of a filter query are looked at; `nil`: all.
    var rowCountMax: Int?
    /// Whether what is known so far is wanted while the query runs.
    var wantsPreviews = false

    /// Freed bytes that stay for the rows of the next block.
    private static let keptFreedByteCountMax: Int32 = 128 << 20
    /// Rows up to which those beyond are dropped while they are found, and not kept in a temporary file.
    private static let rowCountInMemoryMax = 10_000

    init(text: String, paths: [String], start: String?, end: String?, arguments: [String: String]) {
        self.text = text
        self.paths = paths
        self.start = start
        self.end = end
        self.arguments = arguments
    }

    /// Threads that read and filter.
    private static var threadCount: Int { min(64, WorkerThread.processorCount) }

    /// Thrown by `onRow` handlers' wrapper when no more rows are wanted.
    private struct EnoughRows: Error {}

    /// Runs the query; calls `onRow` with each row as a line of JSON until it returns `false`, then `onEnd`.
    ///
    /// `onEvent` gets the progress from time to time, and previews of an aggregate's answer if they are wanted.
    func run(
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onEvent: (QueryStreamEvent) throws -> Void,
        onEnd: (AnswerSummary) -> Void
    ) throws {
        ProcessMemory.keepFreed(byteCountMax: Self.keptFreedByteCountMax)
        let startedAt = SystemTime().monotonicNanoseconds()
        let now = SystemTime().now()
        var options = QueryOptions(now: now)
        options.arguments = self.arguments
        options.start = try self.moment(self.start, now: now, flag: "--start")
        options.end = try self.moment(self.end, now: now, flag: "--end")
        // The query is checked before any file is opened.
        let plan = try Self.plan(self.text, options)
        let notes = FileNotes()
        var blocks = try self.blocks(arrival: now.nanoseconds, notes) { try onEvent(.progress($0)) }
        if Self.dependsOnTimes(self.text), options.start == nil || options.end == nil {
            blocks = BlockTimes.measure(blocks, threads: Self.threadCount)
        }
        let run = QueryRun(plan, over: blocks.reversed())
        blocks = []
        let result = try self.answer(run, plan, onRow: onRow, onEvent: onEvent)
        var summary = AnswerSummary()
        summary.warnings = result.warnings + notes.warnings
        summary.isPartial = result.isPartial
        summary.columns = result.columns
        summary.isAggregate = result.isAggregate
        let nanoseconds = SystemTime().monotonicNanoseconds() - startedAt
        summary.costs = [
            ("events", String(run.progress.eventCount)), ("bytes", String(run.progress.byteCount)),
            ("milliseconds", String(nanoseconds / 1_000_000)),
        ]
        summary.account = QueryAccount(of: plan, run.progress, nanoseconds: nanoseconds)
        onEnd(summary)
    }

    /// All lines of all files, cut into blocks; the first file arrived first.
    private func blocks(
        arrival: Int64,
        _ notes: FileNotes,
        onProgress: (AnswerProgress) throws -> Void
    ) throws -> [FileBlock] {
        var blocks: [FileBlock] = []
        var byteCount = 0
        for path in self.paths {
            let input = try LocalInput.open(path) { count in
                try Task.checkCancellation()
                try onProgress(AnswerProgress(bytes: byteCount + count))
            }
            byteCount += input.count
            notes.look(at: input.unsafeBytes, of: path)
            let format = LineFormat.detect(input.unsafeBytes)
            blocks += BlockCutter(format: format, arrival: arrival, notes: notes).blocks(of: input)
        }
        return blocks
    }

    /// Runs and hands out the rows; the result has none.
    private func answer(
        _ run: QueryRun,
        _ plan: QueryPlan,
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onEvent: (QueryStreamEvent) throws -> Void
    ) throws -> QueryResult {
        let rowCountMax = self.rowCountMax.flatMap { $0 <= Self.rowCountInMemoryMax ? $0 : nil }
        guard run.canBeSplit, rowCountMax == nil else {
            let result = try self.result(of: run, onEvent: onEvent) { (run) throws(QueryFailure) in
                guard run.canBeSplit else { return try run.run(threads: Self.threadCount) }
                var rows = QueryRows()
                var result = try run.runGroups(threads: Self.threadCount, rowCountMax: rowCountMax) { rows = $0 }
                result.rows = rows
                return result
            }
            do {
                try result.forEachRowAsJSON { row in
                    guard try row.withUnsafeBytes(onRow) else { throw EnoughRows() }
                }
            } catch is EnoughRows {}
            return result
        }
        let runs = SharedRuns()
        let result: QueryResult
        do {
            result = try self.result(of: run, onEvent: onEvent) { (run) throws(QueryFailure) in
                try run.runGroups(threads: Self.threadCount, rowCountMax: nil) { (rows) throws(QueryFailure) in
                    try runs.add(rows, columns: plan.columns)
                }
            }
        } catch {
            if let reason = runs.reason { throw reason }
            throw error
        }
        var rows = runs.take()
        try rows.forEach(onRow)
        return result
    }

    /// Whether the answer may have buckets, whose places depend on the first and the last event.
    private static func dependsOnTimes(_ text: String) -> Bool {
        let folded = text.lowercased()
        return folded.contains("timechart") || folded.contains("bucket")
    }

    private static func plan(_ text: String, _ options: QueryOptions) throws -> QueryPlan {
        do throws(QueryErrors) {
            return try QueryPlan(try QueryParser.parse(text), options: options)
        } catch {
            throw CommandError(.badData, error.description)
        }
    }

    /// Runs the scan on threads of its own and reports progress meanwhile.
    private func result(
        of run: QueryRun,
        onEvent: (QueryStreamEvent) throws -> Void,
        _ scan: @escaping @Sendable (QueryRun) throws(QueryFailure) -> QueryResult
    ) throws -> QueryResult {
        let outcome = Background { () -> Result<QueryResult, QueryFailure> in
            do throws(QueryFailure) {
                return .success(try scan(run))
            } catch {
                return .failure(error)
            }
        }
        var previews = self.wantsPreviews && run.plan.isAggregate ? FilePreviews() : nil
        while true {
            if let result = outcome.wait(milliseconds: 50) {
                switch result {
                case .success(let answer): return answer
                case .failure(let failure): throw CommandError(.badData, failure.description)
                }
            }
            if Task.isCancelled {
                run.cancel()
                throw CancellationError()
            }
            let done = run.progress
            let progress = AnswerProgress(events: done.eventCount, bytes: done.byteCount, total: done.byteCountTotal)
            try onEvent(.progress(progress))
            if let preview = previews?.next(of: run) { try onEvent(.preview(preview)) }
        }
    }

    /// A moment as a flag gives it: relative (`24h`, `now`), an epoch number, or ISO 8601.
    private func moment(_ text: String?, now: Timestamp, flag: String) throws -> Timestamp? {
        // The server too knows `all`.
        guard let text, text != "all" else { return nil }
        guard let moment = Moment.read(text, now: now) else {
            let forms = "write a length of time such as 24h, a time such as 2026-11-20T12:00:00Z, or epoch milliseconds"
            throw CommandError(.usage, "\(flag): '\(text)' is no time; \(forms)")
        }
        return moment
    }
}

/// Runs of rows that the thread of the scan fills and another one reads afterwards.
private final class SharedRuns: Sendable {
    private let runs = Mutex<RowRuns>(RowRuns())
    private let failure = Mutex<CommandError?>(nil)

    /// Adds the rows of a group; a disk that is full ends the scan.
    func add(_ rows: QueryRows, columns: [String]?) throws(QueryFailure) {
        do {
            try self.runs.withLock { try $0.add(rows, columns: columns) }
        } catch {
            self.failure.withLock { $0 = error as? CommandError }
            throw .cancelled
        }
    }

    /// The runs, which leave.
    func take() -> RowRuns {
        self.runs.withLock { runs in
            var taken = RowRuns()
            swap(&runs, &taken)
            return taken
        }
    }

    /// Why adding failed.
    var reason: CommandError? { self.failure.withLock { $0 } }
}
