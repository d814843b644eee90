import LeatCore
import LeatTesting
import Testing

@testable import LeatServer

/// Requests and the answers that they must get, from `Fixtures/scenarios`; the folder's README tells the form.
@Suite struct ScenarioTests {
    static let folder = (#filePath.split(separator: "/").dropLast(2) + ["Fixtures", "scenarios"]).joined(separator: "/")

    static let names: [String] = {
        do {
            let disk = PosixFileSystem()
            return try disk.list("/\(Self.folder)").flatMap { group in
                group.contains(".") ? [] : try disk.list("/\(Self.folder)/\(group)").map { "\(group)/\($0)" }
            }.filter { $0.hasSuffix(".scenario") }
        } catch {
            return []
        }
    }()

    @Test func thereAreScenarios() { #expect(Self.names.count >= 10) }

    @Test(arguments: names)
    func theServerAnswersAsWritten(name: String) async throws {
        let text = try PosixFileSystem().contents("/\(Self.folder)/\(name)").text
        let steps = try Scenario.steps(of: text)
        if let port = environment("LEAT_ELASTICSEARCH_PORT").flatMap({ Int($0) }) {
            try await Self.check(steps.filter { !$0.isLeatOnly && !name.hasPrefix("server/") }, name) { step in
                try await onThread {
                    try TestConnection(port: port).send(step.method, step.path, body: step.body, headers: step.headers)
                }
            }
            return
        }
        try await TestServer.with { server in
            try await Self.check(steps, name) { step in
                try await server.send(step.method, step.path, step.body, headers: step.headers)
            }
        }
    }

    private static func check(
        _ steps: [Scenario.Step],
        _ name: String,
        _ send: (Scenario.Step) async throws -> TestAnswer
    ) async throws {
        for step in steps {
            let answer = try await send(step)
            let place = Comment(
                rawValue: "\(name):\(step.line): answered \(answer.status) \(answer.text.prefix(1_000))"
            )
            #expect(answer.status == step.status, place)
            for (header, value) in step.answerHeaders {
                #expect(answer.headers[header]?.hasPrefix(value) ?? false, place)
            }
            guard let expected = step.answer else { continue }
            if let wanted = Scenario.value(expected), let got = answer.json {
                #expect(Scenario.fits(got, wanted), place)
            } else {
                #expect(answer.text.contains(expected), place)
            }
        }
    }
}

/// The form of scenario files.
enum Scenario {
    struct Step: Sendable {
        var line = 0
        var method = ""
        var path = ""
        var headers: [String: String] = [:]
        var body: [UInt8]?
        var status = 0
        var answerHeaders: [String: String] = [:]
        var answer: String?
        /// Whether Leat differs here from Elasticsearch, on purpose.
        var isLeatOnly = false
    }

    /// The steps of a scenario's text.
    static func steps(of text: String) throws -> [Step] {
        var steps: [Step] = []
        var body: [String] = []
        var hasNoNewline = false
        var isAnswer = true
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("> ") {
                let words = line.dropFirst(2)
                if isAnswer {
                    steps.append(Step(line: number + 1))
                    body = []
                    hasNoNewline = false
                    isAnswer = false
                    let parts = words.split(separator: " ")
                    steps[steps.count - 1].method = String(parts[0])
                    steps[steps.count - 1].path = String(parts[1])
                } else if words == "(no newline)" {
                    hasNoNewline = true
                } else if words == "(leat only)" {
                    steps[steps.count - 1].isLeatOnly = true
                } else {
                    let parts = words.split(separator: ":", maxSplits: 1)
                    steps[steps.count - 1].headers[String(parts[0])] = parts[1].trimming()
                }
            } else if line.hasPrefix("< ") {
                if !isAnswer {
                    isAnswer = true
                    steps[steps.count - 1].status = Int(line.dropFirst(2)) ?? 0
                    if !body.isEmpty {
                        let text = body.joined(separator: "\n") + (hasNoNewline ? "" : "\n")
                        steps[steps.count - 1].body = Array(text.utf8)
                    }
                } else {
                    let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
                    steps[steps.count - 1].answerHeaders[parts[0].lowercased()] = parts[1].trimming()
                }
            } else if isAnswer {
                guard !line.isEmpty, !steps.isEmpty else { continue }
                steps[steps.count - 1].answer = (steps[steps.count - 1].answer.map { $0 + "\n" } ?? "") + line
            } else {
                body.append(line == "\\" ? "" : String(line))
            }
        }
        return steps
    }

    static func value(_ text: String) -> JSONValue? {
        do { return try JSONValue(parsing: text) } catch { return nil }
    }

    /// Whether an answer has what is wanted: the same value; of an object at least these members; the string `*` stands
    /// for anything.
    static func fits(_ got: JSONValue, _ wanted: JSONValue) -> Bool {
        switch (got, wanted) {
        case (_, .string("*")): true
        case (.object, .object(let members)):
            members.allSatisfy { member in got[member.key].map { Self.fits($0, member.value) } ?? false }
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { Self.fits($0, $1) }
        default: got == wanted
        }
    }
}
