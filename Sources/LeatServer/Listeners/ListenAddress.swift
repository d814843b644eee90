/// Where a listener listens.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv6 host is written without brackets here.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// From `HOST:PORT`, `:PORT` (every address) or `[V6]:PORT`; `nil` when the text is no address.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.host = host.isEmpty ? "0.0.0.0" : String(host)
        self.port = Int(port)
    }

    public var description: String { (self.host.contains(":") ? "[\(self.host)]" : self.host) + ":\(self.port)" }

    /// Whether only this machine can reach the address.
    var isLoopback: Bool { HostName(authority: self.host.contains(":") ? "[\(self.host)]" : self.host).isLocal }
}
