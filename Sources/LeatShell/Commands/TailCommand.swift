/// `leat tail`: events as they arrive, until interrupted.
public struct TailCommand: Sendable {
    public var text: String
    public var settings: ShellSettings
    /// How far back the first events lie; `nil`: only new ones.
    public var since: String?
    public var format = AnswerFormat.auto
    public var showsFields = false
    /// Texts of which an event must have all.
    public var included: [String] = []
    /// Texts of which an event must have none.
    public var excluded: [String] = []

    public init(text: String, settings: ShellSettings) {
        self.text = text
        self.settings = settings
    }

    /// Follows until the task is cancelled, the user ends it, or standard output closes.
    public func run(terminal: Terminal) async throws -> ExitStatus {
        if self.format == .auto, RawTerminal.isUsable {
            Interrupts.ignore()
            let view = TailView(text: self.filteredText, settings: self.settings, terminal: terminal)
            view.since = self.since
            view.showsFields = self.showsFields
            try await view.run(raw: RawTerminal())
            return .success
        }
        if QueryCheck.isAggregate(self.filteredText) {
            throw CommandError(
                .badData,
                "a live aggregate is drawn on a terminal; in a pipe 'leat query' asks for it once, 'leat tail' shows events"
            )
        }
        let columns = try self.columns()
        try await ReaderWatch.whileRead { try await self.write(terminal, columns: columns) }
        return .success
    }

    /// Writes events until the task is cancelled.
    private func write(_ terminal: Terminal, columns: [String]) async throws {
        let follower = LiveFollower(text: self.filteredText, settings: self.settings, since: self.since)
        var stream = OutputStream()
        var writer = self.format.liveWriter(
            terminal: terminal,
            isFolded: !self.showsFields,
            columns: columns
        )
        try await follower.run { row in
            try writer.write(row, to: &stream)
        } onPause: {
            try stream.flush()
        } onNote: { note in
            Notes.write(note)
        }
    }

    /// The columns of the rows, where the format needs them before the first.
    private func columns() throws(CommandError) -> [String] {
        guard self.format == .csv else { return [] }
        if let columns = QueryCheck.columns(self.filteredText) { return columns }
        let hint = "end the query with select([…]), or use --json"
        throw CommandError(.usage, "--format csv: the columns of a live tail must be known before its end; \(hint)")
    }

    /// The query with the included and excluded texts as filters before it.
    var filteredText: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        let filters = self.included.map(quoted) + self.excluded.map { "not " + quoted($0) }
        guard !filters.isEmpty else { return self.text }
        let all = filters.joined(separator: " and ")
        return self.text.isEmpty ? all : "\(all) | \(self.text)"
    }
}
