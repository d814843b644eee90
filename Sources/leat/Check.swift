internal import ArgumentParser
internal import LeatShell

/// `leat check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Parse and compile a query, or a file of queries, without running it.",
        discussion: """
            EXAMPLES:
              leat check 'level=error | cont()'
              leat check --jsonl queries.jsonl

            With --jsonl each line is {"query": …}; each failure is LINE<TAB>COLUMN<TAB>MESSAGE, the last line is
            'N passed, M failed'. What only a server knows (parameters, saved queries, files) is no error.
            """
    )

    @Option(help: ArgumentHelp("A file of {\"query\": …} lines; - is standard input.", valueName: "file"))
    var jsonl: String?

    @Argument(help: "The query.")
    var query: String?

    func validate() throws {
        if (self.query == nil) == (self.jsonl == nil) { throw ValidationError("give either a query or --jsonl FILE") }
    }

    func run() async throws {
        try await Process.run { try CheckCommand(text: self.query, jsonlPath: self.jsonl).run() }
    }
}
