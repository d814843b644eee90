internal import ArgumentParser
internal import LeatShell

/// `leat check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compile a query, or a file of them, without a run.",
        discussion: """
            EXAMPLES:
              leat check 'level=error | cont()'
              leat check --jsonl queries.jsonl
              leat check --functions | grep -i time

            With --jsonl each line is {"query": …}, each failure a line
            LINE<TAB>COLUMN<TAB>MESSAGE, the last line 'N passed, M failed'.
            What only a server knows is no error: parameters, saved queries, files.
            """
    )

    @Option(help: ArgumentHelp("A file of {\"query\": …} lines; - is standard input.", valueName: "file"))
    var jsonl: String?

    @Flag(help: "List functions: name, kind, call, summary.")
    var functions = false

    @Argument(help: "The query.")
    var query: String?

    func validate() throws {
        let count = (self.query == nil ? 0 : 1) + (self.jsonl == nil ? 0 : 1) + (self.functions ? 1 : 0)
        if count != 1 { throw ValidationError("give either a query, --jsonl FILE or --functions") }
    }

    func run() async throws {
        try await Process.run {
            try CheckCommand(text: self.query, jsonlPath: self.jsonl, listsFunctions: self.functions).run()
        }
    }
}
