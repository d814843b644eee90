internal import HTTPTypes
internal import LeatCore

/// Who may do what.
///
/// While no admin token exists the server is *open*: credentials are ignored, and a request is refused if a web page could
/// have sent it (design 2.2). From the first admin token on, every request needs a token that has the right.
struct Access: Sendable {
    let tokens: TokenStore
    let time: any TimeSource
    /// Whether any `Host` is served, although there are no tokens.
    let isUnsafe: Bool

    /// Refuses requests that a web page on another host may have caused.
    func checkOrigin(of call: Call, _ route: Route) throws(RequestFault) {
        if case .health = route { return }
        if self.tokens.isClosed { return }
        let host = call.authority ?? call.header("host")
        if let host, !self.isUnsafe, !HostName(authority: host).isLocal {
            throw .init(
                status: 403,
                type: "security_exception",
                reason: "host '\(host)' is not this machine; without tokens only localhost is served",
                for: route
            )
        }
        guard let origin = call.header("origin") else { return }
        let isAllowed =
            self.isUnsafe
            ? HostName(origin: origin) == host.map(HostName.init(authority:)) : HostName(origin: origin).isLocal
        guard isAllowed else {
            throw .init(
                status: 403,
                type: "security_exception",
                reason: "origin '\(origin)' may not use this server",
                for: route
            )
        }
    }

    /// Who sends a request, who may do what the route asks for.
    ///
    /// - Throws: 401 without a valid token, 403 when it lacks the right.
    func credential(of call: Call, for route: Route) throws(RequestFault) -> Credential {
        guard self.tokens.isClosed, let right = route.right(call) else { return .open }
        let shown = Self.secrets(of: call)
        let token = shown.lazy.compactMap { self.tokens.token($0, at: self.time.now()) }.first
        let isAllowed = token.map { $0.kind == .admin || right.kinds.contains($0.kind) } ?? false
        if right.isOptional, !isAllowed { return .nobody }
        guard let token else { throw Self.unauthorized(isTokenShown: !shown.isEmpty, route) }
        guard isAllowed else {
            throw Self.forbidden("a token of kind '\(token.kind.rawValue)' does not allow this", route)
        }
        if right.isOfAll, let bound = token.repository {
            throw Self.forbidden("the token is for the repository '\(bound)', and this concerns all of them", route)
        }
        if right.isOwnRepository, token.kind != .admin {
            throw Self.forbidden("only the server itself writes to '\(RepositoryNames.own)'", route)
        }
        if let bound = token.repository, let asked = route.repository, bound != asked {
            throw Self.forbidden("the token is for the repository '\(bound)', not for '\(asked)'", route)
        }
        return Credential(
            id: token.name,
            parser: token.parser,
            scope: token.repository,
            mayAdminister: token.kind == .admin,
            tokenHash: token.hash
        )
    }

    /// Whether who sent a request that is still being answered could send it now.
    func isCurrent(_ credential: Credential) -> Bool {
        guard let hash = credential.tokenHash else { return !self.tokens.isClosed }
        return self.tokens.isValid(hash: hash, at: self.time.now())
    }

    private static func unauthorized(isTokenShown: Bool, _ route: Route) -> RequestFault {
        var fault = RequestFault(
            status: 401,
            type: "security_exception",
            reason: isTokenShown
                ? "the token is not valid; it may have expired or been deleted"
                : "a token is needed: send it as 'Authorization: Bearer TOKEN', or as the password of Basic",
            for: route
        )
        if case .splunk = fault.style {
            fault =
                isTokenShown
                ? .splunk(403, code: 4, "Invalid token") : .splunk(401, code: 2, "Token is required")
        }
        fault.headers = [.init(name: "WWW-Authenticate", value: "Basic realm=\"leat\", charset=\"UTF-8\"")]
        return fault
    }

    private static func forbidden(_ reason: String, _ route: Route) -> RequestFault {
        .init(status: 403, type: "security_exception", reason: reason, for: route)
    }

