internal import LeatCore

/// `leat saved`: queries that the server keeps under a name, which other queries call as `$name()`.
public struct SavedQueryCommand: Sendable {
    public enum Action: Hashable, Sendable {
        case list
        case show(String)
        /// New, or in place of the old one.
        case create(String, query: String)
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
            let reply = try await self.fetch(ServerRequest(.get, self.path(name)))
            var output = OutputStream()
            let query = try reply.json()["queryString"]?.string ?? ""
            try output.write(self.isJSON ? reply.text + "\n" : query + "\n")
            try output.finish()
        case .create(let name, let query): try await self.save(query, as: name)
        case .delete(let name):
            _ = try await self.fetch(ServerRequest(.delete, self.path(name)))
            Notes.write("saved query '\(name)' is gone")
        }
        return .success
    }

    private func save(_ query: String, as name: String) async throws {
        // What can be known to be wrong is shown here, with its place.
        try QueryCheck.check(query)
        var body = JSONWriter()
        body.beginObject()
        body.key("queryString")
        body.value(query)
        body.endObject()
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        _ = try await self.fetch(ServerRequest(.put, self.path(name), headers: headers, body: body.bytes))
        let isPlain = name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
        let call = isPlain ? "$\(name)()" : "$\"\(name)\"()"
        Notes.write("saved query '\(name)' is there; other queries call it as \(call)")
    }

    private func path(_ name: String? = nil) -> String {
        let base = "/api/v1/repositories/\(ServerRequest.encoded(self.settings.repository))/savedqueries"
        return name.map { "\(base)/\(ServerRequest.encoded($0))" } ?? base
    }

    private func fetch(_ request: ServerRequest) async throws -> ServerReply {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        return try await client.fetch(request, repository: self.settings.repository)
    }
}
