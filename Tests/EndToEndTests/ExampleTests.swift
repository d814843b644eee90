import Foundation
import LeatCore
import LeatTesting
import Testing

/// The documented examples of the language give their rows through the programs: from files and from a server.
@Suite(.serialized) struct ExampleTests {
    struct Example: Sendable {
        let id: String
        let query: String
        let events: [JSONValue]
        let expected: [JSONValue]
        let tolerance: Double?
        /// `--start` and `--end` of the note.
        let interval: [String]

        init(_ document: JSONValue) {
            self.id = document["id"]?.string ?? ""
            self.query = document["query"]?.string ?? ""
            self.events = document["events"]?.array ?? []
            self.expected = document["expect"]?.array ?? []
            self.tolerance = document["approx_rel"]?.double
            let words = (document["note"]?.string ?? "").split(separator: " ").map { $0.split(separator: "=") }
            self.interval = words.filter { $0.count == 2 && ["start", "end"].contains($0[0]) && Int64($0[1]) != nil }
                .flatMap { ["--\($0[0])", String($0[1])] }
        }

        /// What is missing from an answer, or too much in it; `nil` when it is right.
        func difference(from output: String) throws -> String? {
            var rows = try output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            for wanted in self.expected {
                guard let index = rows.firstIndex(where: { self.holds(wanted, of: $0) }) else {
                    return "\(wanted.jsonText) is not in \(output)"
                }
                rows.remove(at: index)
            }
            return rows.isEmpty ? nil : "\(rows.map(\.jsonText)) was not expected"
        }

        /// Whether a row has the fields that are wanted; those that storing adds are not listed.
        private func holds(_ wanted: JSONValue, of row: JSONValue) -> Bool {
            (wanted.object ?? []).allSatisfy { member in
                let found = row[member.key]?.string ?? row[member.key]?.jsonText
                guard let found, let text = member.value.string else { return false }
                if found == text { return true }
                guard let tolerance = self.tolerance, let one = Double(found), let other = Double(text) else {
                    return false
                }
                return abs(one - other) <= tolerance * abs(other)
            }
        }
    }

    static func examples() throws -> [Example] {
        guard let bytes = try SharedData.contents("data/queries/examples.jsonl") else { return [] }
        return try bytes.text.split(separator: "\n").map { Example(try JSONValue(parsing: String($0))) }
    }

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(5)))
    func filesAndAServerGiveTheExpectedRows() throws {
        let examples = try Self.examples()
        try withTemporaryFolder { folder in
            let server = try TestServer(folder: folder)
            for (number, example) in examples.enumerated() {
                let text = example.events.map { $0.jsonText + "\n" }.joined()
                let path = try folder.write("events.jsonl", text)
                let local = try Shell.run(
                    ["query", "--file", path, "--json"] + example.interval + [example.query],
                    folder: folder
                )
                #expect(local.ending == .exited(0), "\(example.id): \(local.errors)")
                #expect(try example.difference(from: local.output) == nil, "\(example.id) of a file")

                let repository = "example\(number)"
                if example.events.isEmpty {
                    _ = try server.ask("repo", "create", repository)
                } else {
                    _ = try server.ask("ingest", "-r", repository, path)
                }
                let interval = example.interval.isEmpty ? ["--start", "0"] : example.interval
                let remote = try Shell.run(
                    ["query", "-r", repository, "--json"] + interval + [example.query],
                    environment: ["LEAT_SERVER": server.url],
                    folder: folder
                )
                #expect(remote.ending == .exited(0), "\(example.id): \(remote.errors)")
                #expect(try example.difference(from: remote.output) == nil, "\(example.id) of a server")
            }
        }
    }
}
