internal import ArgumentParser
internal import LeatShell

/// `leat tail`.
struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show events as they arrive, until Ctrl-C.",
        usage: "leat tail [<options>] [<query>]",
        discussion: """
            EXAMPLES:
              leat tail 'level=error'
              leat tail -r shop --since 5m --exclude healthz
              leat tail --json 'status >= 500' | jq .url
            """
    )

    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("Begin with the events since then, such as 5m.", valueName: "time"))
    var since: String?

    @Option(
        help: ArgumentHelp("table, json, csv or raw", valueName: "format"),
        completion: .list(AnswerFormat.allCases.filter { $0 != .chart }.map(\.rawValue)),
        transform: Words.one
    )
    var format = AnswerFormat.auto

    @Flag(help: "As --format json: one object a line, stable.")
    var json = false

    @Flag(help: "Write events with all their fields.")
    var fields = false

    @Option(help: ArgumentHelp("Only events with this text; may be repeated.", valueName: "text"))
    var include: [String] = []

    @Option(help: ArgumentHelp("No events with this text; may be repeated.", valueName: "text"))
    var exclude: [String] = []

    @Argument(help: "The query; without one all events are shown.")
    var query: String = ""

    func run() async throws {
        try await Process.run(asJSON: self.json || self.format == .json) {
            var command = TailCommand(text: self.query, settings: try self.server.resolve())
            command.since = self.since
            command.format = self.json ? .json : self.format
            command.showsFields = self.fields
            command.included = self.include
            command.excluded = self.exclude
            return try await command.run(terminal: Terminal.current(color: self.output.color))
        }
    }
}
