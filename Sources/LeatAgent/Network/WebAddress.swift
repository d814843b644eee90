/// `http://user:password@host:port/path`, as configurations name servers and proxies.
struct WebAddress: Hashable, Sendable {
    let isEncrypted: Bool
    /// What stands before `@`.
    let user: String?
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int
    /// From the first slash behind the authority on; `/` when there is none.
    let path: String

    /// Reads an address; `nil` when a text is none.
    init?(_ text: String) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else { return nil }
        self.isEncrypted = scheme == "https"
        var authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" }
        let path = text[authority.endIndex...]
        self.path = path.hasPrefix("/") ? String(path) : "/" + path
        if let at = authority.lastIndex(of: "@") {
            self.user = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        } else {
            self.user = nil
        }
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let port = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(port) else {
                return nil
            }
            self.port = port
            authority = authority[..<colon]
        } else {
            self.port = self.isEncrypted ? 443 : 80
        }
        let host = authority.filter { $0 != "[" && $0 != "]" }
        guard !host.isEmpty else { return nil }
        self.host = host
    }
}
