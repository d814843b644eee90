internal import LeatCore
internal import LeatQuery

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
    /// How long an unreachable server is tried again, in seconds.
    public var retrySeconds = Self.retrySecondsDefault
    /// Whether it is said behind the answer what became of each block and where the time went.
    public var explains = false
    /// Whether a line behind the answer says what it cost; for people.
    var tellsCost = false

    /// Long enough for a server that is restarted, short enough for an address that is wrong.
    public static let retrySecondsDefault = 5

    public init(text: String, settings: ShellSettings) {
        self.text = text
        self.settings = settings
    }

    /// Runs the query and writes the answer to standard output.
    public func run(terminal: Terminal) async throws -> ExitStatus {
        for (flag, moment) in [("--start", self.start), ("--end", self.end)] {
            if let doubt = moment.flatMap(Moment.doubt) { Notes.warn("\(flag): \(doubt)") }
        }
        var output = AnswerOutput(self, terminal: terminal)
        do {
            try await self.forEachRow(wantsPreviews: output.showsPreviews, rowCountMax: output.rowCountMax) { row in
                try output.add(row)
            } onEvent: { event in
                try output.note(event)
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
    ///
    /// A server that cannot be reached is tried again as long as no row has come.
    func forEachRow(
        wantsPreviews: Bool = false,
        rowCountMax: Int? = nil,
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onEvent: (QueryStreamEvent) throws -> Void = { _ in },
        onPause: () throws -> Void = {},
        onEnd: (AnswerSummary) -> Void
    ) async throws {
        if !self.files.isEmpty {
            var query = FileQuery(
                text: self.text,
                paths: self.files,
                start: self.start,
                end: self.end,
                arguments: self.arguments
            )
            query.rowCountMax = rowCountMax
            query.wantsPreviews = wantsPreviews
            return try query.run(onRow: onRow, onEvent: onEvent, onEnd: onEnd)
        }
        var request = QueryRequest(
            repository: self.settings.repository,
            text: self.text,
            start: self.start.map { Moment.forServer($0) } ?? "24h",
            end: self.end.map { Moment.forServer($0) } ?? "now",
            arguments: self.arguments
        )
        request.wantsPreviews = wantsPreviews
        request.explains = self.explains
        let client = self.settings.client
        var hasRows = false
        try await Patience.run(seconds: self.retrySeconds) {
            do {
                try await client.query(
                    request,
                    onRow: {
                        hasRows = true
                        return try onRow($0)
                    },
                    onEvent: { event in
                        switch event {
                        case .done(let summary): onEnd(summary)
                        case .failed(let reason): throw CommandError(.badData, "the query failed: \(reason)")
                        case .progress, .preview: try onEvent(event)
                        case .heartbeat, .skipped: break
                        }
                    },
                    onPause: onPause
                )
            } catch let error as CommandError where hasRows && error.mayPass {
                throw CommandError(error.status, "\(error.reason); the rows before this line are not all")
            }
        }
    }
}

/// Takes an answer's rows to standard output, and counts, cuts and comments them.
struct AnswerOutput: ~Copyable {
    private let limit: Int
    private let isLimitChosen: Bool
    private let isStrict: Bool
    private let tellsRows: Bool
    private let tellsCost: Bool
    private let explains: Bool
    private let isJSON: Bool
    private let isColored: Bool
    private let noteWidth: Int
    private var writer: any AnswerWriter
    private var stream: OutputStream
    private var progress: ProgressLine
    private var preview: PreviewArea?
    private var summary: AnswerSummary?
    private var rowCount = 0
    private var hasMore = false

    init(_ command: QueryCommand, terminal: Terminal) {
        self.isLimitChosen = command.limit != nil
        self.limit = command.limit ?? (terminal.isTerminal ? QueryCommand.terminalRowCount : .max)
        self.isStrict = command.isStrict
        self.tellsRows = command.tellsRows
        self.tellsCost = command.tellsCost
        self.explains = command.explains
        self.isJSON = command.format == .json
        self.isColored = terminal.hasColor && terminal.errorIsTerminal
        self.noteWidth = terminal.errorIsTerminal ? terminal.width : .max
        self.writer = command.format.writer(
            terminal: terminal,
            isFolded: !command.showsFields,
            rowCountMax: self.limit
        )
        self.progress = ProgressLine(terminal: terminal)
        self.preview = PreviewArea(terminal: terminal, format: command.format)
        let pager = command.usesPager ? Pager(terminal: terminal, environment: Environment.current()) : nil
        self.stream = OutputStream(pager: pager)
    }

    /// Whether somebody sees what is known while the query runs.
    var showsPreviews: Bool { self.preview != nil }

    /// Rows of a filter query beyond which none is looked at; `nil`: all are.
    var rowCountMax: Int? { self.readsAll || self.limit == .max ? nil : self.limit + 1 }

    /// Whether what is said at the end is wanted, even if no more rows are.
    private var readsAll: Bool { self.isStrict || self.explains }

    /// Takes a row; returns whether more are wanted.
    ///
    /// All rows are read even beyond the limit when the exit status depends on what the server says at the end, or when
    /// the writer makes a chart of all of them.
    mutating func add(_ row: UnsafeRawBufferPointer) throws -> Bool {
        if self.rowCount >= self.limit, self.isLimitChosen || !self.writer.holdsRows {
            self.hasMore = true
            return self.readsAll
        }
        self.rowCount += 1
        self.erase()
        try self.writer.write(row, to: &self.stream)
        return true
    }

    /// Shows how far the query is, and what is known.
    mutating func note(_ event: QueryStreamEvent) throws {
        switch event {
        case .progress(let progress): self.progress.update(progress, rows: self.rowCount)
        case .preview(let preview):
            self.progress.erase()
            try self.preview?.draw(preview)
            self.progress.redraw()
        default: break
        }
    }

    mutating func note(_ summary: AnswerSummary) { self.summary = summary }

    mutating func flush() throws { try self.stream.flush() }

    private mutating func erase() {
        self.progress.erase()
        self.preview?.erase()
    }

    /// Writes what was held back and says what else there is to know.
    mutating func finish() throws -> ExitStatus {
        self.erase()
        let summary = self.summary ?? AnswerSummary()
        try self.writer.finish(summary, to: &self.stream)
        try self.stream.finish()
        for warning in summary.warnings { Notes.warn(warning) }
        self.tellTheRest(summary)
        if self.explains { Self.explain(summary, asJSON: self.isJSON) }
        if summary.isPartial {
            if summary.warnings.isEmpty { Notes.warn("the answer is partial: some events could not be read") }
            if self.isStrict { return .partialAnswer }
        }
        return self.tellsRows && self.rowCount == 0 ? .noRows : .success
    }

    private func tellTheRest(_ summary: AnswerSummary) {
        var parts: [String] = []
        if (self.hasMore || self.writer.hiddenRowCount > 0) && !self.isLimitChosen {
            let how = self.tellsCost ? "\\limit all shows all" : "--limit N shows more, a pipe or file gets all"
            parts.append("the first \(self.limit) rows are shown; \(how)")
        } else if self.tellsCost {
            parts.append("\(self.rowCount) row\(self.rowCount == 1 ? "" : "s")")
        }
        if self.tellsCost { parts += summary.shownCosts }
        guard !parts.isEmpty else { return }
        // On a narrow terminal a part is not broken where another could begin.
        for text in TextWrapping.joined(parts, separator: "  ", width: self.noteWidth) {
            var line: [UInt8] = []
            line.append(text, .dim, if: self.isColored)
            Notes.write(styled: line)
        }
    }

    /// Says what the answer took; a program gets one object.
    private static func explain(_ summary: AnswerSummary, asJSON: Bool) {
        guard let account = summary.account else { return Notes.warn("the server does not explain its answers") }
        guard asJSON else { return Notes.write(ShownAccount.text(account, summary)) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("explain")
        account.value.write(to: &writer)
        writer.endObject()
        Notes.write(writer.text)
    }

    /// Takes the progress line and the pager away after an error.
    mutating func abandon() {
        self.erase()
        self.stream.abandon()
    }
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
