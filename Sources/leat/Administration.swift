internal import ArgumentParser
internal import LeatShell

/// `leat repo`.
struct Repo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, make and remove repositories.",
        discussion: """
            EXAMPLES:
              leat repo list
              leat repo create shop --retention 14d
              leat repo delete old
            """,
        subcommands: [List.self, Show.self, Create.self, Change.self, Delete.self]
    )

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change how long a repository keeps events.",
            usage: "leat repo change --retention <time> [<options>] <name>"
        )
        @OptionGroup var options: AdministrationOptions
        @Option(help: ArgumentHelp("How long events are kept.", valueName: "time")) var retention: String
        @Argument(help: "The repository.") var name: String

        func run() async throws {
            try await self.options.run(.repositories, .setRetention(self.name, retention: self.retention))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all repositories.")
        @OptionGroup var options: AdministrationOptions

        func run() async throws { try await self.options.run(.repositories, .list) }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one repository.")
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The repository.") var name: String

        func run() async throws { try await self.options.run(.repositories, .show(self.name)) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a repository.",
            usage: "leat repo create [<options>] <name>"
        )
        @OptionGroup var options: AdministrationOptions
        @Option(help: ArgumentHelp("How long events are kept (default: 30d).", valueName: "time")) var retention:
            String?
        @Argument(help: "The repository.") var name: String

        func run() async throws {
            try await self.options.run(.repositories, .createRepository(self.name, retention: self.retention))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a repository with all its events.")
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The repository.") var name: String

        func run() async throws { try await self.options.run(.repositories, .delete(self.name)) }
    }
}

/// `leat token`.
struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, make and remove tokens.",
        discussion: """
            EXAMPLES:
              leat token create admin --kind admin
              leat token create shop-agents --kind ingest --repo shop
              leat token delete shop-agents
            """,
        subcommands: [List.self, Show.self, Create.self, Delete.self]
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a token, without its secret.")
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The token's name.") var name: String

        func run() async throws { try await self.options.run(.tokens, .show(self.name)) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all tokens, without their secrets.")
        @OptionGroup var options: AdministrationOptions

        func run() async throws { try await self.options.run(.tokens, .list) }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; it is shown once.",
            usage: "leat token create --kind <kind> [<options>] <name>"
        )
        @OptionGroup var options: AdministrationOptions
        @Option(help: ArgumentHelp("ingest, query or admin.", valueName: "kind")) var kind: String
        @Option(
            name: [.short, .customLong("repo")],
            help: ArgumentHelp("The repository it is for.", valueName: "name")
        )
        var repository: String?
        @Option(help: ArgumentHelp("The parser of events that arrive with it.", valueName: "name"))
        var parser: String?
        @Option(help: ArgumentHelp("How long it is valid, such as 90d (for ever).", valueName: "time"))
        var expires: String?
        @Argument(help: "The token's name.") var name: String

        func run() async throws {
            var token = TokenRequest(name: self.name, kind: self.kind)
            token.repository = self.repository
            token.parser = self.parser
            token.lifetime = self.expires
            try await self.options.run(.tokens, .createToken(token))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a token.")
        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The token's name.") var name: String

        func run() async throws { try await self.options.run(.tokens, .delete(self.name)) }
    }
}

/// Options of the commands that administer.
struct AdministrationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server (default: http://127.0.0.1:9200).", valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("Certificates to trust, not the system's.", valueName: "path"),
        completion: .file()
    )
    var caFile: String?

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @OptionGroup var retry: RetryOptions

    /// Runs a command with these options.
    func run(repository: String? = nil, _ command: (CommandContext) async throws -> ExitStatus) async throws {
        try await Process.run(asJSON: self.json) {
            let flags = ShellSettings.Flags(
                server: self.server,
                repository: repository,
                authorityPath: self.caFile
            )
            let context = CommandContext(
                settings: try ShellSettings.resolve(flags: flags),
                terminal: Terminal.current(),
                isJSON: self.json,
                retrySeconds: self.retry.seconds
            )
            return try await command(context)
        }
    }

    func run(_ subject: AdministrationCommand.Subject, _ action: AdministrationCommand.Action) async throws {
        try await self.run { try await AdministrationCommand(subject, action).run(in: $0) }
    }
}
