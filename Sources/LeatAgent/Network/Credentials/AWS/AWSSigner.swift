internal import LeatCore

/// Signs the requests of one output for AWS, with credentials of the process or the machine.
final class AWSSigner: RequestAuthorizer {
    /// They are fetched again this long before they end, as in Fluent Bit.
    private static let skew = Duration.seconds(60)
    /// What AWS's services call a proof that is not good where they do not answer 401 or 403.
    private static let exceptions = [
        "ExpiredToken", "RequestExpired", "InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature",
        "UnrecognizedClient", "InvalidClientTokenId", "MissingAuthenticationToken",
    ]

    private let settings: AWSSettings
    private let source: any CredentialSource
    private let credentials: RenewedValue<AWSCredentials>

    init(_ settings: AWSSettings, _ surroundings: AWSSurroundings) {
        let chain = surroundings.chain(settings)
        let source: any CredentialSource =
            settings.role.map { AssumedRoleCredentials(role: $0, base: chain, settings, surroundings) } ?? chain
        self.settings = settings
        self.source = source
        let loop = surroundings.loop
        self.credentials = RenewedValue(loop: loop, skew: Self.skew) { received in
            source.fetch { answer in
                switch answer {
                case .found(let credentials):
                    received(.success((credentials, credentials.life(at: loop.time.now()))))
                case .absent(let reason), .failed(let reason):
                    received(.failure(FetchFailure(reason: "no AWS credentials: \(reason)")))
                }
            }
        }
    }

    func authorize(_ request: HTTPRequest, _ body: @escaping (Result<HTTPRequest, FetchFailure>) -> Void) {
        let (region, service) = (self.settings.region, self.settings.service)
        self.credentials.with { result in
            body(
                result.map { credentials in
                    var request = request
                    request.path = SignatureV4.escapingQuery(of: request.path)
                    request.signature = SignatureV4(credentials: credentials, region: region, service: service)
                    return request
                }
            )
        }
    }

    func refusal(of request: HTTPRequest, status: Int, text: String) -> String? {
        guard let used = request.signature?.credentials else { return nil }
        let isDenied = status == 401 || status == 403
        guard isDenied || status == 400 && Self.exceptions.contains(where: { text.contains($0) }) else { return nil }
        // Expired or withdrawn; a denial for want of rights does not become another with new credentials.
        if !isDenied || text.lowercased().contains("token") { self.credentials.forget { $0 == used } }
        return "the server answers \(status): \(used.redacting(text))"
    }

    func close() { self.source.close() }
}

extension AWSCredentials {
    /// How long they are good; `nil`: nobody knows of an end.
    fileprivate func life(at now: Timestamp) -> Duration? {
        self.expiration.map { .nanoseconds(max(0, $0.nanoseconds - now.nanoseconds)) }
    }
}
