import Foundation
import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

struct ParserScriptTests {
    private static var options: QueryOptions {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_748_500_000_000))
        options.isCheckOnly = true
        return options
    }

    /// The events that a script makes of one text.
    private static func events(_ script: ParserScript, _ input: String) throws -> [[String: String]] {
        var builder = BatchBuilder()
        let column = builder.columnIndex(of: "@rawstring")
        ByteSlice(input).withUnsafeBytes { builder.append($0, to: column) }
        builder.endRow(timestamp: 1_748_500_000_000_000_000)
        var events: [[String: String]] = []
        for batch in script.events(of: builder.finish()) {
            for row in 0..<batch.rowCount {
                var event = ["@timestamp": String(Timestamp(nanoseconds: batch.timestamps[row]).milliseconds)]
                for name in batch.fieldNames {
                    if let text = try batch.column(name)?.text(at: row) { event[name] = text }
                }
                events.append(event)
            }
        }
        return events
    }

    @Test
    func timeAndTagsAreTakenFromTheScript() throws {
        let script = try ParserScript(
            "kvParse() | parseTimestamp(seconds, field=t) | drop(t)",
            tagFields: ["kind"],
            removedFields: ["k8s.*"],
            options: Self.options
        )
        let event = try #require(try Self.events(script, "t=1700000000.25 kind=web user=bob").first)
        #expect(event["@timestamp"] == "1700000000250")
        #expect(event["#kind"] == "web")
        #expect(event["kind"] == nil)
        #expect(event["t"] == nil)
        #expect(event["user"] == "bob")
    }

    @Test
    func scriptsMayDropAndMultiplyEvents() throws {
        let drop = try ParserScript("case { keep*; other }", options: Self.options)
        #expect(try Self.events(drop, "drop me").isEmpty)
        #expect(try Self.events(drop, "keep me").count == 1)
        let split = try ParserScript("parseJson() | split(items, strip=true)", options: Self.options)
        let events = try Self.events(split, #"{"items":[{"a":1},{"a":2}]}"#)
        #expect(events.map { $0["a"] } == ["1", "2"])
    }

    @Test
    func aggregatesAreRefused() {
        for text in ["count()", "groupBy(x)", "join({a=1}, field=x)", "sort(x)"] {
            #expect(throws: QueryErrors.self) { try ParserScript(text, options: Self.options) }
        }
    }

    @Test
    func allThatIsWrongIsToldAtOnce() throws {
        let error = #expect(throws: QueryErrors.self) {
            try ParserScript("parseJsn() | cidr(a, subnet=\"x\") | groupBy(a) | a == 1", options: Self.options)
        }
        #expect(
            error?.diagnostics.map(\.message) == [
                "unknown function 'parseJsn'", "'x' is no subnet",
                "groupBy() cannot be used in a parser: it needs more than one event",
                "'==' does not belong in a filter",
            ]
        )
    }

    @Test
    func expensiveExpressionMarksTheEvent() throws {
        let script = try ParserScript(#"regex("^(a+)+$")"#, options: Self.options)
        let event = try #require(try Self.events(script, String(repeating: "a", count: 40) + "b").first)
        #expect(event["@error"] == "true")
        #expect(event["@event_parsed"] == "false")
    }

    @Test
    func missingLookupFileMarksTheEvent() throws {
        let options = QueryOptions(now: Timestamp(milliseconds: 0))
        let script = try ParserScript("match(\"none.csv\", field=x)", options: options)
        let event = try #require(try Self.events(script, "text").first)
        #expect(event["@error"] == "true")
        #expect(event["@rawstring"] == "text")
    }

    // MARK: Real scripts

    private struct Script: Decodable {
        struct Case: Decodable {
            struct Assertion: Decodable {
                var fieldsHaveValues: [String: String]?
                var fieldsNotPresent: [String]?
                var outputEventIndex: Int?
            }

            var input: String
            var assertions: [Assertion]
        }

        var name: String
        var script: String
        var tagFields: [String]
        var fieldsToBeRemovedBeforeParsing: [String]
        var cases: [Case]
    }

    @Test
    func realScriptsHoldTheirAssertions() throws {
        guard let contents = try SharedData.contents("data/parsers/dev.jsonl") else { return }
        for line in contents.array.split(separator: UInt8(ascii: "\n")) {
            let script = try JSONDecoder().decode(Script.self, from: Data(line))
            let parser = try ParserScript(
                script.script,
                tagFields: script.tagFields,
                removedFields: script.fieldsToBeRemovedBeforeParsing,
                options: Self.options
            )
            for (index, example) in script.cases.enumerated() {
                let events = try Self.events(parser, example.input)
                for event in events {
                    #expect(event["@error"] == nil, "\(script.name) \(index): \(event["@error_msg"] ?? "")")
                }
                for assertion in example.assertions {
                    let event = try #require(
                        events.dropFirst(assertion.outputEventIndex ?? 0).first,
                        "\(script.name) \(index)"
                    )
                    for (field, value) in assertion.fieldsHaveValues ?? [:] {
                        #expect(event[field] == value, "\(script.name) \(index): \(field)")
                    }
                    for field in assertion.fieldsNotPresent ?? [] {
                        #expect(event[field] == nil, "\(script.name) \(index): \(field)")
                    }
                }
            }
        }
    }
}
