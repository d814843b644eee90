import LeatCore
import LeatTesting
import Testing

/// Rows written through pointers are what a plain writer makes of the same values.
struct JSONLineWriterTests {
    private static let rowCount = 200

    /// Texts that need no escapes, that need some, and that are not UTF-8.
    private static func texts(_ random: inout SeededRandom, count: Int) -> [[UInt8]] {
        (0..<count).map { index in
            switch random.next() % 6 {
            case 0: []
            case 1: Array("say \"\(index)\"\n\tand \\ go".utf8)
            case 2: Array("Größe \(index) 日本".utf8)
            case 3: [0x61, 0xFF, 0x62, UInt8(truncatingIfNeeded: index)]
            case 4: Array(String(repeating: "x\(index)", count: 60).utf8)
            default: Array("plain \(index)".utf8)
            }
        }
    }

    private static func fields(_ random: inout SeededRandom) -> [JSONLineWriter.Field] {
        let count = Self.rowCount
        let some = Bitmap(count: count) { $0 % 3 != 0 }
        let texts = ByteStrings(Self.texts(&random, count: count))
        let few = ByteStrings(Self.texts(&random, count: 7))
        let codes = (0..<count).map { _ in UInt16(random.next() % 7) }
        let numbers = (0..<count).map { Int64($0) * 977 - 40_000 }
        let plain = Column.plain(PlainColumn(values: texts, presence: some))
        let template = TemplateTexts(
            parts: ByteStrings([Array("of \"".utf8), Array("\" and ".utf8), [], Array("none".utf8)]),
            templates: [
                TemplateTexts.Template(firstPart: 0, firstSlot: 0, slotCount: 2),
                TemplateTexts.Template(firstPart: 3, firstSlot: 2, slotCount: 0),
            ],
            slots: [0, 1],
            codes: (0..<count).map { $0 % 4 == 3 ? 2 : 1 },
            whole: ByteStrings([]),
            columns: [
                .plain(PlainColumn(values: ByteStrings(Self.texts(&random, count: count * 3 / 4)))),
                .integer(IntegerColumn(values: Array(numbers.prefix(count * 3 / 4)))),
            ]
        )
        return [
            .init(name: "@timestamp", column: .integer(IntegerColumn(values: numbers)), isNumber: true),
            .init(name: "not a number", column: plain, isNumber: true),
            .init(name: "#\"tag\"", column: .constant(ConstantColumn(value: ByteSlice("a\nb"), rowCount: count))),
            .init(name: "code", column: .dictionary(DictionaryColumn(values: few, codes: codes, presence: some))),
            .init(name: "number", column: .integer(IntegerColumn(values: numbers, presence: some))),
            .init(
                name: "prefixed",
                column: .prefixed(
                    PrefixedColumn(prefix: ByteSlice("u\t"), rest: .integer(IntegerColumn(values: numbers)))
                )
            ),
            .init(name: "message", column: .template(TemplateColumn(texts: template, presence: some))),
            .init(
                name: "id",
                column: .identifier(
                    IdentifierColumn(bytes: ByteSlice([UInt8](repeating: 0xA7, count: 9 * count)), width: 9)
                )
            ),
            .init(name: "@rawstring", column: .template(TemplateColumn(texts: template))),
        ]
    }

    private static func expected(_ fields: [JSONLineWriter.Field], _ row: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for field in fields where field.column.isPresent(at: row) {
            writer.key(field.name)
            field.column.withText(at: row) { text in
                if field.isNumber && JSONNumber.isInteger(text) { writer.raw(text) } else { writer.value(text) }
            }
        }
        writer.endObject()
        return writer.bytes + [0x0A]
    }

    @Test(arguments: [1, 200])
    func rowsAreWhatAPlainWriterMakes(rowCount: Int) {
        var random = SeededRandom(seed: 31)
        let fields = Self.fields(&random)
        for count in 0...fields.count {
            let some = Array(fields.prefix(count))
            let writer = JSONLineWriter(some, rowCount: rowCount)
            let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
            defer { target.deallocate() }
            for row in 0..<Self.rowCount {
                writer.prefetch(row: row)
                writer.prefetchText(row: row)
                let end = writer.write(row: row, into: target, from: 5)
                #expect(end.map { Array(target[5..<$0]) } == Self.expected(some, row), "row \(row)")
            }
        }
    }

    /// However little room there is, nothing is written beyond it, and the row comes whole or not at all.
    @Test func roomIsNeverLeft() {
        var random = SeededRandom(seed: 32)
        let fields = Self.fields(&random)
        let writer = JSONLineWriter(fields, rowCount: Self.rowCount)
        for row in 0..<24 {
            let expected = Self.expected(fields, row)
            for room in stride(from: 0, through: expected.count * 8, by: 7) {
                let target = UnsafeMutableRawBufferPointer.allocate(byteCount: room + 64, alignment: 16)
                defer { target.deallocate() }
                for index in room..<room + 64 { target[index] = 0xEE }
                let end = writer.write(
                    row: row,
                    into: UnsafeMutableRawBufferPointer(rebasing: target[..<room]),
                    from: 0
                )
                if let end { #expect(Array(target[..<end]) == expected) }
                #expect(target[room...].allSatisfy { $0 == 0xEE })
            }
        }
    }

    @Test func integersAreToldFromOtherTexts() {
        let integers = ["0", "-1", "7", "9223372036854775807", "-9223372036854775808", "-0"]
        let others = ["", "-", "00", "01", "-01", "1.0", "1e3", "+1", " 1", "92233720368547758070"]
        for text in integers { #expect(Array(text.utf8).withUnsafeBytes { JSONNumber.isInteger($0) }, "\(text)") }
        for text in others { #expect(!Array(text.utf8).withUnsafeBytes { JSONNumber.isInteger($0) }, "\(text)") }
    }
}
