internal import LeatCore

/// Credentials from the endpoint that a container's environment names: ECS, and EKS Pod Identity.
struct ContainerCredentials: CredentialSource {
    /// The endpoint of ECS.
    private static let host = "http://169.254.170.2"
    /// Who may get the authorization token without encryption: this machine, ECS, EKS.
    private static let plainHosts: Set<String> = [
        "localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23",
    ]

    private let surroundings: AWSSurroundings
    private let service: CredentialService?
    private let path: String
    /// Why there is no service to ask.
    private let fault: CredentialAnswer

    init(_ surroundings: AWSSurroundings) {
        self.surroundings = surroundings
        let relative = surroundings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map { Self.host + $0 }
        guard let text = relative ?? surroundings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
            self.fault = .absent("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set")
            (self.service, self.path) = (nil, "")
            return
        }
        self.fault = .failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is no address of https, this machine, ECS or EKS")
        guard let address = WebAddress(text), address.isEncrypted || Self.isNear(address.host) else {
            (self.service, self.path) = (nil, "")
            return
        }
        self.path = address.path
        self.service = CredentialService(address, surroundings)
    }

    private static func isNear(_ host: String) -> Bool { Self.plainHosts.contains(host) || host.hasPrefix("127.") }

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) {
        guard let service = self.service else { return body(self.fault) }
        var request = HTTPRequest(method: "GET", path: self.path)
        do throws(FileSystemError) {
            if let token = try self.token() { request.headers = [("Authorization", token)] }
        } catch {
            return body(.failed("\(error)"))
        }
        guard request.headers.allSatisfy({ $0.value.utf8.allSatisfy { (0x20...0x7E).contains($0) } }) else {
            return body(.failed("the authorization token of the container is more than one line"))
        }
        service.ask(request) { result in
            switch result {
            case .failure(let failure): body(.failed(failure.reason))
            case .success(let answer) where !answer.isGood: body(.failed("\(service.name) answers \(answer.status)"))
            case .success(let answer):
                let credentials = AWSCredentials(json: answer.body)
                body(credentials.map { .found($0) } ?? .failed("\(service.name) answers without credentials"))
            }
        }
    }

    /// Read each time, as it is replaced from time to time.
    private func token() throws(FileSystemError) -> String? {
        guard let path = self.surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
            return self.surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        return try self.surroundings.text(of: path)
    }

    func close() { self.service?.close() }
}

/// Credentials of the role of an EC2 instance, from its metadata (version 2).
///
/// Whoever has no other credentials asks here, so that no answer means only that there are none.
struct InstanceCredentials: CredentialSource {
    private static let usualAddress = "http://169.254.169.254"
    private static let rolePath = "/latest/meta-data/iam/security-credentials/"

    private let surroundings: AWSSurroundings
    private let service: CredentialService?
    private let prefix: String

    init(_ surroundings: AWSSurroundings) {
        self.surroundings = surroundings
        let address = WebAddress(surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? Self.usualAddress)
        self.service = address.map { CredentialService($0, surroundings) }
        self.prefix = address.map { $0.path.hasSuffix("/") ? String($0.path.dropLast()) : $0.path } ?? ""
    }

    func fetch(_ body: @escaping (CredentialAnswer) -> Void) {
        if self.surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            return body(.absent("AWS_EC2_METADATA_DISABLED is true"))
        }
        guard let service = self.service else {
            return body(.failed("AWS_EC2_METADATA_SERVICE_ENDPOINT is no address"))
        }
        // The token serves the two requests that follow.
        let life = [(name: "X-aws-ec2-metadata-token-ttl-seconds", value: "60")]
        self.ask(service, "PUT", "/latest/api/token", life, body) { answer in
            let token = [(name: "X-aws-ec2-metadata-token", value: answer)]
            self.ask(service, "GET", Self.rolePath, token, body) { role in
                self.ask(service, "GET", Self.rolePath + role, token, body) { answer in
                    let credentials = AWSCredentials(json: Array(answer.utf8))
                    body(credentials.map { .found($0) } ?? .absent("\(service.name) has no credentials of \(role)"))
                }
            }
        }
    }

    /// Asks for a text; `next` gets its first line unless it is JSON.
    private func ask(
        _ service: CredentialService,
        _ method: String,
        _ path: String,
        _ headers: [(name: String, value: String)],
        _ body: @escaping (CredentialAnswer) -> Void,
        next: @escaping (String) -> Void
    ) {
        service.ask(HTTPRequest(method: method, path: self.prefix + path, headers: headers)) { result in
            switch result {
            case .failure(let failure): body(.absent(failure.reason))
            case .success(let answer) where !answer.isGood:
                body(.absent("\(service.name) answers \(answer.status) to \(method) \(path)"))
            case .success(let answer):
                let text = String(decoding: answer.body, as: UTF8.self)
                guard !text.hasPrefix("{") else { return next(text) }
                guard let line = text.split(whereSeparator: \.isNewline).first else {
                    return body(.absent("\(service.name) answers nothing to \(method) \(path)"))
                }
                next(String(line))
            }
        }
    }

    func close() { self.service?.close() }
}
