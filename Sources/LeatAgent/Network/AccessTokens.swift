internal import LeatCore
internal import LeatParsing

/// The access token of an output that proves itself by OAuth 2 client credentials (RFC 6749, section 4.4).
///
/// A token is asked for when the first request needs one, and again shortly before it ends or when the server refuses it.
final class AccessTokens {
    /// What the token endpoint is told.
    struct Options {
        var endpoint: Endpoint
        var path = "/"
        var tls: TLSClient?
        var clientID: String
        var clientSecret: String
        /// Whether id and secret are in the `Authorization` header rather than in the form.
        var usesBasic = true
        /// `scope`, `audience` and the like, as far as they are set.
        var parameters: [(name: String, value: String)] = []
        var userAgent = "leat-agent"
        /// A token is renewed this long before it ends.
        var skew = Duration.seconds(60)
    }

    /// Why there is no token.
    struct Failure: Error { let reason: String }

    private static let answerByteCountMax = 1 << 20
    /// The life of a token whose answer does not say.
    private static let usualLifeSeconds: Int64 = 300

    private let options: Options
    private let connection: HTTPConnection
    private let loop: EventLoop
    private var token: (text: String, until: UInt64)?
    private var waiters: [(Result<String, Failure>) -> Void] = []

    init(_ options: Options, loop: EventLoop) {
        self.options = options
        self.loop = loop
        self.connection = HTTPConnection(endpoint: options.endpoint, tls: options.tls, loop: loop)
    }

    /// Calls `body` with a token that is good, at once or later.
    func withToken(_ body: @escaping (Result<String, Failure>) -> Void) {
        if let token, self.loop.time.monotonicNanoseconds() < token.until { return body(.success(token.text)) }
        self.waiters.append(body)
        if self.waiters.count == 1 { self.ask() }
    }

    /// Forgets a token that the server does not accept.
    func forget(_ text: String) { if self.token?.text == text { self.token = nil } }

    func close() { self.connection.close() }

    private func ask() {
        var request = HTTPRequest(path: self.options.path)
        request.headers = [
            ("User-Agent", self.options.userAgent), ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ]
        var form = [("grant_type", "client_credentials")] + self.options.parameters
        if self.options.usesBasic {
            let credentials = "\(self.options.clientID):\(self.options.clientSecret)"
            request.headers.append(("Authorization", "Basic " + Base64.text(Array(credentials.utf8))))
        } else {
            form += [("client_id", self.options.clientID), ("client_secret", self.options.clientSecret)]
        }
        let body = form.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
        var answer: [UInt8] = []
        self.connection.send(request, body: Array(body.utf8)) { bytes in
            if answer.count + bytes.count <= Self.answerByteCountMax { answer.append(contentsOf: bytes) }
        } completion: { [weak self] result in
            self?.received(result, answer)
        }
    }

    /// A value of a form: everything but unreserved characters as `%XX`.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }

