internal import ArgumentParser
internal import LeatShell

/// `leat manual`.
struct Manual: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the manual pages; they say what --help says.",
        discussion: """
            EXAMPLES:
              leat manual | man -l -
              leat manual --folder ~/.local/share/man/man1
            """
    )

    @Option(
        help: ArgumentHelp("Write one page per command here instead of the first to the terminal.", valueName: "path")
    )
    var folder: String?

    func run() async throws {
        try await Process.run { try ManualCommand(description: Leat._dumpHelp(), folder: self.folder).run() }
    }
}