    /// All texts of a request that may be a token: Bearer, ApiKey (also as base64 of `id:key`), Basic with the token as
    /// user or password, Splunk, and the parameter `token`.
    static func secrets(of call: Call) -> [Secret] {
        var texts: [String] = []
        let parts = (call.header("authorization") ?? "").split(separator: " ", maxSplits: 1)
        if parts.count == 2 {
            let value = parts[1].trimming()
            switch parts[0].lowercased() {
            case "basic": texts = Base64.decode(value).map(Self.halves) ?? []
            case "apikey": texts = [value] + (Base64.decode(value).map(Self.halves) ?? [])
            case "bearer", "splunk", "token": texts = [value]
            default: break
            }
        }
        if let token = call.target["token"] { texts.append(token) }
        return texts.filter { !$0.isEmpty }.map(Secret.init)
    }

    /// The part after the first colon, the part before it, and the whole.
    private static func halves(_ text: String) -> [String] {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return parts.reversed() + (parts.count > 1 ? [text] : [])
    }
}

/// Who sent a request.
struct Credential: Hashable, Sendable {
    /// The token's name, empty in open mode.
    let id: String
    /// The parser that the token selects.
    var parser: String?
    /// The only repository that the token may see or write to, and so the one it selects; `nil`: all.
    var scope: String?
    /// Whether the token may change what belongs to all.
    var mayAdminister = false
    /// The hash of the token's secret; `nil` in open mode.
    var tokenHash: String?

    /// Open mode: everyone on this machine.
    static let open = Credential(id: "", mayAdminister: true)

    /// Who shows no token that counts, where none is needed: sees no repository, as none has an empty name.
    static let nobody = Credential(id: "", scope: "")

    /// Whether events and figures of a repository may be seen.
    func sees(_ repository: String) -> Bool { self.scope == nil || self.scope == repository }

    /// The repository that a request is about: the token's, else the one that it names, else the standard one.
    func repository(named name: String?) -> String { self.scope ?? name ?? RepositoryNames.standard }
}

/// What a request must be allowed to do.
struct Right: Hashable, Sendable {
    /// The kinds of token that will do, beside admin.
    let kinds: Set<Token.Kind>
    /// Whether it writes to the server's own repository.
    var isOwnRepository = false
    /// Whether it concerns all repositories, so that a token that is bound to one will not do.
    var isOfAll = false
    /// Whether the request is served without it too, only with less in its answer.
    var isOptional = false
}

extension Route {
    /// The repository that a route names.
    var repository: String? {
        switch self {
        case .elastic(_, let repository), .ingest(_, let repository): repository
        case .query(let repository), .queryJobs(let repository), .queryJob(let repository, _), .fields(let repository):
            repository
        case .repository(let name), .files(let name, _), .savedQueries(let name, _): name
        case .deletions(let repository, _): repository
        default: nil
        }
    }

    /// What a request needs; `nil`: nothing.
    func right(_ call: Call) -> Right? {
        let isRead = call.method == .get || call.method == .head
        switch self {
        case .health, .ingest(.splunkHealth, _): return nil
        case .status: return Right(kinds: [.query], isOptional: true)
        case .elastic(.bulk, _), .elastic(.document, _), .elastic(.create, _), .elastic(.update, _), .ingest:
            return Right(kinds: [.ingest], isOwnRepository: self.repository == RepositoryNames.own)
        case .elastic(.count, _), .elastic(.search, _), .elastic(.cat, _): return Right(kinds: [.query])
        // Shippers define templates, policies, pipelines and indexes before they send; who may only ask defines nothing.
        case .elastic(.definition, _), .elastic(.index, _): return Right(kinds: isRead ? [.ingest, .query] : [.ingest])
        case .elastic: return Right(kinds: [.ingest, .query])
        case .query, .queryJobs, .queryJob, .fields, .graphQL: return Right(kinds: [.query])
        case .files, .savedQueries, .repository: return Right(kinds: isRead ? [.query] : [])
        case .repositories, .parsers: return Right(kinds: isRead ? [.query] : [], isOfAll: !isRead)
        case .metrics: return call.isFromLoopback ? nil : Right(kinds: [.query], isOfAll: true)
        case .deletions: return Right(kinds: [])
        case .tokens, .token, .users, .compact, .unknown: return Right(kinds: [], isOfAll: true)
        }
    }
}
