internal import LeatCore

/// What requests to AWS are signed with.
struct AWSCredentials: Hashable, Sendable, CustomStringConvertible {
    let accessKeyID: String
    let secretAccessKey: String
    /// Of credentials that do not last.
    let sessionToken: String?
    /// When they end; `nil`: never, or nobody knows.
    let expiration: Timestamp?

    /// `nil` for texts that no header can carry.
    init?(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Timestamp? = nil) {
        for text in [accessKeyID, secretAccessKey, sessionToken ?? "-"] {
            guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        }
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    var description: String { "•••" }

    /// A text without secrets: AWS repeats the headers that it got in what it says to a wrong signature.
    func redacting(_ text: String) -> String {
        var text = text
        for secret in [self.secretAccessKey, self.sessionToken ?? ""] where !secret.isEmpty {
            // The text may end within the secret.
            guard let place = text.firstRange(of: secret.prefix(8)) else { continue }
            text = text[..<place.lowerBound] + "•••"
        }
        return text
    }
}

extension AWSCredentials {
    /// The answer of a metadata or container endpoint.
    init?(json bytes: [UInt8]) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            return nil
        }
        guard let id = json["AccessKeyId"]?.string, let secret = json["SecretAccessKey"]?.string else { return nil }
        self.init(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: json["Token"]?.string,
            expiration: json["Expiration"]?.string.flatMap { TimestampParser.parse($0) }
        )
    }

    /// The answer of the Security Token Service.
    init?(xml bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let id = text.element("AccessKeyId"), let secret = text.element("SecretAccessKey"),
            let token = text.element("SessionToken")
        else { return nil }
        self.init(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token,
            expiration: text.element("Expiration").flatMap { TimestampParser.parse($0) }
        )
    }
}

extension String {
    /// The text of the first XML element of a name; `nil` when there is none.
    func element(_ name: String) -> String? {
        guard let start = self.firstRange(of: "<\(name)>"),
            let end = self[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        return String(self[start.upperBound..<end.lowerBound])
    }
}
