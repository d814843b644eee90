import LeatCore
import Testing

@testable import LeatQuery

/// Documents that are kept without a text are searched and shown as if they had one.
struct DocumentTextSearchTests {
    static let documents = [
        #"{"@timestamp":1700000000001,"status":500,"user":{"name":"ann"},"tags":["a b",null]}"#,
        #"{"@timestamp":1700000000002,"status":200,"user":{"name":"bob"}}"#,
        #"{"@timestamp":1700000000003,"path":"say \"hi\""}"#,
    ]

    /// The first two documents without text, then one that has its own.
    static func batch() throws -> Batch {
        var builder = BatchBuilder()
        var flattener = JSONFlattener()
        var shaper = DocumentShaper()
        for (number, document) in Self.documents.enumerated() {
            let slice = ByteSlice(document)
            try flattener.flatten(slice.unsafeBytes)
            flattener.append(to: &builder) { $0.isEqual(to: "@timestamp") }
            let timestamp = Timestamp(milliseconds: 1_700_000_000_001 + Int64(number))
            let template = shaper.template(of: &flattener, timeField: flattener.fields[0], timestamp: timestamp)
            if number < 2, let template {
                let column = builder.columnIndex(of: JSONShape.columnName)
                builder.append(template.unsafeBytes, to: column)
            } else {
                let column = builder.columnIndex(of: "@rawstring")
                builder.append(Array(document.utf8), to: column)
            }
            builder.endRow(timestamp: timestamp.nanoseconds)
        }
        return builder.finish()
    }

    static let searches: [(query: String, rows: [Int])] = [
        ("*", [0, 1, 2]), ("ann", [0]), ("status", [0, 1]), (#""\"status\":500""#, [0]), (#""name\":\"bob\"}}""#, [1]),
        ("hi", [2]), (#""say \\\"hi""#, [2]), ("null", [0]), ("nothing", []), ("not status", [2]), ("STATUS", []),
        ("/STATUS/i", [0, 1]),
        ("@rawstring=/\"tags\":\\[\"a b\",null\\]/", [0]), ("@rawstring=*1700000000002*", [1]), ("status=200", [1]),
    ]

    @Test(arguments: searches)
    func textsAreFound(query: String, rows: [Int]) throws {
        let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_001_000))
        let plan = try QueryPlan(QueryParser.parse(query + " | select(@rawstring)"), options: options)
        let result = try plan.run(over: [MemoryBlock(try Self.batch())])
        let expected = rows.reversed().map { #"{"@rawstring":\#(JSONValue.string(Self.documents[$0]).jsonText)}"# }
        #expect(jsonRows(result) == Array(expected))
    }

    @Test func parserScriptsSeeTheTextEvenOfFieldsThatGo() throws {
        let script = try ParserScript(
            "found := @rawstring",
            removedFields: ["user.*"],
            options: QueryOptions(now: Timestamp(milliseconds: 1_700_000_001_000))
        )
        let batches = script.events(of: try Self.batch())
        let batch = try #require(batches.first)
        #expect(batches.count == 1)
        #expect(!batch.fieldNames.contains("user.name"))
        #expect(!batch.fieldNames.contains(JSONShape.columnName))
        for name in ["@rawstring", "found"] {
            let column = try #require(try batch.column(name))
            #expect((0..<batch.rowCount).map { column.text(at: $0) } == Self.documents)
        }
    }
}
