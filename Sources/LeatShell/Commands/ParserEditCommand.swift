internal import Glibc
internal import LeatCore

/// `leat parser edit`: a parser of the server in the user's editor, tested before it is saved.
public struct ParserEditCommand: Sendable {
    public var name: String

    public init(name: String) { self.name = name }

    public func run(in context: CommandContext) async throws -> ExitStatus {
        let path = try ServerRequest.path("/api/v1/parsers", self.name)
        let original = try await self.original(path, in: context)
        var text = original
        while true {
            guard let edited = ExternalEditor.edit(text, suffix: ".yaml") else {
                throw CommandError(.inputOutput, "the editor failed; EDITOR or VISUAL names another")
            }
            if edited == original {
                Notes.write("nothing was changed")
                return .success
            }
            text = edited
            do {
                let definition = try ParserDefinition(yaml: edited, path: self.name)
                let problems = Self.problems(of: definition)
                if problems.isEmpty {
                    try await self.save(definition, path, in: context)
                    return .success
                }
                for problem in problems { Notes.write(problem) }
            } catch let error as CommandError where error.status == .badData {
                Notes.write(error.description)
            }
            guard Self.wantsToGoOn() else { throw CommandError(.badData, "parser '\(self.name)' is as it was") }
        }
    }

    /// The parser as it is, or a new one to begin with.
    private func original(_ path: String, in context: CommandContext) async throws -> String {
        let reply = try await context.client.fetch(ServerRequest(.get, path))
        if reply.status == 404 {
            return ParserDefinition.template(name: self.name).yaml
        }
        guard reply.status == 200 else { throw context.client.failure(status: reply.status, body: reply.body) }
        var definition = try ParserDefinition(json: try reply.json())
        definition.name = self.name
        return definition.yaml
    }

    /// What a user has to know before a parser is saved: that it does not compile, or which of its cases fail.
    static func problems(of definition: ParserDefinition) -> [String] {
        var definition = definition
        // A script without cases is compiled all the same.
        if definition.cases.isEmpty { definition.cases = [ParserDefinition.Case(input: "")] }
        let failures = ParserTester.failures(of: definition)
        return failures.filter { !$0.isEmpty }
    }

    private func save(_ definition: ParserDefinition, _ path: String, in context: CommandContext) async throws {
        let request = ServerRequest(
            .put,
            path,
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
            body: definition.json
        )
        _ = try await context.ask(request)
        let count = definition.cases.count
        Notes.write("parser '\(self.name)' is there; \(count) test case\(count == 1 ? "" : "s") passed")
    }

    /// Asks whether to edit again; without a terminal nobody can answer.
    private static func wantsToGoOn() -> Bool {
        guard isatty(STDIN_FILENO) == 1 else { return false }
        RawTerminal.send("edit again? [Y/n] ")
        guard let answer = readLine() else { return false }
        return !answer.trimmed.lowercased().hasPrefix("n")
    }
}
