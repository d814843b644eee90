internal import LeatCore
internal import LeatParsing

/// An HTTP proxy between the agent and a server.
///
/// Without TLS it gets requests with the server's whole address; with TLS it opens a tunnel (RFC 9110, section 9.3.6).
struct Proxy: Hashable, Sendable {
    let host: String
    let port: Int
    /// The value of `Proxy-Authorization`.
    let authorization: String?

    /// Reads `http://user:password@host:port`; `nil` when a text is none.
    init?(_ text: String) {
        guard let address = WebAddress(text), !address.isEncrypted, address.path == "/" else { return nil }
        self.host = address.host
        self.port = address.port
        self.authorization = address.user.map { "Basic " + Base64.text(Array($0.utf8)) }
    }

    /// The header that proves who asks, with its line end; empty without one.
    var header: String { self.authorization.map { "Proxy-Authorization: \($0)\r\n" } ?? "" }
}

extension Proxy {
    /// The key `proxy` of an output; `nil` without it.
    init?(_ settings: Settings) throws(Diagnostics) {
        guard settings.has("proxy"), let entry = settings.entries("proxy").last else { return nil }
        guard let proxy = Proxy(entry.value) else {
            throw Diagnostics(
                entry.valueMark.diagnostic("'\(entry.value)' is no proxy", hint: "such as http://proxy.example:3128")
            )
        }
        self = proxy
    }
}

/// A tunnel that is being asked for: the request on its way, then the proxy's answer.
struct ProxyTunnel {
    /// What the connection's owner does next.
    enum Step: Hashable {
        case waitForRead, waitForWrite
        /// From now on the bytes are the server's.
        case open
        case failed(String)
    }

    private static let answerByteCountMax = 16 << 10

    private let proxy: String
    private var request: ArraySlice<UInt8>
    private var answer: [UInt8] = []

    /// `authority`: the server, as `host:port`.
    init(to authority: String, through proxy: Proxy) {
        self.proxy = "the proxy \(proxy.host):\(proxy.port)"
        self.request = Array("CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\(proxy.header)\r\n".utf8)[...]
    }

    /// Sends and reads as far as that is possible now.
    mutating func advance(_ stream: any ByteStream) -> Step {
        while !self.request.isEmpty {
            switch self.request.withUnsafeBytes({ stream.write($0) }) {
            case .bytes(let count): self.request = self.request.dropFirst(count)
            case .waitForWrite, .waitForRead: return .waitForWrite
            case .closed: return .failed("\(self.proxy) closed the connection")
            case .failed(let reason): return .failed("\(self.proxy): \(reason)")
            }
        }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while self.answer.count < Self.answerByteCountMax {
            switch buffer.withUnsafeMutableBytes({ stream.read(into: $0) }) {
            case .bytes(let count): self.answer += buffer[..<count]
            case .waitForRead, .waitForWrite: return .waitForRead
            case .closed: return .failed("\(self.proxy) closed the connection")
            case .failed(let reason): return .failed("\(self.proxy): \(reason)")
            }
            // The server speaks only after we have, so that nothing may follow the head.
            if self.answer.suffix(4) == Array("\r\n\r\n".utf8)[...] { return self.outcome }
        }
        return .failed("\(self.proxy) answers without end")
    }

    private var outcome: Step {
        let line = String(decoding: self.answer.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            return .failed("\(self.proxy) does not speak HTTP")
        }
        return (200..<300).contains(status) ? .open : .failed("\(self.proxy) answers \(line)")
    }
}
