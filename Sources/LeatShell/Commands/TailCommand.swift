internal import LeatCore

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

    /// Waits between attempts to reach a server that has gone: doubled from the first to the last, in milliseconds.
    private static let retryMilliseconds = 200...5_000

    public init(text: String, settings: ShellSettings) {
        self.text = text
        self.settings = settings
    }

    /// Follows until the task is cancelled or standard output closes.
    public func run(terminal: Terminal) async throws -> ExitStatus {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        var request = QueryRequest(
            repository: self.settings.repository,
            text: self.filteredText,
            start: self.since,
            isLive: true
        )
        // An aggregate cannot be told before the server has looked; a filter query is what tail is for.
        var stream = OutputStream()
        var writer = self.format.writer(terminal: terminal, isFolded: !self.showsFields)
        var wait = Self.retryMilliseconds.lowerBound
        var hasStarted = false
        while true {
            do {
                try await client.query(request) { row in
                    try writer.write(row, to: &stream)
                    return true
                } onEvent: { event in
                    hasStarted = true
                    wait = Self.retryMilliseconds.lowerBound
                    if case .skipped(let count) = event {
                        Notes.warn("\(count) events were not shown: too many at once")
                    }
                } onPause: {
                    hasStarted = true
                    try stream.flush()
                }
                Notes.write("leat: the server ended the live tail; connecting again")
            } catch let error as CommandError where error.status == .serverUnreachable && hasStarted {
                Notes.write("\(error.description); trying again, events of the gap follow if the server has them")
            }
            try await Task.sleep(for: .milliseconds(wait))
            request.start = "\(max(1, wait / 1_000 + 1))s"
            wait = min(wait * 2, Self.retryMilliseconds.upperBound)
        }
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
