internal import LeatCore
internal import LeatStorage
internal import Synchronization

/// The tokens, in memory and in the catalog; a change counts at once.
final class TokenStore: Sendable {
    /// The kind of the catalog's documents.
    private static let kind = "token"

    private struct State {
        var tokens: [String: Token] = [:]
        var nameOfHash: [String: String] = [:]
        var hasAdmin = false
    }

    private let store: Store
    private let state: Mutex<State>

    /// Reads the tokens of the catalog.
    ///
    /// - Throws: When the catalog cannot be read, or holds a token that cannot; both must not open the server.
    init(_ store: Store) throws {
        self.store = store
        var state = State()
        for (name, bytes) in try store.documents(kind: Self.kind) {
            guard let token = Token(document: try JSONValue(bytes)) else {
                throw StorageError.catalog("token '\(name)' cannot be read")
            }
            Self.add(token, to: &state)
        }
        self.state = Mutex(state)
    }

    /// Whether an admin token exists, so that everybody has to show one.
    var isClosed: Bool { self.state.withLock { $0.hasAdmin } }

    /// All tokens, by name.
    var all: [Token] { self.state.withLock { $0.tokens.values.sorted { $0.name < $1.name } } }

    /// The token with a secret, if it counts now.
    func token(_ secret: Secret, at now: Timestamp) -> Token? {
        let hash = secret.hash
        // Looking a hash up does not leak how much of a secret was right.
        let token = self.state.withLock { state in state.nameOfHash[hash].flatMap { state.tokens[$0] } }
        return token.flatMap { $0.isValid(at: now) ? $0 : nil }
    }

    /// Whether the token whose secret has a hash counts now.
    func isValid(hash: String, at now: Timestamp) -> Bool {
        self.state.withLock { state in
            state.nameOfHash[hash].flatMap { state.tokens[$0] }?.isValid(at: now) ?? false
        }
    }

    /// Keeps a new token; blocks.
    ///
    /// - Throws: When the name is taken, or as long as an admin token is missing and this is none.
    func add(_ token: Token) throws {
        try self.state.withLock { state in
            guard state.tokens[token.name] == nil else {
                throw RequestFault.text(409, "token_exists", "a token '\(token.name)' exists already")
            }
            guard state.hasAdmin || token.kind == .admin else {
                throw RequestFault.text(
                    409,
                    "no_admin_token",
                    "make an admin token first (leat token create NAME --kind admin): while there is none, nobody has to show a token"
                )
            }
            try self.store.setDocument(token.document.bytes, kind: Self.kind, name: token.name)
            Self.add(token, to: &state)
        }
    }

    /// Forgets a token; blocks.
    ///
    /// - Returns: Whether it existed.
    func remove(_ name: String) throws -> Bool {
        try self.state.withLock { state in
            guard let token = state.tokens[name] else { return false }
            let admins = state.tokens.values.filter { $0.kind == .admin }
            if token.kind == .admin, admins.count == 1, state.tokens.count > 1 {
                throw RequestFault.text(
                    409,
                    "last_admin_token",
                    "'\(name)' is the last admin token; delete the other tokens first, or make another admin token"
                )
            }
            try self.store.setDocument(nil, kind: Self.kind, name: name)
            state.tokens[name] = nil
            state.nameOfHash[token.hash] = nil
            state.hasAdmin = state.tokens.values.contains { $0.kind == .admin }
            return true
        }
    }

    private static func add(_ token: Token, to state: inout State) {
        state.tokens[token.name] = token
        state.nameOfHash[token.hash] = token.name
        if token.kind == .admin { state.hasAdmin = true }
    }
}
