internal import LeatCore
internal import LeatParsing

/// The access token of an output that proves itself by OAuth 2 client credentials (RFC 6749, section 4.4).
///
/// A token is asked for when the first request needs one, and again shortly before it ends or when the server refuses it.
final class AccessTokens: RequestAuthorizer {
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

    /// What stands before the token in `Authorization`.
    private static let scheme = "Bearer "
    /// The life of a token whose answer does not say.
    private static let usualLifeSeconds: Int64 = 300

    private let connection: HTTPConnection
    private let token: RenewedValue<String>

    init(_ options: Options, loop: EventLoop) {
        let connection = HTTPConnection(endpoint: options.endpoint, tls: options.tls, loop: loop)
        self.connection = connection
        self.token = RenewedValue(loop: loop, skew: options.skew) { received in
            let (request, body) = options.request()
            connection.ask(request, body: body) { received(Self.received($0, from: options.endpoint)) }
        }
    }

    func authorize(_ request: HTTPRequest, _ body: @escaping (Result<HTTPRequest, FetchFailure>) -> Void) {
        self.token.with { result in
            body(
                result.map { token in
                    var request = request
                    request.headers.append(("Authorization", Self.scheme + token))
                    return request
                }
            )
        }
    }

    /// The token may end before its time; the events go again with another.
    func refusal(of request: HTTPRequest, status: Int, text: String) -> String? {
        if status == 401 {
            self.token.forget { token in request.headers.contains { $0.value == Self.scheme + token } }
        }
        return nil
    }

    func close() { self.connection.close() }

    private static func received(
        _ result: Result<HTTPAnswer, HTTPFailure>,
        from endpoint: Endpoint
    ) -> Result<RenewedValue<String>.Fetched, FetchFailure> {
        let place = "token endpoint \(endpoint.authority)"
        switch result {
        case .failure(let failure): return .failure(FetchFailure(reason: "\(place): \(failure.reason)"))
        case .success(let answer) where !answer.isGood:
            return .failure(FetchFailure(reason: "\(place) answers \(answer.status)"))
        case .success(let answer):
            guard let (text, life) = Self.token(in: answer.body) else {
                return .failure(FetchFailure(reason: "\(place) answers without a bearer token"))
            }
            return .success((text, .seconds(life)))
        }
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
    /// The request for a token.
    fileprivate func request() -> (HTTPRequest, body: [UInt8]) {
        var request = HTTPRequest(path: self.path)
        request.headers = [
            ("User-Agent", self.userAgent), ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ]
        var form = [("grant_type", "client_credentials")] + self.parameters
        if self.usesBasic {
            let credentials = "\(self.clientID):\(self.clientSecret)"
            request.headers.append(("Authorization", "Basic " + Base64.text(Array(credentials.utf8))))
        } else {
            form += [("client_id", self.clientID), ("client_secret", self.clientSecret)]
        }
        return (request, Array(PercentEncoding.form(form).utf8))
    }

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
