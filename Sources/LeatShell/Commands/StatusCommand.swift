internal import LeatCore

/// `leat status`: how the server is, and what it holds.
public struct StatusCommand: Sendable {
    public var settings: ShellSettings
    public var isJSON = false
    /// How long a server that is being restarted is tried again.
    public var retrySeconds = 0

    public init(settings: ShellSettings) { self.settings = settings }

    public func run(terminal: Terminal) async throws -> ExitStatus {
        let client = ServerClient(address: self.settings.server, token: self.settings.token)
        let reply = try await client.ask(ServerRequest(.get, "/api/v1/status"), retrySeconds: self.retrySeconds)
        var output = OutputStream()
        if self.isJSON {
            try output.write(reply.body + [0x0A])
            try output.finish()
            return .success
        }
        guard case .object(let members) = try reply.json() else {
            throw CommandError(.serverUnreachable, "the server's status is no object")
        }
        try output.write("server: \(client.address)\n")
        for member in members {
            guard let text = Self.text(member) else { continue }
            var shown: [UInt8] = []
            Array(text.utf8).withUnsafeBytes { _ = ShownText.append($0, to: &shown, terminal: terminal) }
            try output.write("\(member.key): ")
            try output.write(shown + [0x0A])
        }
        try output.finish()
        let list = members.first { $0.key == "repositories" }?.value.array ?? []
        if !list.isEmpty { try RepositoryList.write(list, terminal: terminal) }
        return .success
    }

    /// A member that is one value, as people read it.
    private static func text(_ member: JSONValue.Member) -> String? {
        switch member.value {
        case .string(let text): return text
        case .number(let text):
            guard let number = Int(text) else { return text }
            if member.key.hasSuffix("Bytes") { return Amount.bytes(number) }
            return member.key.hasSuffix("Seconds") ? Amount.seconds(UInt64(max(0, number)) * 1_000_000_000) : text
        case .bool(let flag): return flag ? "yes" : "no"
        case .array(let elements) where !elements.isEmpty && elements.allSatisfy({ $0.string != nil }):
            return elements.compactMap(\.string).joined(separator: ", ")
        case .null, .array, .object: return nil
        }
    }
}
