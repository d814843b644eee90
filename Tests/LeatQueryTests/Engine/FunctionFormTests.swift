import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// Every function answers the same whatever form the columns have that it reads.
struct FunctionFormTests {
    /// Texts that can be stored in forms of their own, with rows that lack the field.
    private static let families: [(name: String, texts: [String?])] = [
        ("integers", ["5", "-17", "5", "300", nil, "0", "77", "5", "12", "4096"]),
        ("decimals", ["0.50", "1.25", nil, "-3.75", "10.00", "99.99", "1.25", "0.01"]),
        ("padded", ["0007", "0012", "0007", "9999", nil, "0000", "0100"]),
        ("addresses", ["10.0.0.1", "192.168.7.33", nil, "10.0.0.1", "8.8.8.8", "172.16.0.255"]),
        (
            "times",
            [
                "2023-11-14T22:13:20.123Z", "2023-11-14T22:13:21.000Z", nil, "2024-02-29T00:00:00.999Z",
                "2023-11-14T22:13:20.123Z",
            ]
        ),
        ("hex", ["6c656174", "deadbeef", nil, "00000000", "6c656174"]),
        (
            "uuids",
            [
                "123e4567-e89b-12d3-a456-426614174000", nil, "00000000-0000-0000-0000-0000000000ff",
                "123e4567-e89b-12d3-a456-426614174000",
            ]
        ),
        (
            "messages",
            [
                "user u17 took 33 ms", "user u4 took 12 ms", "shutting down", nil, "user u17 took 1.5 s", "",
                "Übung 3 begonnen", "user u17 took 33 ms",
            ]
        ),
        (
            "documents",
            [
                #"{"a":{"b":17},"c":[1,2]}"#, #"{"a":{"b":4},"c":[]}"#, nil, #"{"a":"x","time":"2023-11-14"}"#,
                #"{"a":{"b":17},"c":[1,2]}"#, "{broken",
            ]
        ),
        ("pairs", [#"a=17 b="x y" c=/p/3"#, "a=4 b=z c=/p/33", nil, "a=17", "nothing"]),
        ("words", ["info", "warn", "info", nil, "error", "INFO"]),
        ("one", ["same", nil, "same", "same"]),
        ("addresses of pages", ["https://h17.test:8080/p/33?q=1#top", nil, "http://h4.test/p/1?q=2", "mailto:x"]),
    ]

    private static let fieldNames = ["a", "a[0]", "a[1]", "x", "@rawstring", "ip", "url", "#tag"]

    /// A family's events, plain and in other forms.
    private struct Sample {
        let name: String
        let plain: Batch
        let encoded: [(forms: String, batch: Batch)]
    }

    private static let samples: [Sample] = {
        do {
            return try Self.families.enumerated().map { try Self.sample($0.element.name, $0.element.texts, $0.offset) }
        } catch {
            Issue.record("the samples cannot be made: \(error)")
            return []
        }
    }()

    private static func sample(_ name: String, _ texts: [String?], _ seed: Int) throws -> Sample {
        var builder = BatchBuilder()
        let rowCount = texts.count * 2
        for row in 0..<rowCount {
            for (place, field) in Self.fieldNames.enumerated() {
                guard let text = texts[(row + place * 3) % texts.count] else { continue }
                builder.append(Array(text.utf8), to: builder.columnIndex(of: field))
            }
            builder.endRow(timestamp: EventLoading.defaultTime + Int64(row) * 1_000_000_000)
        }
        let plain = builder.finish()
        var random = SeededRandom(seed: UInt64(seed))
        var encoded: [(forms: String, batch: Batch)] = []
        var formCount = 1
        while encoded.count < formCount {
            let round = encoded.count
            var columns: [(name: String, column: Column)] = []
            var names: [String] = []
            for (place, field) in plain.fieldNames.enumerated() {
                guard let column = try plain.column(field) else { continue }
                let forms = ColumnForms.all(of: column, &random)
                formCount = max(formCount, forms.count)
                let form = forms[(round + place) % forms.count]
                columns.append((field, form.column))
                names.append("\(field): \(form.name)")
            }
            let batch = Batch(timestamps: plain.timestamps, source: MemoryColumns(columns))
            encoded.append((names.joined(separator: ", "), batch))
        }
        return Sample(name: name, plain: plain, encoded: encoded)
    }

    /// What the functions need that look outside of events.
    private static var options: QueryOptions {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_100_000))
        options.start = Timestamp(milliseconds: 1_700_000_000_000)
        options.end = options.now
        options.arguments = ["p": "5"]
        let table = "a,word\n5,five\n10.0.0.1,ten\nsame,one\ninfo,level\n"
        options.lookupFiles = QueryScript.Files(files: [
            "t.csv": table, "ioc.csv": "indicator,type\n8.8.8.8,ip_address\n",
        ])
        return options
    }

    /// Functions that need a database or another machine.
    private static let unplanned: Set<String> = ["ipLocation", "asn", "worldMap", "reverseDns"]

    @Test func everyFormIsTried() {
        let tried = Self.samples.flatMap { $0.encoded.map(\.forms) }.joined(separator: ", ")
        for form in [
            "plain", "dictionary", "constant", "integer", "number", "address", "decimal", "padded", "time", "hex",
            "uuid",
            "prefixed", "reference", "reference to other rows", "template",
        ] { #expect(tried.contains(": \(form)"), "\(form)") }
    }

    @Test(arguments: FunctionCatalogue.all)
    func functionAnswersTheSameForEveryForm(_ signature: FunctionSignature) throws {
        let query = FunctionCalls.query(signature)
        let plan: QueryPlan
        do throws(QueryErrors) {
            plan = try QueryPlan(try QueryParser.parse(query), options: Self.options)
        } catch {
            #expect(Self.unplanned.contains(signature.name), "\(query): \(error)")
            return
        }
        for sample in Self.samples {
            let expected = Self.answer(plan, sample.plain)
            for (forms, batch) in sample.encoded {
                #expect(Self.answer(plan, batch) == expected, "\(query) over \(sample.name), \(forms)")
            }
        }
    }

    private static func answer(_ plan: QueryPlan, _ batch: Batch) -> String {
        do { return QueryScript.text(try plan.run(over: [MemoryBlock(batch)], threads: 1)) } catch { return "\(error)" }
    }
}
