internal import ArgumentParser
internal import LeatShell

/// `leat file`.
struct LookupFile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file",
        abstract: "Keep the tables that queries look things up in.",
        discussion: """
            EXAMPLES:
              leat file create -r shop hosts.csv
              leat query -r shop 'match(file="hosts.csv", field=host, column=name)'
              leat file list -r shop
            """,
        subcommands: [List.self, Show.self, Create.self, Delete.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the lookup files of a repository.")
        @OptionGroup var options: RepositoryOptions

        func run() async throws { try await LookupFile.run(.list, self.options) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write a lookup file to standard output.")
        @OptionGroup var options: RepositoryOptions
        @Argument(help: "The file's name.") var name: String

        func run() async throws { try await LookupFile.run(.show(self.name), self.options) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a lookup file, or replace one.",
            usage: "leat file create [<options>] <path>"
        )
        @OptionGroup var options: RepositoryOptions
        @Option(help: ArgumentHelp("The name that queries use (default: that of the file).", valueName: "name"))
        var name: String?
        @Argument(help: "A CSV or JSON file; - is standard input.", completion: .file()) var path: String

        func run() async throws { try await LookupFile.run(.create(self.name, .file(path: self.path)), self.options) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a lookup file.")
        @OptionGroup var options: RepositoryOptions
        @Argument(help: "The file's name.") var name: String

        func run() async throws { try await LookupFile.run(.delete(self.name), self.options) }
    }

    private static func run(_ action: LibraryCommand.Action, _ options: RepositoryOptions) async throws {
        try await options.run(.lookupFile, action)
    }
}
