internal import LeatCore

/// `leat query`: one query, one answer, from a server or from files.
public struct QueryCommand: Sendable {
    /// Rows that a terminal shows when no limit is given.
    public static let terminalRowCount = 200

    public var text: String
    public var settings: ShellSettings
    /// Relative or epoch milliseconds; `nil`: the last 24 hours on a server, everything in files.
    public var start: String?
    public var end: String?
    public var format = AnswerFormat.auto
    /// How many rows are written; `nil`: all, or `terminalRowCount` on a terminal.
    public var limit: Int?
    /// Whether a partial answer is an error.
    public var isStrict = false
    /// Whether no rows are told by the exit status.
    public var tellsRows = false
    /// Whether events are written with all their fields.
    public var showsFields = false
    /// Files to query instead of a server; `-` is standard input.
    public var files: [String] = []
    public var arguments: [String: String] = [:]
    /// Whether answers longer than the screen go through the user's pager.
    public var usesPager = true

    public init(text: String, settings: ShellSettings) {
        self.text = text
        self.settings = settings
    }

    /// Runs the query and writes the answer to standard output.
    public func run(terminal: Terminal) async throws -> ExitStatus {
        var output = AnswerOutput(self, terminal: terminal)
        do {
            try await self.forEachRow { row in
                try output.add(row)
            } onProgress: { progress in
                output.note(progress)
            } onPause: {
                try output.flush()
            } onEnd: { summary in
                output.note(summary)
            }
            return try output.finish()
        } catch {
            output.abandon()
            throw error
        }
    }

    /// Calls `onRow` with each row of the answer until it returns `false`.
    func forEachRow(
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onProgress: (QueryProgress) -> Void = { _ in },
        onPause: () throws -> Void = {},
        onEnd: (AnswerSummary) -> Void
    ) async throws {
        if !self.files.isEmpty {
            let query = FileQuery(
                text: self.text,
                paths: self.files,
                start: self.start,
                end: self.end,
                arguments: self.arguments
            )
            return try query.run(onRow: onRow, onProgress: onProgress, onEnd: onEnd)
        }
        let request = QueryRequest(
            repository: self.settings.repository,
            text: self.text,
            start: self.start.map { Moment.forServer($0) } ?? "24h",
            end: self.end.map { Moment.forServer($0) } ?? "now",
            arguments: self.arguments
        )
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        try await client.query(
            request,
            onRow: onRow,
            onEvent: { event in
                switch event {
                case .progress(let progress): onProgress(progress)
                case .done(let summary): onEnd(summary)
                case .failed(let reason): throw CommandError(.badData, "the query failed: \(reason)")
                case .heartbeat, .skipped: break
                }
            },
            onPause: onPause
        )
    }
}

/// Takes an answer's rows to standard output, and counts, cuts and comments them.
struct AnswerOutput: ~Copyable {
    private let limit: Int
    private let isLimitChosen: Bool
    private let isStrict: Bool
    private let tellsRows: Bool
    private var writer: any AnswerWriter
    private var stream: OutputStream
    private var progress: ProgressLine
    private var summary: AnswerSummary?
    private var rowCount = 0
    private var hasMore = false

    init(_ command: QueryCommand, terminal: Terminal) {
        self.isLimitChosen = command.limit != nil
        self.limit = command.limit ?? (terminal.isTerminal ? QueryCommand.terminalRowCount : .max)
        self.isStrict = command.isStrict
        self.tellsRows = command.tellsRows
        self.writer = command.format.writer(terminal: terminal, isFolded: !command.showsFields)
        self.progress = ProgressLine(terminal: terminal)
        let pager = command.usesPager ? Pager(terminal: terminal, environment: Environment.current()) : nil
        self.stream = OutputStream(pager: pager)
    }

    /// Takes a row; returns whether more are wanted.
    ///
    /// All rows are read even beyond the limit when the exit status depends on what the server says at the end.
    mutating func add(_ row: UnsafeRawBufferPointer) throws -> Bool {
        guard self.rowCount < self.limit else {
            self.hasMore = true
            return self.isStrict
        }
        self.rowCount += 1
        self.progress.erase()
        try self.writer.write(row, to: &self.stream)
        return true
    }

    mutating func note(_ progress: QueryProgress) { self.progress.update(progress, rows: self.rowCount) }

    mutating func note(_ summary: AnswerSummary) { self.summary = summary }

    mutating func flush() throws { try self.stream.flush() }

    /// Writes what was held back and says what else there is to know.
    mutating func finish() throws -> ExitStatus {
        self.progress.erase()
        let summary = self.summary ?? AnswerSummary()
        try self.writer.finish(summary, to: &self.stream)
        try self.stream.finish()
        for warning in summary.warnings { Notes.warn(warning) }
        if self.hasMore && !self.isLimitChosen {
            Notes.write("the first \(self.limit) rows are shown; --limit N shows more, a pipe or file gets all")
        }
        if summary.isPartial {
            if summary.warnings.isEmpty { Notes.warn("the answer is partial: some events could not be read") }
            if self.isStrict { return .partialAnswer }
        }
        return self.tellsRows && self.rowCount == 0 ? .noRows : .success
    }

    /// Takes the progress line away after an error.
    mutating func abandon() { self.progress.erase() }
}

extension QueryCommand {
    /// The values of `--arg name=value`.
    public static func arguments(_ texts: [String]) throws(CommandError) -> [String: String] {
        var result: [String: String] = [:]
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw CommandError(.usage, "--arg: '\(text)' is not of the form name=value")
            }
            result[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return result
    }
}
