import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// The semantics that the documentation of other systems prints: query, events, expected rows.
struct ExampleTests {
    struct Example: CustomTestStringConvertible, Sendable {
        let id: String
        let document: JSONValue

        var testDescription: String { self.id }
    }

    static let examples: [Example] = {
        do {
            guard let bytes = try SharedData.contents("data/queries/examples.jsonl") else { return [] }
            return try bytes.text.split(separator: "\n").map { line in
                let document = try JSONValue(parsing: String(line))
                return Example(id: document["id"]?.string ?? "", document: document)
            }
        } catch {
            Issue.record("examples.jsonl cannot be read: \(error)")
            return []
        }
    }()

    @Test(arguments: examples)
    func givesTheExpectedRows(_ example: Example) throws {
        let document = example.document
        let events = (document["events"]?.array ?? []).map { JSONText.compact($0) }
        let tree = try QueryParser.parse(document["query"]?.string ?? "")
        let plan = try QueryPlan(tree, options: Self.options(document["note"]?.string))
        let blocks = events.isEmpty ? [] : [MemoryBlock(try EventLoading.batch(events))]
        let result = try plan.run(over: blocks)

        let expected = document["expect"]?.array ?? []
        let tolerance = document["approx_rel"]?.double
        let found = try jsonRows(result).map { try JSONValue(parsing: $0) }
        var left = found
        for row in expected {
            let names = Set(row.object?.map(\.key) ?? [])
            let index = left.firstIndex { Self.isSame($0, row, names, tolerance) }
            if let index { left.remove(at: index) }
            #expect(index != nil, "\(row) is not among \(jsonRows(result))")
        }
        #expect(left.isEmpty, "not expected: \(left); expected \(expected)")
    }

    /// `start=… end=…` of a note, in epoch milliseconds.
    private static func options(_ note: String?) -> QueryOptions {
        var options = QueryOptions(now: Timestamp(nanoseconds: EventLoading.defaultTime))
        for word in (note ?? "").split(separator: " ") {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let milliseconds = Int64(parts[1]) else { continue }
            if parts[0] == "start" { options.start = Timestamp(milliseconds: milliseconds) }
            if parts[0] == "end" { options.end = Timestamp(milliseconds: milliseconds) }
        }
        return options
    }

    /// Whether a row has exactly the expected fields; those that every event has need not be listed.
    private static func isSame(
        _ row: JSONValue,
        _ expected: JSONValue,
        _ names: Set<String>,
        _ tolerance: Double?
    ) -> Bool {
        let fields = (row.object ?? []).filter { names.contains($0.key) || !["@timestamp", "@id"].contains($0.key) }
        guard fields.count == names.count else { return false }
        return fields.allSatisfy { field in
            guard let wanted = expected[field.key]?.string else { return false }
            if field.value.string == wanted { return true }
            guard let tolerance, let one = field.value.string.flatMap({ Double($0) }), let other = Double(wanted) else {
                return false
            }
            return abs(one - other) <= tolerance * abs(other)
        }
    }
}

extension JSONText {
    /// A document as one line.
    static func compact(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text):
            {
                var bytes: [UInt8] = []
                Self.appendString(Array(text.utf8), to: &bytes)
                return String(decoding: bytes, as: UTF8.self)
            }()
        case .array(let elements): "[" + elements.map { Self.compact($0) }.joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { Self.compact(.string($0.key)) + ":" + Self.compact($0.value) }.joined(separator: ",")
                + "}"
        }
    }
}
