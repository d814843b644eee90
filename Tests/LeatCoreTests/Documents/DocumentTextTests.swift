import LeatCore
import LeatTesting
import Testing

@Suite struct DocumentTextTests {
    /// Keeps documents as ingest does: fields, the time apart, and a template or, if there is none, the text.
    static func batch(_ documents: [String], time: String = "@timestamp") throws -> (batch: Batch, keptTexts: Int) {
        var builder = BatchBuilder()
        var flattener = JSONFlattener()
        var shaper = DocumentShaper()
        var keptTexts = 0
        for document in documents {
            let slice = ByteSlice(document)
            try flattener.flatten(slice.unsafeBytes)
            let timeField = flattener.fields.last { flattener.name($0.name).text == time }
            let timestamp = timeField.flatMap { TimestampParser.parse($0.value) } ?? Timestamp(nanoseconds: 5)
            flattener.append(to: &builder) { $0.text == time }
            let template = shaper.template(of: &flattener, timeField: timeField, timestamp: timestamp)
            if let template {
                let column = builder.columnIndex(of: JSONShape.columnName)
                builder.append(template.unsafeBytes, to: column)
            } else {
                keptTexts += 1
                let column = builder.columnIndex(of: "@rawstring")
                builder.append(try JSONCompact.compacted(slice.unsafeBytes), to: column)
            }
            builder.endRow(timestamp: timestamp.nanoseconds)
        }
        return (builder.finish(), keptTexts)
    }

    static let documents = [
        #"{"@timestamp":"2023-11-14T22:13:20.123Z","a":1,"b":{"c":"x y","d":[true,null]}}"#,
        #"{"@timestamp":"2023-11-14T22:13:20Z","a":"1","e":{}}"#,
        #"{"@timestamp":"2023-11-14T22:13:20.000001Z"}"#,
        #"{"@timestamp":"2023-11-14T22:13:20.000000001Z"}"#,
        #"{"a":2,"@timestamp":1700000000123}"#,
        #"{"@timestamp":1700000000}"#,
        #"{}"#,
        #"{"s":"quote \" and \\ and \n"}"#,
        // These keep their text: another form of the time, and a name that occurs twice.
        #"{"@timestamp":"2023-11-14T23:13:20+01:00","a":1}"#,
        #"{"@timestamp":"2023-11-14T22:13:20.12Z"}"#,
        #"{"@timestamp":1700000000.5}"#,
        #"{"a":1,"a":2}"#,
    ]

    @Test func textsComeBackFromFieldsAndTime() throws {
        let (stored, keptTexts) = try Self.batch(Self.documents)
        #expect(keptTexts == 4)
        let shown = stored.showingDocumentText()
        #expect(try text(shown, "@rawstring") == Self.documents)
        #expect(shown.fieldNames.contains("@rawstring"))
        #expect(!shown.fieldNames.contains(JSONShape.columnName))
        #expect(try text(shown, "a") == text(stored, "a"))
        // What has no template is shown as it is.
        let plain = try Self.batch([#"{"a":1,"a":2}"#]).batch
        #expect(plain.showingDocumentText().fieldNames == plain.fieldNames)
    }

    @Test func anyDocumentComesBackCompact() throws {
        for seed in UInt64(0)..<(isLongRun ? 500 : 30) {
            var source = RandomJSON(seed: seed)
            source.hasSpace = true
            let documents = (0..<20).map { _ in source.document() }
            let shown = try Self.batch(documents).batch.showingDocumentText()
            let compact = try documents.map { document in
                try ByteSlice(document).withUnsafeBytes {
                    String(decoding: try JSONCompact.compacted($0), as: UTF8.self)
                }
            }
            #expect(try text(shown, "@rawstring") == compact, "seed \(seed)")
        }
    }

    @Test func everyEncodingOfAColumnIsWritten() throws {
        let template = ByteSlice("{\"c\":\u{1},\"d\":\u{1},\"i\":\u{2}}")
        let presence = Bitmap(words: [0b01], count: 2)
        let base = Batch(
            timestamps: [1, 2],
            source: MemoryColumns([
                (JSONShape.columnName, .constant(ConstantColumn(value: template, rowCount: 2, presence: presence))),
                ("c", .constant(ConstantColumn(value: ByteSlice("x"), rowCount: 2))),
                ("d", .dictionary(DictionaryColumn(values: ByteStrings([[0x79], [0x7A]]), codes: [1, 0]))),
                ("i", .integer(IntegerColumn(values: [-7, 8]))),
            ])
        )
        #expect(try text(base.showingDocumentText(), "@rawstring") == [#"{"c":"x","d":"z","i":-7}"#, nil])
    }

    @Test func aRowThatDoesNotFitItsTemplateIsDamage() throws {
        for template in ["{\"gone\":\u{1}}", "{broken"] {
            let columns = [
                (JSONShape.columnName, Column.constant(ConstantColumn(value: ByteSlice(template), rowCount: 1)))
            ]
            let batch = Batch(timestamps: [0], source: MemoryColumns(columns)).showingDocumentText()
            #expect(throws: DamagedBlock.self) { try batch.column("@rawstring") }
        }
    }

    static let needles: [(needle: String, parts: [String])] = [
        ("timeout", ["timeout"]), ("2023-11-14T22", []), ("\"status\":500", ["status"]), ("a\\nb", []),
        ("error\":\"disk full\\u0001 now", ["disk full", " now"]), ("longername\":\"x y", ["rname", "x y"]), ("{}", []),
        ("level\":\"warn", ["warn"]),
    ]

    @Test(arguments: needles)
    func partsOfANeedleLieInNamesAndValues(needle: String, parts: [String]) {
        let found = Needle(Array(needle.utf8)).partsWithinDocuments.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(found == parts)
    }

    @Test func partsAreInTheColumnsOfEveryDocumentThatHasTheNeedle() throws {
        var random = SeededRandom(seed: 77)
        for seed in UInt64(0)..<(isLongRun ? 2000 : 60) {
            var source = RandomJSON(seed: seed)
            let stored = try Self.batch([source.document()]).batch
            guard stored.fieldNames.contains(JSONShape.columnName) else { continue }
            let whole = try text(stored.showingDocumentText(), "@rawstring")[0] ?? ""
            let bytes = Array(whole.utf8)
            let searched = try stored.fieldNames.flatMap { try text(stored, $0) }.compactMap { $0 }.map {
                ByteSlice($0)
            }
            for _ in 0..<20 where !bytes.isEmpty {
                let start = Int.random(in: 0..<bytes.count, using: &random)
                let needle = Needle(Array(bytes[start...].prefix(Int.random(in: 1...30, using: &random))))
                guard needle.hasJSONPunctuation else { continue }
                for part in needle.partsWithinDocuments {
                    let isThere = searched.contains { ByteSearch.find(part, in: $0.unsafeBytes) != nil }
                    #expect(isThere, "seed \(seed): \(String(decoding: part.bytes, as: UTF8.self)) of \(whole)")
                }
            }
        }
    }
}
