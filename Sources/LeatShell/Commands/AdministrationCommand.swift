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
        case createToken(TokenRequest)
        /// How long events are kept from now on.
        case setRetention(String, retention: String)
        /// A parser from its YAML or JSON file, new or in place of the old one.
        case setParser(String, path: String)
    }

    public var subject: Subject
    public var action: Action

    public init(_ subject: Subject, _ action: Action) {
        self.subject = subject
        self.action = action
    }

    public func run(in context: CommandContext) async throws -> ExitStatus {
        let reply = try await context.ask(try self.request())
        switch self.action {
        case .show where self.subject == .parsers && !context.isJSON, .showVersion where !context.isJSON:
            try Self.showScript(reply, context.terminal)
        case .list, .show, .showVersion:
            let value = try reply.json()
            if self.subject == .repositories, !context.isJSON {
                try RepositoryList.write(value.array ?? [value], terminal: context.terminal)
            } else {
                try AdministrationTable.write(value, in: context)
            }
        case .delete(let name): Notes.write("\(self.subject.one) '\(name)' is gone")
        case .createRepository(let name, _): Notes.write("repository '\(name)' is there")
        case .setRetention(let name, let retention): Notes.write("repository '\(name)' keeps events for \(retention)")
        case .createToken: try Self.showToken(reply, asJSON: context.isJSON)
        case .setParser(let name, _): Notes.write("parser '\(name)' is there")
        }
        return .success
    }

    private func request() throws -> ServerRequest {
        let path = "/api/v1/\(self.subject.rawValue)"
        switch self.action {
        case .list: return ServerRequest(.get, path)
        case .show(let name): return ServerRequest(.get, try ServerRequest.path(path, name))
        case .showVersion(let name, let version):
            return ServerRequest(.get, try ServerRequest.path(path, name) + "?version=\(version)")
        case .delete(let name): return ServerRequest(.delete, try ServerRequest.path(path, name))
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
                try ServerRequest.path(path, name),
                headers: [("Content-Type", "application/json")],
                body: writer.bytes
            )
        case .setParser(let name, let file):
            return ServerRequest(
                .put,
                try ServerRequest.path(path, name),
                headers: [("Accept", "application/json")],
                body: try LocalInput.open(file).array
            )
        case .createToken(let token): return Self.post(path, try token.writer())
        }
    }

    private static func append(retention: String, to writer: inout JSONWriter) throws {
        writer.key("retentionSeconds")
        writer.value(try Self.seconds(retention, flag: "--retention"))
    }

    /// A length of time of a second or more.
    fileprivate static func seconds(_ text: String, flag: String) throws(CommandError) -> Int {
        guard let length = Moment.length(text), length >= 1_000_000_000 else {
            throw CommandError(.usage, "\(flag): '\(text)' is no length of time; write one such as 30d")
        }
        return Int(length / 1_000_000_000)
    }

    private static func post(_ path: String, _ body: JSONWriter) -> ServerRequest {
        ServerRequest(.post, path, headers: [("Content-Type", "application/json")], body: body.bytes)
    }

    private static func showScript(_ reply: ServerReply, _ terminal: Terminal) throws {
        let row = AnswerRow()
        guard reply.body.withUnsafeBytes({ row.read($0) }), let script = row.text("script") else {
            throw CommandError(.serverUnreachable, "the server's answer is not a parser")
        }
        var output = OutputStream()
        let lines = script.hasSuffix("\n") ? script : script + "\n"
        try output.write(ShownText.lines(Array(lines.utf8), terminal: terminal))
        try output.finish()
    }

    /// The secret is shown now and never again.
    private static func showToken(_ reply: ServerReply, asJSON: Bool) throws {
        let row = AnswerRow()
        guard reply.body.withUnsafeBytes({ row.read($0) }), let secret = row.text("token") else {
            throw CommandError(.serverUnreachable, "the server made a token but did not tell it")
        }
        var output = OutputStream()
        try output.write(asJSON ? reply.text + "\n" : secret + "\n")
        try output.finish()
        for warning in (try reply.json()["warnings"]?.array ?? []).compactMap(\.string) { Notes.warn(warning) }
        if !asJSON { Notes.write("this is the only time that the token is shown") }
    }
}

/// A token as it is asked for.
public struct TokenRequest: Hashable, Sendable {
    public var name: String
    /// `ingest`, `query` or `admin`.
    public var kind: String
    public var repository: String?
    public var parser: String?
    /// How long it is valid, such as `90d`; `nil`: for ever.
    public var lifetime: String?

    public init(name: String, kind: String) {
        self.name = name
        self.kind = kind
    }

    fileprivate func writer() throws(CommandError) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        let texts: [(String, String?)] = [
            ("name", self.name), ("kind", self.kind), ("repository", self.repository), ("parser", self.parser),
        ]
        for case (let key, let value?) in texts {
            writer.key(key)
            writer.value(value)
        }
        if let lifetime {
            writer.key("expiresInSeconds")
            writer.value(try AdministrationCommand.seconds(lifetime, flag: "--expires"))
        }
        writer.endObject()
        return writer
    }
}
