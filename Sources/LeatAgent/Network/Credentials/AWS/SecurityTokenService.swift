internal import LeatCore

/// Asks AWS's Security Token Service for the credentials of a role.
///
/// The answer is read as XML: it is what the service's reference describes, what every endpoint that stands in for AWS's
/// own gives, and four texts between their tags. JSON would come only from those that heed `Accept`.
final class SecurityTokenService {
    private let service: CredentialService
    private let settings: AWSSettings

    init(_ settings: AWSSettings, _ surroundings: AWSSurroundings) {
        self.settings = settings
        self.service = CredentialService(settings.tokenService, surroundings)
    }

    /// Asks with an action and its parameters; `signer`: whose request it is, if that is not in the parameters.
    func ask(
        _ action: String,
        _ parameters: [(name: String, value: String)],
        signer: AWSCredentials? = nil,
        _ body: @escaping (CredentialAnswer) -> Void
    ) {
        var request = HTTPRequest(path: self.settings.tokenService.path)
        request.headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        request.signature = signer.map {
            SignatureV4(credentials: $0, region: self.settings.region, service: "sts")
        }
        let form = PercentEncoding.form([("Action", action), ("Version", "2011-06-15")] + parameters)
        let name = self.service.name
        self.service.ask(request, body: Array(form.utf8)) { result in
            switch result {
            case .failure(let failure): body(.failed(failure.reason))
            case .success(let answer) where answer.isGood:
                let credentials = AWSCredentials(xml: answer.body)
                body(credentials.map { .found($0) } ?? .failed("\(name) answers without credentials"))
            case .success(let answer):
                let text = String(decoding: answer.body, as: UTF8.self)
                let details = [text.element("Code"), text.element("Message")].compactMap { $0 }.joined(separator: ": ")
                let reason = "\(name) answers \(answer.status) to \(action): \(details.prefix(300))"
                body(.failed(signer?.redacting(reason) ?? reason))
            }
        }
    }

    func close() { self.service.close() }
}

/// The credentials of a role, for a token that Kubernetes (EKS) or another issuer has put into a file.
struct WebIdentityCredentials: CredentialSource {
    private let surroundings: AWSSurroundings
    private let service: SecurityTokenService

    init(_ settings: AWSSettings, _ surroundings: AWSSurroundings) {
        self.surroundings = surroundings
        self.service = SecurityTokenService(settings, surroundings)
    }

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) {
        guard let path = self.surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
            let role = self.surroundings.variable("AWS_ROLE_ARN")
        else { return body(.absent("AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set")) }
        let token: String
        do throws(FileSystemError) {
            // It is replaced from time to time, and so read each time.
            token = try self.surroundings.text(of: path)
        } catch {
            return body(.failed("\(error)"))
        }
        self.service.ask(
            "AssumeRoleWithWebIdentity",
            [
                ("RoleArn", role), ("RoleSessionName", self.surroundings.roleSessionName), ("WebIdentityToken", token),
            ],
            body
        )
    }

    func close() { self.service.close() }
}

/// The credentials of a role (`aws_role_arn`), which those of another source may take.
struct AssumedRoleCredentials: CredentialSource {
    private let role: String
    private let externalID: String?
    private let base: any CredentialSource
    private let surroundings: AWSSurroundings
    private let service: SecurityTokenService

    init(role: String, base: any CredentialSource, _ settings: AWSSettings, _ surroundings: AWSSurroundings) {
        self.role = role
        self.externalID = settings.externalID
        self.base = base
        self.surroundings = surroundings
        self.service = SecurityTokenService(settings, surroundings)
    }

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) {
        var parameters = [("RoleArn", self.role), ("RoleSessionName", self.surroundings.roleSessionName)]
        if let id = self.externalID { parameters.append(("ExternalId", id)) }
        self.base.fetch { answer in
            guard case .found(let credentials) = answer else { return body(answer) }
            self.service.ask("AssumeRole", parameters, signer: credentials, body)
        }
    }

    func close() {
        self.base.close()
        self.service.close()
    }
}

extension AWSSurroundings {
    /// What logs of AWS call the agent.
    fileprivate var roleSessionName: String { self.variable("AWS_ROLE_SESSION_NAME") ?? "leat-agent" }
}
