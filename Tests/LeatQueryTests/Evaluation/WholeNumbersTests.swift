import LeatCore
import Testing

@testable import LeatQuery

/// `Column.wholeNumbers` against `Column.numbers()`.
struct WholeNumbersTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func numbersAreThoseOfTheColumn(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let count = [1, 64, 65, 1_000][Int(seed % 4)]
        let rows = Bitmap(count: count) { $0 == 0 || random.next() % 3 > 0 }
        let values = (0..<rows.setCount).map { _ in Int64(random.next() % 1_000_000) - 10 }
        let ranked = NumberList.ranked(RankedNumbers(.array(values), at: rows))
        let presence = seed % 3 == 0 ? Bitmap(count: count) { rows[$0] && random.next() % 4 > 0 } : rows
        let all = (0..<count).map { Int64($0) }
        let columns: [Column] = [
            .number(NumberColumn(form: .decimal(scale: 3), numbers: ranked, presence: presence)),
            .number(NumberColumn(form: .decimal(scale: 2), numbers: .array(all), presence: rows)),
            .integer(IntegerColumn(values: all)), .integer(IntegerColumn(values: all, presence: rows)),
        ]
        for column in columns {
            let selection = seed % 2 == 0 ? Bitmap(repeating: true, count: count) : Bitmap(count: count) { $0 % 3 != 1 }
            let numbers = try #require(column.wholeNumbers)
            var found: [Int: Double] = [:]
            numbers.forEach(within: selection) { row, index in
                found[row] = Double(numbers.values[index]) / numbers.divisor
            }
            let (expected, valid) = column.numbers()
            for row in 0..<count {
                let isThere = selection[row] && valid?[row] ?? true
                #expect(found[row] == (isThere ? expected[row] : nil), "row \(row)")
            }
        }
    }

    @Test func othersAreNoWholeNumbers() {
        let times = NumberList.array([1])
        #expect(Column.number(NumberColumn(form: .address, numbers: times)).wholeNumbers?.values == nil)
        #expect(Column.constant("1", rowCount: 1).wholeNumbers?.values == nil)
        // A quotient of more digits than a double has is rounded otherwise than its text.
        let large = NumberColumn(form: .decimal(scale: 3), numbers: .array([Int64.max]))
        #expect(Column.number(large).wholeNumbers?.values == nil)
    }
}
