internal import ArgumentParser
internal import LeatShell

/// `leat saved`.
struct Saved: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep queries on the server under a name.",
        discussion: """
            EXAMPLES:
              leat saved create -r shop slow 'latency_ms > 1000'
              leat query -r shop '$slow() | groupBy(service)'
              leat saved list -r shop
            """,
        subcommands: [List.self, Show.self, Create.self, Delete.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the saved queries of a repository.")
        @OptionGroup var options: RepositoryOptions

        func run() async throws { try await Saved.run(.list, self.options) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a saved query.")
        @OptionGroup var options: RepositoryOptions
        @Argument(help: "The name.") var name: String

        func run() async throws { try await Saved.run(.show(self.name), self.options) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Save a query, or replace one.",
            usage: "leat saved create [<options>] <name> <query>"
        )
        @OptionGroup var options: RepositoryOptions
        @Argument(help: "The name.") var name: String
        @Argument(help: "The query.") var query: String

        func run() async throws { try await Saved.run(.create(self.name, .text(self.query)), self.options) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a saved query.")
        @OptionGroup var options: RepositoryOptions
        @Argument(help: "The name.") var name: String

        func run() async throws { try await Saved.run(.delete(self.name), self.options) }
    }

    private static func run(_ action: LibraryCommand.Action, _ options: RepositoryOptions) async throws {
        try await options.run(.savedQuery, action)
    }
}

/// Options of the commands that administer what a repository has.
struct RepositoryOptions: ParsableArguments {
    @OptionGroup var options: AdministrationOptions

    @Option(name: [.short, .customLong("repo")], help: ArgumentHelp("The repository.", valueName: "name"))
    var repository: String?

    func run(_ resource: LibraryCommand.Resource, _ action: LibraryCommand.Action) async throws {
        try await self.options.run(repository: self.repository) {
            try await LibraryCommand(resource, action).run(in: $0)
        }
    }
}
