internal import LeatCore

/// `leat file` and `leat saved`: what a repository keeps for its queries under names.
public struct LibraryCommand: Sendable {
    public enum Resource: Hashable, Sendable {
        /// Tables that `match()` and `readFile()` look things up in.
        case lookupFile
        /// Queries that other queries call as `$name()`.
        case savedQuery
    }

    /// Where the content of an entry comes from.
    public enum Source: Hashable, Sendable {
        /// A local file, `-` for standard input.
        case file(path: String)
        case text(String)
    }

    public enum Action: Hashable, Sendable {
        case list
        case show(String)
        /// New, or in place of the old one; without a name that of the file.
        case create(String?, Source)
        case delete(String)
    }

    public var resource: Resource
    public var action: Action

    public init(_ resource: Resource, _ action: Action) {
        self.resource = resource
        self.action = action
    }

    public func run(in context: CommandContext) async throws -> ExitStatus {
        switch self.action {
        case .list: try AdministrationTable.write(try await self.ask(.get, in: context).json(), in: context)
        case .show(let name):
            let reply = try await self.ask(.get, name, in: context)
            var output = OutputStream()
            try output.write(ShownText.lines(try self.shown(reply, asJSON: context.isJSON), terminal: context.terminal))
            try output.finish()
        case .create(let name, let source): try await self.create(name, source, in: context)
        case .delete(let name):
            _ = try await self.ask(.delete, name, in: context)
            Notes.write("\(self.resource.one) '\(name)' is gone")
        }
        return .success
    }

    private func create(_ name: String?, _ source: Source, in context: CommandContext) async throws {
        let content: [UInt8]
        var fileName: String?
        switch source {
        case .text(let text): content = Array(text.utf8)
        case .file(let path):
            fileName = path == "-" ? nil : path.split(separator: "/").last.map(String.init) ?? path
            guard name ?? fileName != nil else {
                throw CommandError(.usage, "--name: name what comes from standard input")
            }
            content = try LocalInput.open(path).array
        }
        let name = name ?? fileName ?? ""
        _ = try await self.ask(.put, name, body: try self.resource.body(of: content), in: context)
        Notes.write("\(self.resource.one) '\(name)' is there; \(self.resource.use(of: name))")
    }

    private func shown(_ reply: ServerReply, asJSON: Bool) throws -> [UInt8] {
        switch self.resource {
        case .lookupFile: return reply.body
        case .savedQuery:
            if asJSON { return reply.body + [0x0A] }
            return Array(((try reply.json()["queryString"]?.string ?? "") + "\n").utf8)
        }
    }

    /// Asks about the entry of that name, or without one about all.
    private func ask(
        _ method: ServerRequest.Method,
        _ name: String? = nil,
        body: [UInt8] = [],
        in context: CommandContext
    ) async throws -> ServerReply {
        let repository = context.settings.repository
        var path = "/api/v1/repositories/\(ServerRequest.encoded(repository))/\(self.resource.path)"
        if let name { path = try ServerRequest.path(path, name) }
        var request = ServerRequest(method, path, body: body)
        if method == .put, self.resource == .savedQuery {
            request.headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        }
        return try await context.ask(request, repository: repository)
    }
}

extension LibraryCommand.Resource {
    /// The last part of the path of all of them.
    fileprivate var path: String { self == .lookupFile ? "files" : "savedqueries" }

    /// The name of one, for messages.
    fileprivate var one: String { self == .lookupFile ? "file" : "saved query" }

    /// What is sent for some content.
    fileprivate func body(of content: [UInt8]) throws -> [UInt8] {
        guard self == .savedQuery else { return content }
        let query = String(decoding: content, as: UTF8.self)
        // What can be known to be wrong is shown here, with its place.
        try QueryCheck.check(query)
        var body = JSONWriter()
        body.beginObject()
        body.key("queryString")
        body.value(query)
        body.endObject()
        return body.bytes
    }

    /// How queries use one.
    fileprivate func use(of name: String) -> String {
        switch self {
        case .lookupFile: return "queries look it up with match(file=\"\(name)\", …)"
        case .savedQuery:
            let isPlain = name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
            return "other queries call it as \(isPlain ? "$\(name)()" : "$\"\(name)\"()")"
        }
    }
}
