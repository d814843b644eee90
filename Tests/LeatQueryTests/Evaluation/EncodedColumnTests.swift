import LeatCore
import Testing

@testable import LeatQuery

/// Columns that keep their encoding answer like plain columns of the same texts.
struct EncodedColumnTests {
    private static let rowCount = 300

    private static func columns(_ random: inout SeededRandom) -> [(name: String, column: Column)] {
        let count = Self.rowCount
        let numbers = (0..<count).map { _ in Int64.random(in: -120_000...4_000_000, using: &random) }
        let positive = numbers.map { abs($0) }
        let identifiers = ByteSlice((0..<count * 16).map { _ in UInt8(random.next() % 7) })
        let form = TimeText(layout: .iso, separator: 84, fractionDigitCount: 3, suffix: [90])
        let decimal = Column.number(NumberColumn(form: .decimal(scale: 2), numbers: .array(numbers)))
        let rows = (0..<count).map { _ in Int32.random(in: 0..<Int32(count), using: &random) }
        return [
            ("decimal", decimal),
            ("integer", .number(NumberColumn(form: .integer, numbers: .array(numbers)))),
            ("padded", .number(NumberColumn(form: .padded(digitCount: 8), numbers: .array(positive)))),
            ("address", .number(NumberColumn(form: .address, numbers: .array(positive)))),
            ("time", .number(NumberColumn(form: .time(form), numbers: .array(positive)))),
            ("hex", .identifier(IdentifierColumn(bytes: identifiers, width: 16))),
            ("uuid", .identifier(IdentifierColumn(bytes: identifiers, width: 16, isUUID: true))),
            (
                "prefixed",
                .prefixed(PrefixedColumn(prefix: ByteSlice("u-"), rest: .integer(IntegerColumn(values: numbers))))
            ),
            ("prefixed twice", .prefixed(PrefixedColumn(prefix: ByteSlice("1"), rest: decimal))),
            ("reference", .reference(ReferenceColumn(target: decimal, rowCount: count))),
            (
                "reference to other rows",
                .reference(ReferenceColumn(target: decimal, rows: rows, droppedByteCount: 1, rowCount: count))
            ),
        ]
    }

    private static func tests(_ text: String) throws -> [ValueTest] {
        let number = Double(text) ?? 17
        let piece = String(text.dropFirst(text.utf8.count / 3).prefix(4))
        return [
            .present, .equals(Array(text.utf8)), .oneOf(ByteStringSet([Array(text.utf8), [49]])),
            .equalsNumber(Array(text.utf8), number), .contains(Needle(Array(piece.utf8))),
            .contains(Needle(Array(text.lowercased().utf8), foldsCase: true)),
            .glob(GlobPattern("\(text.prefix(2))*\(text.suffix(1))")), .number(.less, number),
            .number(.greaterOrEqual, 5),
            .number(.notEqual, number), .regex(try RegexTest(body: "[0-9]\(piece.first ?? "1")", flags: "")),
            .regex(try RegexTest(body: "(?=.)\\b1", flags: "")), .any([.equals([49]), .number(.greater, number)]),
        ]
    }

    @Test func testsPassAsOnTexts() throws {
        var random = SeededRandom(seed: 77)
        for (name, column) in Self.columns(&random) {
            let plain = column.decoded()
            for round in 0..<6 {
                let row = Int.random(in: 0..<Self.rowCount, using: &random)
                let text = try #require(column.text(at: row))
                #expect(plain.text(at: row) == text)
                var selection: Bitmap?
                if round % 3 > 0 {
                    selection = Bitmap(count: Self.rowCount) { $0 % (round % 3 == 1 ? 3 : 50) == row % 3 }
                }
                for test in try Self.tests(text) {
                    let found = try column.rows(passing: test, within: selection)
                    let expected = try plain.rows(passing: test, within: selection)
                    #expect(found == expected, "\(name), '\(text)', \(test)")
                }
            }
        }
    }

    @Test func numbersAreThoseOfTheTexts() throws {
        var random = SeededRandom(seed: 78)
        for (name, column) in Self.columns(&random) {
            let (values, valid) = column.numbers()
            let (expected, expectedValid) = column.decoded().numbers()
            for row in 0..<Self.rowCount {
                #expect((valid?[row] ?? true) == (expectedValid?[row] ?? true), "\(name), row \(row)")
                if valid?[row] ?? true { #expect(values[row] == expected[row], "\(name), row \(row)") }
            }
        }
    }

    @Test func rowsAreGatheredAndRestricted() throws {
        var random = SeededRandom(seed: 79)
        let rows = (0..<40).map { _ in Int32.random(in: 0..<Int32(Self.rowCount), using: &random) }
        for (name, column) in Self.columns(&random) {
            let restricted = column.restricted(to: Bitmap(count: Self.rowCount) { $0 % 2 == 0 })
            let gathered = restricted.gathered(rows)
            for (index, row) in rows.enumerated() {
                #expect(gathered.text(at: index) == (row % 2 == 0 ? column.text(at: Int(row)) : nil), "\(name)")
            }
        }
    }
}
