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

    /// Frames of four bits, the upper bits of larger numbers apart.
    @Test func exceptionsKeepTheirUpperBits() {
        var random = SeededRandom(seed: 7)
        for (count, step) in [(1, 1), (128, 7), (300, 2), (1_000, 50), (1_000, 5_000)] {
            let numbers = (0..<count).map { index -> UInt64 in
                let isLarge = random.next() % UInt64(step) == 0
                return random.next() % (isLarge ? 1 << UInt64(4 + index % 58) : 16)
            }
            let frameCount = (count + PackedNumbers.numbersPerFrame - 1) / PackedNumbers.numbersPerFrame
            let frames = (0..<frameCount).map { PackedNumbers.Frame(least: -5, offset: UInt32($0 * 64), width: 4) }
            var bytes = [UInt8](repeating: 0, count: frameCount * 64)
            for (index, number) in numbers.enumerated() {
                bytes[index / 2] |= UInt8(number & 15) << UInt8(index % 2 * 4)
            }
            let exceptions = numbers.enumerated().filter { $0.element > 15 }
                .map { PackedNumbers.Exception(index: Int32($0.offset), high: $0.element >> 4) }
            for (factor, base) in [(Int64(1), Int64(0)), (1_000, 17)] {
                let packed = PackedNumbers(
                    count: count,
                    frames: frames,
                    bytes: ByteSlice(bytes),
                    factor: factor,
                    base: base,
                    exceptions: exceptions
                )
                let expected = numbers.map { (Int64($0) - 5) &* factor &+ base }
                #expect(packed.unpacked() == expected)
                #expect((0..<count).map { packed[$0] } == expected)
                #expect(packed.unpackedCodes() == expected.map { UInt16(truncatingIfNeeded: $0) })
                // A factor may leave the range of 64 bits; then nothing is known.
                if factor == 1 { #expect(expected.allSatisfy { packed.bounds.contains($0) }) }
            }
        }
    }

    @Test func codesAreLookedForAmongExceptions() {
        let packed = PackedNumbers(
            count: 2,
            frames: [.init(least: 0, offset: 0, width: 1)],
            bytes: ByteSlice([0b01]),
            factor: 1,
            base: 0,
            exceptions: [.init(index: 1, high: 3)]
        )
        #expect(packed.unpacked() == [1, 6])
        #expect(packed.areCodes(below: 7))
        #expect(!packed.areCodes(below: 6))
    }

    @Test func rankedNumbersAreThoseOfTheirRows() {
        var random = SeededRandom(seed: 8)
        for (count, step) in [(1, 1), (64, 1), (65, 3), (5_000, 90), (200, 1_000_000)] {
            let rows = Bitmap(count: count) { _ in random.next() % UInt64(step) == 0 }
            let dense = rows.rows.map { Int64($0) * 3 - 50 }
            let list = NumberList.ranked(RankedNumbers(.array(dense), at: rows))
            #expect(list.count == count)
            let values = list.values
            for row in rows.rows {
                #expect(list[Int(row)] == Int64(row) * 3 - 50)
                #expect(values[Int(row)] == Int64(row) * 3 - 50)
                #expect(list.bounds.contains(values[Int(row)]))
            }
            #expect((0..<count).allSatisfy { rows[$0] || values[$0] == 0 })
            // Rows without a number have some number.
            for row in 0..<count { _ = list[row] }
        }
    }
}
