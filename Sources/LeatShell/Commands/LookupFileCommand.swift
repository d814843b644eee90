internal import LeatCore

/// `leat file`: the tables that `match()` and `readFile()` look things up in.
public struct LookupFileCommand: Sendable {
    public enum Action: Hashable, Sendable {
        case list
        case show(String)
        /// A local file, `-` for standard input, under the name that queries use.
        case create(path: String, name: String?)
        case delete(String)
    }

    public var action: Action
    public var settings: ShellSettings
    public var isJSON = false

    public init(_ action: Action, settings: ShellSettings) {
        self.action = action
        self.settings = settings
    }

    public func run(terminal: Terminal) async throws -> ExitStatus {
        switch self.action {
        case .list:
            let value = try await self.fetch(ServerRequest(.get, self.path())).json()
            try AdministrationTable.write(value, isJSON: self.isJSON, terminal: terminal)
        case .show(let name):
            var output = OutputStream()
            try output.write(try await self.fetch(ServerRequest(.get, self.path(name))).body)
            try output.finish()
        case .create(let path, let name): try await self.upload(path, as: name)
        case .delete(let name):
            _ = try await self.fetch(ServerRequest(.delete, self.path(name)))
            Notes.write("file '\(name)' is gone")
        }
        return .success
    }

    private func path(_ name: String? = nil) -> String {
        let base = "/api/v1/repositories/\(ServerRequest.encoded(self.settings.repository))/files"
        return name.map { "\(base)/\(ServerRequest.encoded($0))" } ?? base
    }

    private func fetch(_ request: ServerRequest) async throws -> ServerReply {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        return try await client.fetch(request, repository: self.settings.repository)
    }

    private func upload(_ path: String, as name: String?) async throws {
        let name = name ?? path.split(separator: "/").last.map(String.init) ?? path
        guard name != "-" else { throw CommandError(.usage, "--name: name what comes from standard input") }
        let contents = try LocalInput.open(path).array
        _ = try await self.fetch(ServerRequest(.put, self.path(name), body: contents))
        Notes.write("file '\(name)' is there; queries look it up with match(file=\"\(name)\", …)")
    }
}
