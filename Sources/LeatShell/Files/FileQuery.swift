internal import LeatCore
internal import LeatQuery

/// A query over local files: the same engine, and the same answer as a server's on the same lines.
struct FileQuery {
    let text: String
    /// Files in the order of their arrival; `-` is standard input.
    let paths: [String]
    let start: String?
    let end: String?
    let arguments: [String: String]

    /// Threads that read and filter.
    private static var threadCount: Int { min(64, WorkerThread.processorCount) }

    /// Thrown by `onRow` handlers' wrapper when no more rows are wanted.
    private struct EnoughRows: Error {}

    /// Runs the query; calls `onRow` with each row as a line of JSON until it returns `false`, then `onEnd`.
    func run(
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onProgress: (QueryProgress) -> Void,
        onEnd: (AnswerSummary) -> Void
    ) throws {
        let now = SystemTime().now()
        var options = QueryOptions(now: now)
        options.arguments = self.arguments
        options.start = try self.moment(self.start, now: now, flag: "--start")
        options.end = try self.moment(self.end, now: now, flag: "--end")
        // The query is checked before any file is opened.
        let plan = try Self.plan(self.text, options)
        let notes = FileNotes()
        var blocks: [FileBlock] = []
        for path in self.paths {
            let input = try LocalInput.open(path)
            let format = LineFormat.detect(input.unsafeBytes)
            blocks += BlockCutter(format: format, arrival: now.nanoseconds, notes: notes).blocks(of: input)
        }
        if Self.dependsOnTimes(self.text), options.start == nil || options.end == nil {
            blocks = BlockTimes.measure(blocks, threads: Self.threadCount)
        }
        let run = QueryRun(plan, over: blocks.reversed())
        let result = try Self.result(of: run, onProgress: onProgress)
        do {
            try result.forEachRowAsJSON { row in
                guard try row.withUnsafeBytes(onRow) else { throw EnoughRows() }
            }
        } catch is EnoughRows {}
        var summary = AnswerSummary()
        summary.warnings = result.warnings + notes.warnings
        summary.isPartial = result.isPartial
        summary.columns = result.columns
        summary.isAggregate = result.isAggregate
        onEnd(summary)
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
    private static func result(of run: QueryRun, onProgress: (QueryProgress) -> Void) throws -> QueryResult {
        let outcome = Background { () -> Result<QueryResult, QueryFailure> in
            do throws(QueryFailure) {
                return .success(try run.run(threads: Self.threadCount))
            } catch {
                return .failure(error)
            }
        }
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
            onProgress(QueryProgress(events: done.eventCount, bytes: done.byteCount, total: done.byteCountTotal))
        }
    }

    /// A moment as a flag gives it: relative (`24h`, `now`), an epoch number, or ISO 8601.
    private func moment(_ text: String?, now: Timestamp, flag: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let moment = Moment.read(text, now: now) else {
            let forms = "write a length of time such as 24h, a time such as 2026-11-20T12:00:00Z, or epoch milliseconds"
            throw CommandError(.usage, "\(flag): '\(text)' is no time; \(forms)")
        }
        return moment
    }
}
