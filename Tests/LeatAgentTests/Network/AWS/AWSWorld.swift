import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// The services of AWS that an agent meets: one that takes events, and those that give credentials.
final class AWSWorld {
    /// Keys that give access: secret and session token by id.
    var keys: [String: (secret: String, token: String?)] = [:]
    /// Ids whose token has ended.
    var expired: Set<String> = []
    /// Status of answers to good requests for events.
    var eventStatus: (ReceivedRequest) -> Int = { _ in 200 }
    /// The answer of instance metadata and of the container's endpoint: an id of `keys`; `nil`: 404.
    var machineID: String?
    /// The answer of the Security Token Service: an id of `keys`; `nil`: access denied.
    var roleID: String?

    private(set) var events: [ReceivedRequest] = []
    /// What was wrong with requests for events and with signed ones for roles.
    private(set) var faults: [String] = []
    private(set) var metadata: [ReceivedRequest] = []
    private(set) var roles: [ReceivedRequest] = []
    private var listeners: [HTTPListener] = []

    private let isEncrypted: Bool

    /// `tls`: how events and roles are given; metadata are never encrypted.
    init(_ loop: EventLoop, tls: TLSServer? = nil) throws {
        self.isEncrypted = tls != nil
        let options = StreamServer.Options(host: "127.0.0.1")
        let events = try HTTPListener(options, tls: tls, loop: loop) { [weak self] in
            $1(self?.takeEvents($0) ?? Answer())
        }
        let metadata = try HTTPListener(options, loop: loop) { [weak self] in $1(self?.giveMetadata($0) ?? Answer()) }
        let roles = try HTTPListener(options, tls: tls, loop: loop) { [weak self] in $1(self?.giveRole($0) ?? Answer())
        }
        self.listeners = [events, metadata, roles]
    }

    var eventPort: Int { self.listeners[0].port }
    var metadataAddress: String { "http://127.0.0.1:\(self.listeners[1].port)" }
    var roleAddress: String { "http\(self.isEncrypted ? "s" : "")://127.0.0.1:\(self.listeners[2].port)" }

    func close() { for listener in self.listeners { listener.close() } }

    /// Every secret, none of which may be logged.
    var secrets: [String] { self.keys.values.flatMap { [$0.secret, $0.token] }.compactMap { $0 } }

    // MARK: - Answers

    private func takeEvents(_ request: ReceivedRequest) -> Answer {
        self.events.append(request)
        switch self.check(request) {
        case .expired:
            return .json(#"{"message":"The security token included in the request is expired"}"#, status: 403)
        case .wrong(let fault):
            self.faults.append(fault)
            // As AWS does, with what was signed.
            let token = "x-amz-security-token:\(request.headers["x-amz-security-token"] ?? "")"
            return .json("{\"message\":\"signature does not match:\n\(token)\"}", status: 403)
        case .good: return .json(#"{"errors":false}"#, status: self.eventStatus(request))
        }
    }

    private func giveMetadata(_ request: ReceivedRequest) -> Answer {
        self.metadata.append(request)
        let folder = "/latest/meta-data/iam/security-credentials/"
        let isTokenGood = request.headers["x-aws-ec2-metadata-token"] == "metadata-token"
        switch (request.method, request.path) {
        case ("PUT", "/latest/api/token"):
            return request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == nil
                ? Answer(status: 400) : .text("metadata-token")
        case ("GET", folder) where isTokenGood: return .text("node-role\n")
        case ("GET", folder + "node-role") where isTokenGood, ("GET", "/pod"):
            guard let id = self.machineID, let (secret, token) = self.keys[id] else { return Answer(status: 404) }
            return .json(
                #"{"Code":"Success","AccessKeyId":"\#(id)","SecretAccessKey":"\#(secret)","Token":"\#(token ?? "")","#
                    + #""Expiration":"\#(Self.later)"}"#
            )
        default: return Answer(status: 401)
        }
    }

    private func giveRole(_ request: ReceivedRequest) -> Answer {
        self.roles.append(request)
        if request.headers["authorization"] != nil, case .wrong(let fault) = self.check(request) {
            self.faults.append(fault)
        }
        guard let id = self.roleID, let (secret, token) = self.keys[id] else {
            return .text(
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>",
                status: 403
            )
        }
        return .text(
            "<R><Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>\(secret)</SecretAccessKey>"
                + "<SessionToken>\(token ?? "")</SessionToken><Expiration>\(Self.later)</Expiration></Credentials></R>"
        )
    }

    private static var later: String {
        TimestampWriter.text(
            Timestamp(nanoseconds: SystemTime().now().nanoseconds + 6 * 3_600_000_000_000),
            precision: .seconds
        )
    }

    // MARK: - Signatures

    private enum Verdict {
        case good, expired
        case wrong(String)
    }

    /// Looks at a request as AWS does: whose it is, when it was signed, and whether what arrived is what was signed.
    private func check(_ request: ReceivedRequest) -> Verdict {
        let form = #/AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request, SignedHeaders=(.+), .*/#
        let proof = request.headers["authorization"] ?? ""
        guard let match = proof.wholeMatch(of: form) else { return .wrong("no signature: \(proof)") }
        let (_, id, day, region, service, names) = match.output
        guard let (secret, token) = self.keys[String(id)] else { return .wrong("nobody knows \(id)") }
        let date = request.headers["x-amz-date"] ?? ""
        guard let time = TimestampParser.parse(date), date.hasPrefix(day),
            abs(time.nanoseconds - SystemTime().now().nanoseconds) < 300_000_000_000
        else { return .wrong("signed at \(date)") }
        guard request.headers["x-amz-security-token"] == token else { return .wrong("another token") }
        guard request.headers["host"]?.hasPrefix("127.0.0.1:") == true else { return .wrong("no host") }
        let digest = SHA256.hexadecimal(request.body)
        guard request.headers["x-amz-content-sha256"] == digest else { return .wrong("another body") }
        guard
            let credentials = AWSCredentials(accessKeyID: String(id), secretAccessKey: secret, sessionToken: token)
        else { return .wrong("no credentials") }
        let signer = SignatureV4(credentials: credentials, region: String(region), service: String(service))
        let expected = signer.authorization(
            method: request.method,
            path: request.query.isEmpty ? request.path : "\(request.path)?\(request.query)",
            headers: names.split(separator: ";").map { (String($0), request.headers[String($0)] ?? "") },
            digest: digest,
            date: date
        )
        let needed = ["host", "x-amz-date", "x-amz-content-sha256"] + (token == nil ? [] : ["x-amz-security-token"])
        guard Set(needed).isSubset(of: names.split(separator: ";").map(String.init)) else {
            return .wrong("too little is signed: \(names)")
        }
        if proof != expected { return .wrong("\(request.method) \(request.path): \(proof)") }
        return self.expired.contains(String(id)) ? .expired : .good
    }
}
