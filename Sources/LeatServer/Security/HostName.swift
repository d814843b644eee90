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
