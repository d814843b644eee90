internal import ArgumentParser
internal import LeatShell

/// `leat parser`.
struct Parser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Test parser scripts, and keep them on the server.",
        discussion: """
            EXAMPLES:
              leat parser test nginx.yaml
              leat parser create nginx nginx.yaml
              leat parser edit nginx
            """,
        subcommands: [ParserTest.self, List.self, Show.self, Create.self, Edit.self, Delete.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all parsers.")
        @OptionGroup var options: AdministrationOptions

        func run() async throws { try await self.options.run(.parsers, .list) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the script of a parser.",
            usage: "leat parser show [<options>] <name>"
        )
        @OptionGroup var options: AdministrationOptions
        @Option(help: ArgumentHelp("An earlier version; --json tells the current one.", valueName: "number"))
        var version: Int?
        @Argument(help: "The parser.") var name: String

        func run() async throws {
            let action = self.version.map { AdministrationCommand.Action.showVersion(self.name, $0) }
            try await self.options.run(.parsers, action ?? .show(self.name))
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make or replace a parser from its YAML file.",
            usage: "leat parser create [<options>] <name> <file>"
        )
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The parser.") var name: String
        @Argument(help: "Its file; - is standard input.") var file: String

        func run() async throws { try await self.options.run(.parsers, .setParser(self.name, path: self.file)) }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Edit a parser in $EDITOR; it is tested before it is saved."
        )
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The parser.") var name: String

        func run() async throws {
            try await self.options.run { try await ParserEditCommand(name: self.name).run(in: $0) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a parser.")
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The parser.") var name: String

        func run() async throws { try await self.options.run(.parsers, .delete(self.name)) }
    }
}

/// `leat parser test`.
struct ParserTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the test cases of parser scripts.",
        discussion: """
            EXAMPLES:
              leat parser test nginx.yaml
              leat parser test --jsonl parsers.jsonl
            """
    )

    @Option(help: ArgumentHelp("A file with one parser as JSON a line.", valueName: "file"))
    var jsonl: String?

    @Argument(help: "Parser files.")
    var files: [String] = []

    func validate() throws {
        if self.files.isEmpty == (self.jsonl == nil) { throw ValidationError("give either files or --jsonl FILE") }
    }

    func run() async throws {
        try await Process.run { try ParserTestCommand(paths: self.files, jsonlPath: self.jsonl).run() }
    }
}
