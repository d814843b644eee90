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

    func run() async throws { try await self.options.run { try await StatusCommand.run(in: $0) } }
}
