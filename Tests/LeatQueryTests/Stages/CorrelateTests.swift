import LeatCore
import Testing

@testable import LeatQuery

struct CorrelateTests {
    private static let events = [
        #"{"@timestamp":1000,"kind":"login","user":"ann","ip":"1"}"#,
        #"{"@timestamp":2000,"kind":"login","user":"bob","ip":"2"}"#,
        #"{"@timestamp":3000,"kind":"delete","user":"ann","file":"a"}"#,
        #"{"@timestamp":4000,"kind":"delete","user":"ann","file":"b"}"#,
        #"{"@timestamp":9000000,"kind":"delete","user":"bob","file":"c"}"#,
        #"{"@timestamp":500,"kind":"delete","user":"bob","file":"d"}"#,
    ]

    private static func rows(_ query: String) throws -> [String] {
        let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        let plan = try QueryPlan(QueryParser.parse(query), options: options)
        let result = try plan.run(over: [MemoryBlock(try EventLoading.batch(Self.events))])
        return jsonRows(result)
    }

    static let cases: [(query: String, rows: [String])] = [
        (
            "correlate(l: { kind=login } include: [ip], d: { kind=delete | user <=> l.user } include: [file], within=1h) "
                + "| select([l.user, l.ip, d.file])",
            [#"{"l.user":"bob","l.ip":"2","d.file":"d"}"#, #"{"l.user":"ann","l.ip":"1","d.file":"a"}"#]
        ),
        (
            "correlate(l: { kind=login }, d: { kind=delete user <=> l.user } include: file, within=1h, sequence=true) "
                + "| select([l.user, d.file])",
            [#"{"l.user":"ann","d.file":"a"}"#]
        ),
        (
            "correlate(l: { kind=login }, d: { kind=delete | l.user <=> user } include: file, maxPerRoot=5, sequence=true) "
                + "| select([l.user, d.file])",
            [
                #"{"l.user":"bob","d.file":"c"}"#, #"{"l.user":"ann","d.file":"a"}"#, #"{"l.user":"ann","d.file":"b"}"#,
            ]
        ),
        (
            "correlate(d: { kind=delete } include: file, l: { kind=login }, globalConstraints=[user], root=l, within=1h) "
                + "| select([l.user, d.file])",
            [#"{"l.user":"bob","d.file":"d"}"#, #"{"l.user":"ann","d.file":"a"}"#]
        ),
    ]

    @Test(arguments: cases)
    func linkedEventsAreFound(query: String, rows: [String]) throws {
        #expect(try Self.rows(query) == rows)
    }

    @Test(arguments: [
        "correlate(a: { x=1 })", "correlate(a: { x=1 }, a: { x=2 })", "x=1 | y <=> z",
        "correlate(a: { x=1 | count() }, b: { x=2 })",
    ])
    func whatHasNoMeaningIsRefused(query: String) {
        #expect(throws: QueryErrors.self) { try Self.rows(query) }
    }
}
