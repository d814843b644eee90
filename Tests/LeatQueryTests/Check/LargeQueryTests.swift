import LeatCore
import Testing

@testable import LeatQuery

/// Queries as long and as deep as the limits allow are planned in a time that grows with their length, not faster.
struct LargeQueryTests {
    private static let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))

    private static func nested(_ open: String, _ inner: String, _ close: String, depth: Int) -> String {
        String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    }

    private static func repeated(_ part: String, _ separator: String, fills length: Int = 65_000) -> String {
        Array(repeating: part, count: length / (part.count + separator.count)).joined(separator: separator)
    }

    /// Texts that took seconds or for ever before.
    static let queries: [(name: String, text: String)] = [
        ("negations", nested("!", "a", "", depth: SyntaxLimits.depthMax - 2)),
        ("parentheses", nested("(a=1 or ", "b=2", ")", depth: SyntaxLimits.depthMax - 2)),
        ("conjunctions", nested("(a=1 ", "b=2", ")", depth: SyntaxLimits.depthMax - 2)),
        ("match arms", nested("a match { in(values=[1]) => ", "b=2", "}", depth: SyntaxLimits.depthMax / 2 - 2)),
        ("pipes", repeated("a=1", "|")),
        ("assignments", repeated("a:=1", " ")),
        ("disjunction", repeated("a=1", " or ")),
        ("aggregates", "[" + (0..<3_000).map { "x\($0):=count()" }.joined(separator: ",") + "]"),
        ("branches", "case {" + repeated("a=1", ";", fills: 60_000) + "}"),
    ]

    @Test(.timeLimit(.minutes(1)), arguments: queries.map(\.name))
    func largeQueriesArePlanned(_ name: String) throws {
        let query = try #require(Self.queries.first { $0.name == name }).text
        #expect(throws: Never.self) { try QueryPlan(try QueryParser.parse(query), options: Self.options) }
    }

    @Test(arguments: [
        repeated("foo()", "|"), repeated("a == 1", "|"), repeated("lower()", "|"), repeated("{", ""), repeated("(", ""),
    ])
    func manyErrorsAreCutShort(_ query: String) {
        let error = #expect(throws: QueryErrors.self) {
            try QueryPlan(try QueryParser.parse(query), options: Self.options)
        }
        #expect((error?.diagnostics.count ?? 0) <= SyntaxLimits.errorCountMax)
    }

    @Test func aQueryBeyondTheLengthIsRefused() {
        let query = String(repeating: "a", count: SyntaxLimits.lengthMax + 1)
        let error = #expect(throws: QueryErrors.self) { try QueryParser.parse(query) }
        #expect(error?.description.contains("66001 characters, more than 66000") == true)
    }
}
