internal import LeatCore

/// `leat status`: how the server is, and what it holds.
public enum StatusCommand {
    public static func run(in context: CommandContext) async throws -> ExitStatus {
        let reply = try await context.ask(ServerRequest(.get, "/api/v1/status"))
        var output = OutputStream()
        if context.isJSON {
            try output.write(reply.body + [0x0A])
            try output.finish()
            return .success
        }
        guard case .object(let members) = try reply.json() else {
            throw CommandError(.serverUnreachable, "the server's status is no object")
        }
        try output.write("server: \(context.settings.server)\n")
        for member in members {
            guard let text = Self.text(member) else { continue }
            var shown: [UInt8] = []
            Array(text.utf8).withUnsafeBytes { _ = ShownText.append($0, to: &shown, terminal: context.terminal) }
            try output.write("\(member.key): ")
            try output.write(shown + [0x0A])
        }
        try output.finish()
        let list = members.first { $0.key == "repositories" }?.value.array ?? []
        if !list.isEmpty { try RepositoryList.write(list, terminal: context.terminal) }
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
