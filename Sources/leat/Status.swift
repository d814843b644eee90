internal import ArgumentParser
internal import LeatShell

/// `leat status`.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how the server is, and what it holds.",
        discussion: """
            EXAMPLES:
              leat status
              leat status --server http://logs:9200 --json
            """
    )

    @OptionGroup var options: AdministrationOptions

    func run() async throws {
        try await Process.run(asJSON: self.options.json) {
            var command = StatusCommand(settings: try self.options.settings())
            command.isJSON = self.options.json
            command.retrySeconds = self.options.retry
            return try await command.run(terminal: Terminal.current())
        }
    }
}
