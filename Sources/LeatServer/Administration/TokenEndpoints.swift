internal import HTTPTypes
internal import LeatCore
internal import LeatStorage

/// `GET|POST /api/v1/tokens`, `GET|DELETE /api/v1/tokens/NAME`.
struct TokenEndpoints: Sendable {
    let tokens: TokenStore
    let parsers: ParserStore
    let store: Store
    let live: LiveQueries
    let time: any TimeSource

    func reply(to call: Call, name: String?) async throws -> Reply {
        switch (call.method, name) {
        case (.get, nil), (.head, nil): return Reply(200, json: .array(self.tokens.all.map(\.description)))
        case (.post, nil): return try await self.create(call)
        case (.get, .some(let name)), (.head, .some(let name)):
            guard let token = self.tokens.all.first(where: { $0.name == name }) else { throw Self.unknown(name) }
            return Reply(200, json: token.description)
        case (.delete, .some(let name)):
            let tokens = self.tokens
            guard try await Blocking.run({ try tokens.remove(name) }) else { throw Self.unknown(name) }
            self.live.nudge()
            return Reply(204)
        default: throw RequestFault.text(405, "method_not_allowed", "use GET, POST or DELETE")
        }
    }

    private static func unknown(_ name: String) -> RequestFault {
        .text(404, "unknown_token", "no token '\(name)'")
    }

    /// Body: `{"name","kind":"ingest|query|admin","repository","parser","expiresInSeconds"}`; the answer has the secret
    /// in the member `token`, for the only time.
    private func create(_ call: Call) async throws -> Reply {
        let body = try await call.jsonBody()
        try MemberNames.check(body, ["name", "kind", "repository", "parser", "expiresInSeconds"])
        let (token, secret) = try self.token(body, now: self.time.now())
        let tokens = self.tokens
        try await Blocking.run { try tokens.add(token) }
        // The first admin token ends what was allowed without one.
        self.live.nudge()
        var members = (token.description.object ?? []) + [.init("token", .string(secret.text))]
        members.append(.init("warnings", .array(self.warnings(token).map { .string($0) })))
        return Reply(201, json: .object(members))
    }

    /// A repository may be made by the first event that comes for it, so that a token for one that is unknown is no mistake,
    /// but its name may be one.
    private func warnings(_ token: Token) -> [String] {
        guard let name = token.repository, self.store.repository(named: name) == nil else { return [] }
        let nearest = NearestName.find(name, among: self.store.repositories.map(\.name))
        return ["there is no repository '\(name)' yet" + (nearest.map { "; did you mean '\($0)'?" } ?? "")]
    }

    private func token(_ body: JSONValue, now: Timestamp) throws(RequestFault) -> (Token, Secret) {
        guard let name = body["name"]?.string, (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x2F && $0 != 0x7F })
        else {
            throw .text(400, "bad_request", "the member name must be a string of 1 to 64 bytes without spaces or '/'")
        }
        try GivenName.check(name, of: "token")
        let kindText = body["kind"]?.string ?? ""
        guard let kind = Token.Kind(rawValue: kindText) else {
            throw .text(400, "bad_request", "the member kind must be ingest, query or admin, not '\(kindText)'")
        }
        let repository = try Self.text(body, "repository")
        guard kind != .ingest || repository != RepositoryNames.own else {
            throw .text(400, "bad_request", "only the server itself writes to '\(RepositoryNames.own)'")
        }
        if let repository, !Repository.isValid(name: repository) {
            throw .text(
                400,
                "bad_request",
                "'\(repository)' cannot be a repository's name: 1 to 64 letters, digits, dots, dashes or underscores"
            )
        }
        let parser = try Self.text(body, "parser")
        guard parser == nil || kind == .ingest else {
            throw .text(400, "bad_request", "only events of an ingest token run through a parser")
        }
        if let parser, self.parsers.definition(parser) == nil { throw ParserEndpoints.unknown(parser, self.parsers) }
        var expiresAt: Timestamp?
        if let value = body["expiresInSeconds"], !value.isNull {
            guard let seconds = value.integer, (1...3_153_600_000).contains(seconds) else {
                throw .text(400, "bad_request", "the member expiresInSeconds must be a positive number")
            }
            expiresAt = Timestamp(nanoseconds: now.nanoseconds + seconds * 1_000_000_000)
        }
        let secret = Secret.random(kind)
        let token = Token(
            name: name,
            kind: kind,
            repository: repository,
            parser: parser,
            createdAt: now,
            expiresAt: expiresAt,
            secret: secret
        )
        return (token, secret)
    }

    /// A member that is a string, or missing, or null.
    private static func text(_ body: JSONValue, _ name: String) throws(RequestFault) -> String? {
        guard let value = body[name], !value.isNull else { return nil }
        guard let text = value.string else { throw .text(400, "bad_request", "the member \(name) must be a string") }
        return text
    }
}
