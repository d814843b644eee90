import LeatCore
import Testing

@testable import LeatCore

/// Forms in which values stay as they are stored.
struct PackedFormsTests {
    /// Frames for numbers below 2^16, each as wide as its largest number.
    private static func packed(_ values: [UInt16]) -> PackedNumbers {
        var frames: [PackedNumbers.Frame] = []
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: values.count, by: PackedNumbers.numbersPerFrame) {
            let part = values[start..<min(start + PackedNumbers.numbersPerFrame, values.count)]
            let least = part.min() ?? 0
            let width = 16 - ((part.max() ?? 0) - least).leadingZeroBitCount
            frames.append(.init(least: Int64(least), offset: UInt32(bytes.count), width: UInt8(width)))
            var bits: [UInt8] = []
            for value in part { for bit in 0..<width { bits.append(UInt8((value - least) >> UInt16(bit) & 1)) } }
            for first in stride(from: 0, to: bits.count, by: 8) {
                let group = bits[first..<min(first + 8, bits.count)]
                bytes.append(group.enumerated().reduce(0) { $0 | $1.element << UInt8($1.offset) })
            }
        }
        return PackedNumbers(count: values.count, frames: frames, bytes: ByteSlice(bytes), factor: 1, base: 0)
    }

    @Test func packedCodesAreThoseOfTheArray() {
        var random = SeededRandom(seed: 5)
        for (count, limit) in [(1, 1), (127, 2), (128, 3), (129, 700), (1_000, 65_536)] {
            let values = (0..<count).map { _ in UInt16(random.next() % UInt64(limit)) }
            let list = CodeList.packed(Self.packed(values))
            #expect(list.count == count)
            #expect(list.array == values)
            #expect((0..<count).map { list[$0] } == values)
            #expect(CodeList.array(values).array == values)
        }
    }

    @Test func codesBeyondALimitAreSeen() {
        var values = [UInt16](repeating: 3, count: 300)
        #expect(Self.packed(values).areCodes(below: 4))
        #expect(!Self.packed(values).areCodes(below: 3))
        values[200] = 9
        // The frame of the 9 has four bits from 3 on, so that it alone does not tell.
        #expect(Self.packed(values).areCodes(below: 10))
        #expect(!Self.packed(values).areCodes(below: 9))
    }

    @Test func ranksAndRowsAreEachOthersInverse() {
        var random = SeededRandom(seed: 6)
        for (count, step) in [(1, 1), (64, 1), (65, 3), (5_000, 2), (5_000, 90)] {
            let rows = Bitmap(count: count) { $0 == 0 || random.next() % UInt64(step) == 0 }
            let ranked = RankedRows(rows)
            #expect(ranked.rowCount == count)
            #expect(ranked.valueCount == rows.setCount)
            for (value, row) in rows.rows.enumerated() {
                #expect(ranked.value(of: Int(row)) == value)
                #expect(ranked.row(of: value) == Int(row))
            }
        }
    }
}
