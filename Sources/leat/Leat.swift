internal import ArgumentParser
internal import LeatShell

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

            The server is --server, LEAT_SERVER or 'server' in ~/.config/leat/config.yaml,
            the token LEAT_TOKEN or 'token' there. docs/shell.md is a tour, and
            docs/query-language.md the language; leat help query tells about a command.
            """,
        version: Version.text,
        subcommands: [Shell.self, Query.self, Tail.self, Check.self, Ingest.self, Status.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Administration",
                subcommands: [Repo.self, Token.self, Parser.self, Saved.self, LookupFile.self, Manual.self]
            )
        ],
        defaultSubcommand: Shell.self
    )

    /// The names of the commands, each with those of its own commands.
    private static var commands: [String: [String]] {
        func name(_ command: any ParsableCommand.Type) -> String {
            command.configuration.commandName ?? String(describing: command).lowercased()
        }
        return Dictionary(
            uniqueKeysWithValues: Self.configuration.subcommands.map {
                (name($0), $0.configuration.subcommands.map(name))
            }
        )
    }

    static func main() async {
        Process.prepare()
        var arguments = Array(CommandLine.arguments.dropFirst())
        let wantsAllHelp = arguments.contains("--help-all")
        arguments = arguments.map { $0 == "--help-all" ? "--help" : $0 }
        if let complaint = CommandArguments.complaint(arguments, commands: Self.commands) {
            Process.end(complaining: complaint)
        }
        do {
            let ordered = CommandArguments.commandFirst(arguments, commands: Self.commands)
            var command = try Self.parseAsRoot(ordered)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            if let help = Self.help(error) {
                print(wantsAllHelp ? help : HelpScreen.short(help), terminator: "")
                return
            }
            // Versions and exit codes of commands go their way.
            let isComplaint = !(error is ExitCode) && Self.exitCode(for: error) == .validationFailure
            guard isComplaint else { Self.exit(withError: error) }
            Process.end(complaining: Self.fullMessage(for: error))
        }
    }

    /// The help that was asked for; `nil` when the error is another one.
    private static func help(_ error: any Error) -> String? {
        guard !(error is ExitCode), Self.exitCode(for: error) == .success else { return nil }
        var message = Self.fullMessage(for: error)
        while message.last == "\n" { message.removeLast() }
        return message.hasPrefix("OVERVIEW:") ? message + "\n" : nil
    }
}

/// Options of every command that talks to a server.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server (default: http://127.0.0.1:9200).", valueName: "url"))
    var server: String?

    @Option(name: [.short, .customLong("repo")], help: ArgumentHelp("The repository.", valueName: "name"))
    var repository: String?

    @Option(
        help: ArgumentHelp("Certificates to trust, not the system's.", valueName: "path"),
        completion: .file()
    )
    var caFile: String?

    /// Flags, environment and configuration file together.
    func resolve() throws -> ShellSettings {
        let flags = ShellSettings.Flags(
            server: self.server,
            repository: self.repository,
            authorityPath: self.caFile
        )
        return try ShellSettings.resolve(flags: flags)
    }
}

/// How long a command waits for a server that is not there.
struct RetryOptions: ParsableArguments {
    @Option(
        name: .customLong("retry"),
        help: ArgumentHelp("Try an unreachable server again so long.", valueName: "seconds")
    )
    var seconds: Int = QueryCommand.retrySecondsDefault

    func validate() throws {
        if self.seconds < 0 { throw ValidationError("--retry: \(self.seconds) is less than 0") }
    }
}

/// Options of every command that writes answers.
struct OutputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("always or never use colours, or decide", valueName: "when"),
        completion: .list(Terminal.ColorChoice.allCases.map(\.rawValue)),
        transform: Words.one
    )
    var color = Terminal.ColorChoice.auto
}

/// Values of options that are one of a few words.
enum Words {
    /// The value that a word stands for.
    static func one<Value: RawRepresentable & CaseIterable>(_ word: String) throws -> Value
    where Value.RawValue == String {
        if let value = Value(rawValue: word) { return value }
        let words = Value.allCases.map(\.rawValue)
        throw ValidationError("write \(words.dropLast().joined(separator: ", ")) or \(words[words.count - 1])")
    }
}
