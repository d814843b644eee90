public import ArgumentParser
public import LeatShell

/// Arguments in, exit code out.
@main
struct Leat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leat",
        abstract: "Ask your logs: one-shot queries, live tail, and a shell.",
        discussion: """
            EXAMPLES:
              leat query 'level=error | groupBy(service)'
              leat query --file app.log 'status >= 500 | timeChart()'
              leat tail 'error'

            The server is --server, LEAT_SERVER or 'server' in ~/.config/leat/config.yaml; the token LEAT_TOKEN or 'token'
            there. The query language is described in docs/query-language.md.
            """,
        version: Version.text,
        subcommands: [
            Shell.self, Query.self, Tail.self, Check.self, Ingest.self, Parser.self, Repo.self, Token.self,
            Saved.self, LookupFile.self, Status.self, Manual.self,
        ],
        defaultSubcommand: Shell.self
    )

    static func main() async {
        Process.prepare()
        await self.main(nil)
    }
}

/// Options of every command that talks to a server.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server (default: http://127.0.0.1:9200).", valueName: "url"))
    var server: String?

    @Option(name: [.short, .customLong("repo")], help: ArgumentHelp("The repository.", valueName: "name"))
    var repository: String?

    /// Flags, environment and configuration file together.
    func resolve() throws -> ShellSettings {
        try ShellSettings.resolve(flags: ShellSettings.Flags(server: self.server, repository: self.repository))
    }
}

/// Options of every command that writes answers.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("auto, always or never; NO_COLOR and TERM=dumb are heeded.", valueName: "when"))
    var color = Terminal.ColorChoice.auto
}

extension Terminal.ColorChoice: ExpressibleByArgument {}
extension AnswerFormat: ExpressibleByArgument {}
