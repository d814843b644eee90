internal import LeatCore

/// `leat repo`, `leat token` and `leat parser`: what the server keeps, listed, made and removed.
public struct AdministrationCommand: Sendable {
    public enum Subject: String, Hashable, Sendable {
        case repositories, tokens, parsers

        /// The name of one, for messages.
        var one: String {
            switch self {
            case .repositories: "repository"
            case .tokens: "token"
            case .parsers: "parser"
            }
        }
    }

    public enum Action: Hashable, Sendable {
        case list
        case show(String)
        /// An earlier version of a parser.
        case showVersion(String, Int)
        case delete(String)
        case createRepository(String, retention: String?)
        case createToken(String, kind: String, repository: String?)
        /// How long events are kept from now on.
        case setRetention(String, retention: String)
        /// A parser from its YAML or JSON file, new or in place of the old one.
        case setParser(String, path: String)
    }

    public var subject: Subject
    public var action: Action
    public var settings: ShellSettings
    public var isJSON = false
    /// How long a server that is being restarted is tried again.
    public var retrySeconds = 0

    public init(_ subject: Subject, _ action: Action, settings: ShellSettings) {
        self.subject = subject
        self.action = action
        self.settings = settings
    }

    public func run(terminal: Terminal) async throws -> ExitStatus {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        let reply = try await client.ask(try self.request(), retrySeconds: self.retrySeconds)
        switch self.action {
        case .show where self.subject == .parsers && !self.isJSON, .showVersion where !self.isJSON:
            try Self.showScript(reply)
        case .list, .show, .showVersion:
            let value = try reply.json()
            if self.subject == .repositories, !self.isJSON {
                try RepositoryList.write(value.array ?? [value], terminal: terminal)
            } else {
                try AdministrationTable.write(value, isJSON: self.isJSON, terminal: terminal)
            }
        case .delete(let name): Notes.write("\(self.subject.one) '\(name)' is gone")
        case .createRepository(let name, _): Notes.write("repository '\(name)' is there")
        case .setRetention(let name, let retention): Notes.write("repository '\(name)' keeps events for \(retention)")
        case .createToken: try self.showToken(reply)
        case .setParser(let name, _): Notes.write("parser '\(name)' is there")
        }
        return .success
    }

    private func request() throws -> ServerRequest {
        let path = "/api/v1/\(self.subject.rawValue)"
        switch self.action {
        case .list: return ServerRequest(.get, path)
        case .show(let name): return ServerRequest(.get, "\(path)/\(ServerRequest.encoded(name))")
        case .showVersion(let name, let version):
            return ServerRequest(.get, "\(path)/\(ServerRequest.encoded(name))?version=\(version)")
        case .delete(let name): return ServerRequest(.delete, "\(path)/\(ServerRequest.encoded(name))")
        case .createRepository(let name, let retention):
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("name")
            writer.value(name)
            if let retention { try Self.append(retention: retention, to: &writer) }
            writer.endObject()
            return Self.post(path, writer)
        case .setRetention(let name, let retention):
            var writer = JSONWriter()
            writer.beginObject()
            try Self.append(retention: retention, to: &writer)
            writer.endObject()
            return ServerRequest(
                .patch,
                "\(path)/\(ServerRequest.encoded(name))",
                headers: [("Content-Type", "application/json")],
                body: writer.bytes
            )
        case .setParser(let name, let file):
            return ServerRequest(
                .put,
                "\(path)/\(ServerRequest.encoded(name))",
                headers: [("Accept", "application/json")],
                body: try LocalInput.open(file).array
            )
        case .createToken(let name, let kind, let repository):
            var writer = JSONWriter()
            writer.beginObject()
            for (key, value) in [("name", name), ("kind", kind), ("repository", repository ?? "")] where !value.isEmpty
            {
                writer.key(key)
                writer.value(value)
            }
            writer.endObject()
            return Self.post(path, writer)
        }
    }

    private static func append(retention: String, to writer: inout JSONWriter) throws {
        guard let length = Moment.length(retention), length >= 1_000_000_000 else {
            throw CommandError(.usage, "--retention: '\(retention)' is no length of time; write one such as 30d")
        }
        writer.key("retentionSeconds")
        writer.value(Int(length / 1_000_000_000))
    }

    private static func post(_ path: String, _ body: JSONWriter) -> ServerRequest {
        ServerRequest(.post, path, headers: [("Content-Type", "application/json")], body: body.bytes)
    }

    private static func showScript(_ reply: ServerReply) throws {
        let row = AnswerRow()
        guard reply.body.withUnsafeBytes({ row.read($0) }), let script = row.text("script") else {
            throw CommandError(.serverUnreachable, "the server's answer is not a parser")
        }
        var output = OutputStream()
        try output.write(script.hasSuffix("\n") ? script : script + "\n")
        try output.finish()
    }

    /// The secret is shown now and never again.
    private func showToken(_ reply: ServerReply) throws {
        let row = AnswerRow()
        guard reply.body.withUnsafeBytes({ row.read($0) }), let secret = row.text("token") else {
            throw CommandError(.serverUnreachable, "the server made a token but did not tell it")
        }
        var output = OutputStream()
        try output.write(self.isJSON ? reply.text + "\n" : secret + "\n")
        try output.finish()
        if !self.isJSON { Notes.write("this is the only time that the token is shown") }
    }
}

/// An object, or a list of objects, of the server's answers as a table or as lines of JSON.
enum AdministrationTable {
    static func write(_ value: JSONValue, isJSON: Bool, terminal: Terminal) throws {
        var output = OutputStream()
        var writer = (isJSON ? AnswerFormat.json : .table).writer(terminal: terminal)
        for element in value.array ?? [value] {
            guard case .object = element else { continue }
            try JSONLine.bytes(of: element).withUnsafeBytes { try writer.write($0, to: &output) }
        }
        try writer.finish(AnswerSummary(), to: &output)
        try output.finish()
    }
}
