/// Where a server listens: `http://HOST:PORT/PREFIX`.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    public static let portDefault = 9200

    public let isSecure: Bool
    /// A name or an address; IPv6 without brackets.
    public let host: String
    public let port: Int
    /// What stands before `/api`; empty, or begins with `/` and does not end with one.
    public let pathPrefix: String

    /// Reads a URL, or `HOST[:PORT]`; `nil` when it is neither.
    public init?(_ text: String) {
        var rest = Substring(text)
        var isSecure = false
        if rest.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else if rest.hasPrefix("http://") {
            rest = rest.dropFirst(7)
        } else if rest.contains("://") {
            return nil
        }
        let hasScheme = rest.count != text.count
        let authority = rest.prefix { $0 != "/" }
        guard let (host, port) = Self.split(authority) else { return nil }
        self.isSecure = isSecure
        self.host = host
        self.port = port ?? (isSecure ? 443 : hasScheme ? 80 : Self.portDefault)
        let path = rest.dropFirst(authority.count)
        self.pathPrefix = String(path.reversed().drop { $0 == "/" }.reversed())
    }

    /// Takes `HOST`, `HOST:PORT`, `[IPV6]:PORT` apart.
    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains("@"), !host.contains(" ") else { return nil }
        guard let port else { return (String(host), nil) }
        guard let number = Int(port), (1...65_535).contains(number) else { return nil }
        return (String(host), number)
    }

    public var description: String {
        let shown = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.isSecure ? "https" : "http")://\(shown):\(self.port)\(self.pathPrefix)"
    }

    /// What the `Host` header says.
    var hostHeader: String {
        let shown = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(shown):\(self.port)"
    }
}
