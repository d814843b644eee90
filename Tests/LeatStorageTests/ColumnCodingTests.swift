import LeatCore
import Testing

@testable import LeatStorage

struct ColumnCodingTests {
    /// Values that show up in logs, or break things.
    static func values(_ kind: Int, count: Int, _ random: inout SeededRandom) -> [[UInt8]] {
        (0..<count).map { row in
            switch kind {
            case 0: Array("same".utf8)
            case 1: Array(["INFO", "WARN", "ERROR", ""][Int.random(in: 0..<4, using: &random)].utf8)
            case 2: Array(String(Int64.random(in: -5...70_000, using: &random)).utf8)
            case 3: Array(String(1_700_000_000_000 + row * 3).utf8)
            case 4: Array("user \(Int.random(in: 0..<1_000_000, using: &random)) logged in".utf8)
            case 5: (0..<Int.random(in: 0..<9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            case 6: Array(["0", "-0", "00", "9223372036854775807", "-1", "1e3", "+1"][row % 7].utf8)
            default: Array(String(repeating: "x", count: row % 300).utf8)
            }
        }
    }

    @Test(arguments: 0..<8, [1, 2, 3, 127, 128, 129, 5_000])
    func columnsComeBackToTheByte(kind: Int, count: Int) throws {
        var random = SeededRandom(seed: UInt64(kind * 1000 + count))
        for isSparse in [false, true] {
            let values = Self.values(kind, count: count, &random)
            var presence: Bitmap?
            if isSparse {
                var bits = Bitmap(repeating: false, count: count)
                for row in 0..<count where Bool.random(using: &random) { bits.set(row) }
                bits.set(count - 1)
                presence = bits
            }
            let page = ColumnEncoder.page(ByteStrings(values), presence: presence)
            let column = try ColumnDecoder.column(ByteSlice(page.bytes), rowCount: count)
            let strings = column.strings
            for row in 0..<count {
                #expect(column.isPresent(at: row) == (presence?[row] ?? true))
                if column.isPresent(at: row) { #expect(Array(strings[row]) == values[row], "row \(row)") }
            }
        }
    }

    @Test(arguments: [0, 1, 7, 128, 1_000])
    func integersComeBack(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let shapes: [(Int) -> Int64] = [
            { _ in 5 }, { Int64($0) }, { Int64($0) * 1_000_000 + 17 }, { $0 % 2 == 0 ? .min : .max },
            { _ in Int64.random(in: .min ... .max, using: &random) }, { _ in Int64.random(in: 0...1, using: &random) },
            { Int64($0 / 200) * 7 - 3 },
        ]
        for (number, shape) in shapes.enumerated() {
            let values = (0..<count).map(shape)
            var page = PageWriter()
            IntegerPacking.append(values, to: &page)
            var reader = try PageReader(ByteSlice(page.finish()))
            #expect(try IntegerPacking.read(count: count, from: &reader) == values, "shape \(number)")
        }
    }

    @Test func anyBytesAreReadOrRefused() throws {
        var random = SeededRandom(seed: 11)
        for round in 0..<2_000 {
            let values = Self.values(round % 8, count: 40, &random)
            var bytes = ColumnEncoder.page(ByteStrings(values), presence: nil).bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            do {
                let column = try ColumnDecoder.column(ByteSlice(bytes), rowCount: 40)
                #expect(column.rowCount == 40)
                _ = column.strings
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
    }

    @Test func checksumsAreThoseOfTheStandard() {
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    }
}
