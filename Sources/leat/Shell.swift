internal import ArgumentParser
internal import LeatShell

/// `leat` alone: the shell.
struct Shell: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the shell, as leat alone on a terminal does."
    )

    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() async throws {
        try await Process.run {
            guard ShellSession.isPossible else {
                throw CommandError(.usage, "the shell needs a terminal; leat query 'QUERY' works without one")
            }
            let terminal = Terminal.current(color: self.output.color)
            return try await ShellSession(settings: try self.server.resolve(), terminal: terminal).run()
        }
    }
}
