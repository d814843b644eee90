/// What every command that administers shares: the server, how patiently it is asked, and the form of answers.
public struct CommandContext: Sendable {
    public var settings: ShellSettings
    public var terminal: Terminal
    /// Whether answers are objects, one a line, instead of tables.
    public var isJSON: Bool
    /// How long a server that is being restarted is tried again.
    public var retrySeconds: Int

    public init(settings: ShellSettings, terminal: Terminal, isJSON: Bool = false, retrySeconds: Int = 0) {
        self.settings = settings
        self.terminal = terminal
        self.isJSON = isJSON
        self.retrySeconds = retrySeconds
    }

    var client: ServerClient { self.settings.client }

    /// The good answer to a request; `repository` is named when the server refuses or does not know it.
    func ask(_ request: ServerRequest, repository: String? = nil) async throws -> ServerReply {
        try await self.client.ask(request, repository: repository, retrySeconds: self.retrySeconds)
    }
}