    private func received(_ result: Result<HTTPResponseParser.Head, HTTPFailure>, _ answer: [UInt8]) {
        let place = "token endpoint \(self.options.endpoint.authority)"
        let outcome: Result<String, Failure>
        switch result {
        case .failure(let failure): outcome = .failure(Failure(reason: "\(place): \(failure.reason)"))
        case .success(let head) where !(200..<300).contains(head.status):
            outcome = .failure(Failure(reason: "\(place) answers \(head.status)"))
        case .success:
            if let (text, life) = Self.token(in: answer) {
                self.keep(text, lifeSeconds: life)
                outcome = .success(text)
            } else {
                outcome = .failure(Failure(reason: "\(place) answers without a bearer token"))
            }
        }
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter(outcome) }
    }

    private func keep(_ text: String, lifeSeconds: Int64) {
        // One that would end at once is used while it lasts.
        let skew = self.options.skew.components.seconds
        let seconds = lifeSeconds > skew ? lifeSeconds - skew : lifeSeconds / 2
        self.token = (text, self.loop.time.monotonicNanoseconds() + UInt64(max(0, seconds)) * 1_000_000_000)
    }

    /// The token of an answer, and its life in seconds; `nil` when there is none that a header can carry.
    static func token(in answer: [UInt8]) -> (text: String, lifeSeconds: Int64)? {
        answer.withUnsafeBytes { answer in
            let compact: [UInt8]
            do throws(JSONError) {
                compact = try JSONCompact.compacted(answer.trimmed)
            } catch {
                return nil
            }
            guard compact.first == UInt8(ascii: "{") else { return nil }
            return compact.dropFirst().dropLast().withUnsafeBytes { members in
                func text(_ name: String) -> String? {
                    FieldPath(name: name).find(in: members).map { range in
                        var bytes: [UInt8] = []
                        RecordTemplate.appendText(of: members.slice(range), to: &bytes)
                        return String(decoding: bytes, as: UTF8.self)
                    }
                }
                guard let token = text("access_token"), !token.isEmpty,
                    token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                    text("token_type")?.equalsIgnoringCase("bearer") ?? true
                else { return nil }
                let life = text("expires_in").flatMap { Double($0) }.flatMap { Int64(exactly: $0.rounded(.down)) }
                return (token, max(0, min(life ?? Self.usualLifeSeconds, 1 << 31)))
            }
        }
    }
}

extension AccessTokens.Options {
    /// The `oauth2.…` keys of an output; `nil` when they are off.
    init?(_ settings: Settings) throws(Diagnostics) {
        guard settings.has("oauth2.enable"), settings.flag("oauth2.enable") else { return nil }
        let mark = settings.entries("oauth2.enable").last?.keyMark ?? settings.section.mark
        func needed(_ key: String) throws(Diagnostics) -> String {
            guard let text = settings.text(key), !text.isEmpty else {
                throw Diagnostics(mark.diagnostic("oauth2.enable needs \(key)"))
            }
            return text
        }
        let url = try needed("oauth2.token_url")
        guard let address = WebAddress(url), address.user == nil else {
            let place = settings.entries("oauth2.token_url").last?.valueMark ?? mark
            throw Diagnostics(
                place.diagnostic("'\(url)' is no address", hint: "such as https://login.example/oauth/token")
            )
        }
        self.init(
            endpoint: Endpoint(host: address.host, port: address.port),
            path: address.path,
            clientID: try needed("oauth2.client_id"),
            clientSecret: try needed("oauth2.client_secret")
        )
        for (key, name) in [
            ("oauth2.scope", "scope"), ("oauth2.audience", "audience"), ("oauth2.resource", "resource"),
        ] {
            if let text = settings.text(key) { self.parameters.append((name, text)) }
        }
        self.usesBasic = settings.text("oauth2.auth_method")?.lowercased() != "post"
        self.userAgent = settings.text("oauth2.user_agent") ?? self.userAgent
        self.skew = .seconds(max(0, settings.integer("oauth2.refresh_skew_seconds") ?? 60))
        self.endpoint.connectTimeout =
            Self.time(settings, "oauth2.connect_timeout", "net.connect_timeout") ?? .seconds(10)
        self.endpoint.responseTimeout = Self.time(settings, "oauth2.timeout", "http.response_timeout") ?? .seconds(60)
        guard address.isEncrypted else { return }
        var options = TLSSettings.options(settings, isServer: false)
        // That is the name of the server that takes the events.
        options.serverName = nil
        do throws(TLSFailure) {
            self.tls = try TLSClient(options)
        } catch {
            throw Diagnostics(mark.diagnostic(error.reason))
        }
    }

    /// The first of two keys that is set to more than nothing.
    private static func time(_ settings: Settings, _ keys: String...) -> Duration? {
        keys.lazy.compactMap { settings.nanoseconds($0) }.first { $0 > 0 }.map { .nanoseconds($0) }
    }
}
