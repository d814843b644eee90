internal import ArgumentParser
internal import LeatShell

/// `leat parser`.
struct Parser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Work with parser scripts.",
        subcommands: [ParserTest.self]
    )
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
