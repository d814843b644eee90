internal import ArgumentParser
internal import LeatShell

/// `leat query`.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one query and print its answer.",
        usage: "leat query [<options>] <query>",
        discussion: """
            EXAMPLES:
              leat query -r shop 'level=error | groupBy(service, function=count())'
              leat query --start 7d --json 'status >= 500 | head(10)'
              leat query --file access.log --file access.log.1.gz 'top(clientip)'
            """
    )

    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("From then: 24h, a time, epoch ms (24h; files: all).", valueName: "time"))
    var start: String?

    @Option(help: ArgumentHelp("Up to then, which is not included (now; files: all).", valueName: "time"))
    var end: String?

    @Option(
        help: ArgumentHelp("table, json, csv, raw or chart", valueName: "format"),
        completion: .list(AnswerFormat.allCases.map(\.rawValue)),
        transform: Words.one
    )
    var format = AnswerFormat.auto

    @Flag(help: "As --format json: one object a line, stable.")
    var json = false

    @Option(help: ArgumentHelp("Write so many rows (all; on a terminal 200).", valueName: "rows"))
    var limit: Int?

    @Option(
        help: ArgumentHelp("Ask a file, not a server; - is standard input.", valueName: "path"),
        completion: .file()
    )
    var file: [String] = []

    @Option(help: ArgumentHelp("A value for ?NAME in the query.", valueName: "name=value"))
    var arg: [String] = []

    @OptionGroup(title: "More options") var more: RareQueryOptions

    @Argument(help: "The query.")
    var query: String

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit: \(limit) is less than 0") }
    }

    func run() async throws {
        try await Process.run(asJSON: self.json || self.format == .json) {
            var command = QueryCommand(text: self.query, settings: try self.server.resolve())
            command.start = self.start
            command.end = self.end
            command.format = self.json ? .json : self.format
            command.limit = self.limit
            command.isStrict = self.more.strict
            command.tellsRows = self.more.exitStatus
            command.showsFields = self.more.fields
            command.explains = self.more.explain
            command.files = self.file
            command.retrySeconds = self.more.retry.seconds
            command.arguments = try QueryCommand.arguments(self.arg)
            return try await command.run(terminal: Terminal.current(color: self.output.color))
        }
    }
}

/// Options of `leat query` that few need.
struct RareQueryOptions: ParsableArguments {
    @Flag(help: "End with status 75 when the answer is partial.")
    var strict = false

    @Flag(help: "End with status 1 when there are no rows.")
    var exitStatus = false

    @Flag(help: "Say what was skipped and read, and where time went.")
    var explain = false

    @Flag(help: "Write events with all their fields.")
    var fields = false

    @OptionGroup(title: "More options") var retry: RetryOptions
}
