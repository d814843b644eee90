internal import HTTPTypes
internal import LeatCore

/// `GET /api/v1/users`, `DELETE /api/v1/users/ID`: Humio's users, which are tokens here.
struct UserEndpoints: Sendable {
    let tokens: TokenEndpoints

    func reply(to call: Call, id: String?) async throws -> Reply {
        switch (call.method, id) {
        case (.get, nil), (.head, nil): return Reply(200, json: .array(self.tokens.tokens.all.map(Self.user)))
        case (.get, .some(let id)), (.head, .some(let id)):
            guard let token = self.tokens.tokens.all.first(where: { $0.name == id }) else {
                throw RequestFault.text(404, "unknown_user", "no user '\(id)'")
            }
            return Reply(200, json: Self.user(token))
        case (.delete, .some): return try await self.tokens.reply(to: call, name: id)
        case (.post, nil):
            throw RequestFault.text(
                400,
                "users_are_tokens",
                "there are no users beside tokens: make one with POST /api/v1/tokens or 'leat token create'"
            )
        default: throw RequestFault.text(405, "method_not_allowed", "use GET or DELETE")
        }
    }

    private static func user(_ token: Token) -> JSONValue {
        [
            "userID": .string(token.name), "fullName": .string(token.name), "email": .string(token.name),
            "isRoot": .bool(token.kind == .admin), "createdAt": .number("\(token.createdAt.milliseconds)"),
        ]
    }
}
