internal import LeatCore

/// What a place says that may have credentials.
enum CredentialAnswer {
    case found(AWSCredentials)
    /// The place has none, and nothing says that it should; the next one is asked.
    case absent(String)
    /// The place should have some.
    case failed(String)
}

/// A place that may have credentials.
protocol CredentialSource {
    /// Calls `body` once, at once or later; never while another call is under way.
    func fetch(_ body: @escaping (CredentialAnswer) -> Void)

    /// Ends all connections; what is being fetched fails.
    func close()
}

extension CredentialSource {
    func close() {}
}

/// Places that are asked one after the other until one has credentials.
///
/// One that should have some and fails ends the search: with the role of the next place, say the machine's, requests
/// would have rights that nobody meant them to have.
struct CredentialChain: CredentialSource {
    let sources: [any CredentialSource]

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) { self.ask(self.sources[...], reasons: [], body) }

    private func ask(
        _ rest: ArraySlice<any CredentialSource>,
        reasons: [String],
        _ body: @escaping (CredentialAnswer) -> Void
    ) {
        guard let source = rest.first else { return body(.absent(reasons.joined(separator: "; "))) }
        source.fetch { answer in
            guard case .absent(let reason) = answer else { return body(answer) }
            self.ask(rest.dropFirst(), reasons: reasons + [reason], body)
        }
    }

    func close() { for source in self.sources { source.close() } }
}

/// What sources of credentials see of the process and the machine.
struct AWSSurroundings {
    let variables: [String: String]
    let files: any FileSystem
    /// For the services that want it.
    let tls: TLSClient
    let loop: EventLoop

    /// The value of an environment variable; `nil` also for an empty one.
    func variable(_ name: String) -> String? { self.variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The text of a file without white space around it.
    func text(of path: String) throws(FileSystemError) -> String {
        try self.files.contents(path).withUnsafeBytes { $0.trimmed.text }
    }

    /// Where credentials are looked for, in the order of Fluent Bit.
    func chain(_ settings: AWSSettings) -> CredentialChain {
        CredentialChain(
            sources: [
                EnvironmentCredentials(surroundings: self),
                ProfileCredentials(profile: settings.profile, surroundings: self),
                WebIdentityCredentials(settings, self), ContainerCredentials(self), InstanceCredentials(self),
            ]
        )
    }
}

/// Credentials in environment variables.
struct EnvironmentCredentials: CredentialSource {
    let surroundings: AWSSurroundings

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) {
        guard let id = self.surroundings.variable("AWS_ACCESS_KEY_ID"),
            let secret = self.surroundings.variable("AWS_SECRET_ACCESS_KEY")
        else { return body(.absent("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")) }
        let token = self.surroundings.variable("AWS_SESSION_TOKEN")
        let credentials = AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: token)
        body(credentials.map { .found($0) } ?? .failed("AWS_ACCESS_KEY_ID and its like hold what no header can carry"))
    }
}

/// A small service that gives credentials, asked for one thing at a time.
final class CredentialService {
    /// Longest waits for a connection and for an answer, as in Fluent Bit.
    private static let patience = Duration.seconds(5)

    /// `http://host:port`, for messages.
    let name: String
    private let connection: HTTPConnection
    private let loop: EventLoop

    init(_ address: WebAddress, _ surroundings: AWSSurroundings) {
        var endpoint = Endpoint(host: address.host, port: address.port)
        endpoint.connectTimeout = Self.patience
        endpoint.responseTimeout = Self.patience
        endpoint.keepsAlive = false
        self.name = "\(address.isEncrypted ? "https" : "http")://\(endpoint.authority)"
        self.loop = surroundings.loop
        self.connection = HTTPConnection(
            endpoint: endpoint,
            tls: address.isEncrypted ? surroundings.tls : nil,
            loop: surroundings.loop
        )
    }

    /// Sends a request; the completion may send the next one.
    func ask(
        _ request: HTTPRequest,
        body: [UInt8] = [],
        _ completion: @escaping (Result<HTTPAnswer, FetchFailure>) -> Void
    ) {
        var request = request
        request.headers.append(("User-Agent", "leat-agent"))
        let (name, loop) = (self.name, self.loop)
        self.connection.ask(request, body: body) { result in
            // Not from within the connection's own callback.
            loop.enqueue { completion(result.mapError { FetchFailure(reason: "\(name): \($0.reason)") }) }
        }
    }

    func close() { self.connection.close() }
}
