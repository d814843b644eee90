internal import LeatCore

/// Who may do what.
///
/// While no admin token exists the server is *open*: credentials are ignored, and a request is refused if a web page could
/// have sent it (design 2.2).
struct Access: Sendable {
    /// Whether any `Host` is served, although there are no tokens.
    let isUnsafe: Bool

    /// Refuses requests that a web page on another host may have caused.
    func checkOrigin(of call: Call, _ route: Route) throws(RequestFault) {
        if case .health = route { return }
        if let host = call.authority ?? call.header("host"), !self.isUnsafe, !HostName(authority: host).isLocal {
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
            ? HostName(origin: origin) == (call.authority ?? call.header("host")).map(HostName.init(authority:))
            : HostName(origin: origin).isLocal
        guard isAllowed else {
            throw .init(
                status: 403,
                type: "security_exception",
                reason: "origin '\(origin)' may not use this server",
                for: route
            )
        }
    }

    /// The credential of a request that may do what the route asks for.
    func credential(of call: Call, for route: Route) throws(RequestFault) -> Credential {
        .open
    }
}

/// Who sent a request.
struct Credential: Hashable, Sendable {
    /// The token's id, empty in open mode.
    let id: String
    /// The repository that the token selects.
    var repository: String?

    /// Open mode: everyone on this machine.
    static let open = Credential(id: "", repository: nil)
}

/// The host part of an authority or origin, in lower case.
struct HostName: Hashable, Sendable {
    let name: String

    /// From `host`, `host:port` or `[v6]:port`.
    init(authority: String) {
        if authority.hasPrefix("[") {
            self.name = authority.prefix { $0 != "]" }.lowercased() + "]"
        } else {
            self.name = authority.prefix { $0 != ":" }.lowercased()
        }
    }

    /// From `scheme://authority`; `null` and the like have no host.
    init(origin: String) {
        let authority = origin.firstRange(of: "://").map { origin[$0.upperBound...].prefix { $0 != "/" } }
        self.init(authority: String(authority ?? ""))
    }

    /// `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
    var isLocal: Bool {
        if self.name == "localhost" || self.name.hasSuffix(".localhost") || self.name == "[::1]" { return true }
        let parts = self.name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
