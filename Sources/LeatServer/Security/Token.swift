internal import LeatCore

/// A credential that somebody may show, as it is kept: its secret only as a hash.
struct Token: Hashable, Sendable {
    /// What a token allows.
    enum Kind: String, Hashable, Sendable, CaseIterable {
        /// To send events.
        case ingest
        /// To ask.
        case query
        /// Everything.
        case admin
    }

    /// Unique; chosen by whoever makes the token.
    let name: String
    let kind: Kind
    /// The repository to which the token is bound; `nil`: any.
    let repository: String?
    /// The parser that events of an ingest token run through.
    let parser: String?
    let createdAt: Timestamp
    let expiresAt: Timestamp?
    /// SHA-256 of the secret, in hexadecimal.
    ///
    /// Secrets are 256 random bits, so that a slow hash would gain nothing.
    let hash: String

    /// Whether the token counts at a moment.
    func isValid(at now: Timestamp) -> Bool { self.expiresAt.map { now < $0 } ?? true }

    /// The token as it is kept.
    var document: JSONValue {
        var members = self.description.object ?? []
        members.append(.init("hash", .string(self.hash)))
        return .object(members)
    }

    /// The token as it is shown: all but the hash.
    var description: JSONValue {
        [
            "name": .string(self.name), "kind": .string(self.kind.rawValue),
            "repository": self.repository.map { .string($0) } ?? .null,
            "parser": self.parser.map { .string($0) } ?? .null,
            "createdAt": .number("\(self.createdAt.milliseconds)"),
            "expiresAt": self.expiresAt.map { .number("\($0.milliseconds)") } ?? .null,
        ]
    }

    init(
        name: String,
        kind: Kind,
        repository: String?,
        parser: String?,
        createdAt: Timestamp,
        expiresAt: Timestamp?,
        secret: Secret
    ) {
        self.name = name
        self.kind = kind
        self.repository = repository
        self.parser = parser
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.hash = secret.hash
    }

    /// A token from its document; `nil` when that is none.
    init?(document: JSONValue) {
        guard let name = document["name"]?.string, let kind = document["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
            let hash = document["hash"]?.string, let created = document["createdAt"]?.integer
        else { return nil }
        self.name = name
        self.kind = kind
        self.repository = document["repository"]?.string
        self.parser = document["parser"]?.string
        self.createdAt = Timestamp(milliseconds: created)
        self.expiresAt = document["expiresAt"]?.integer.map { Timestamp(milliseconds: $0) }
        self.hash = hash
    }
}

/// The text that a client shows; never printed by accident.
struct Secret: Hashable, Sendable, CustomStringConvertible {
    let text: String

    var description: String { "•••" }

    init(_ text: String) { self.text = text }

    /// A new secret of 256 random bits.
    static func random(_ kind: Token.Kind) -> Secret {
        let digits = SystemRandom.bytes(32).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        return Secret("leat-\(kind.rawValue)-\(digits.joined())")
    }

    /// SHA-256 in hexadecimal.
    var hash: String { SHA256.hexadecimal(Array(self.text.utf8)) }
}
