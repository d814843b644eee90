internal import ArgumentParser
internal import LeatShell

/// `leat ingest`.
struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send the lines of a file or pipe to a repository.",
        usage: "leat ingest [<options>] <file>",
        discussion: """
            EXAMPLES:
              leat ingest app.log
              leat ingest -r shop --parser accesslog access.log
              journalctl -o json | leat ingest -r hosts -
            """
    )

    @OptionGroup(title: "Server") var server: ServerOptions

    @Option(help: ArgumentHelp("The parser that takes the lines apart.", valueName: "name"))
    var parser: String?

    @Option(help: ArgumentHelp("Try a server that is busy or away again so long.", valueName: "seconds"))
    var retry: Int = IngestCommand.retrySecondsDefault

    @Argument(help: "A file; - is standard input.")
    var file: String

    func run() async throws {
        try await Process.run {
            var command = IngestCommand(path: self.file, settings: try self.server.resolve())
            command.parser = self.parser
            command.retrySeconds = self.retry
            return try await command.run()
        }
    }
}
