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
            case 7: Self.hexadecimal(16, &random)
            case 8: Array("req-".utf8) + Self.hexadecimal(8, &random)
            case 9: Self.uuid(&random)
            case 10: Array((0..<4).map { _ in String(random.next() % 256) }.joined(separator: ".").utf8)
            case 11: Array("\(random.next() % 100).\(100 + random.next() % 900)".utf8)
            case 12: Array(String(String(10_000_000 + random.next() % 1_000_000).dropFirst()).utf8)
            case 13: Array("2025-11-20T03:00:\(10 + row % 50).\(100 + row % 900)Z".utf8)
            case 14: Self.json(row, &random)
            case 15: Self.line(row, &random)
            case 16: Array("2023-02-3\(row % 3)T00:00:00Z".utf8)
            case 17: Array("9999-12-31T23:59:59.999999999Z".utf8) + [UInt8](repeating: 32, count: row % 2)
            case 18: row % 5 == 0 ? Self.line(row, &random) : Self.json(row, &random)
            default: Array(String(repeating: "x", count: row % 300).utf8)
            }
        }
    }

    private static func hexadecimal(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<count).map { _ in TypedText.hexDigits[Int(random.next() % 16)] }
    }

    private static func uuid(_ random: inout SeededRandom) -> [UInt8] {
        let digits = Self.hexadecimal(32, &random)
        let parts = [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]]
        return Array(parts.joined(separator: [UInt8(ascii: "-")]))
    }

    private static func json(_ row: Int, _ random: inout SeededRandom) -> [UInt8] {
        let texts = [
            #"{"level":\#(row % 3),"msg":"user \#(random.next() % 999) said \"no\" 5ms","ok":true,"ip":"10.0.0.\#(row % 256)"}"#,
            #"{"a":{"b":[1,2,{"c":null}]},"a":"\#(row)"}"#, #"{"broken":"\#(row)"#, "{}", #"{"x": "","y":-0.\#(row)}"#,
        ]
        return Array(texts[Int(random.next() % 5)].utf8)
    }

    private static func line(_ row: Int, _ random: inout SeededRandom) -> [UInt8] {
        let number = random.next() % 5_000
        let texts = [
            "1970-01-01T00:00:\(10 + row % 40) handled method=GET path=/a/\(number) took=\(number).25ms",
            "connect 10.2.3.\(row % 256):\(number): refused, try \(row % 4)/3.",
            "note=\"a \\\" b\" rest \"\(number)\" end\"",
            "panic\n\tat x.\(number)\n\tat y", "20/Nov/2025:03:00:\(10 + row % 40) +0000 [http-8080-exec-\(row % 64)]",
            "\u{1b}[31mred\u{1b}[0m é\(number)é 0x1f \u{fffd}", "one-off \(UInt32(row) &* 2_654_435_761)", "a=", "=1",
            "\"",
        ]
        return Array(texts[Int(random.next() % 10)].utf8)
    }

    @Test(arguments: 0..<20, [1, 2, 3, 127, 128, 129, 5_000])
    func columnsComeBackToTheByte(kind: Int, count: Int) throws {
        var random = SeededRandom(seed: UInt64(kind * 1000 + count))
        for isSparse in [false, true] {
            let values = Self.values(kind, count: count, &random)
            let times = (0..<count).map { Int64($0) * 1_000_000_007 }
            var presence: Bitmap?
            if isSparse {
                var bits = Bitmap(repeating: false, count: count)
                for row in 0..<count where Bool.random(using: &random) { bits.set(row) }
                bits.set(count - 1)
                presence = bits
            }
            let texts = RowTexts(ByteStrings(values))
            let page = ColumnEncoder.page(texts, presence: presence, EncodingContext(times: times))
            let context = DecodingContext(times: times)
            let column = try ColumnDecoder.column(ByteSlice(page.bytes), rowCount: count, context)
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
            // A few that are much larger than the others, of either sign, and some so large that they overflow.
            { $0 % 50 == 7 ? 1 << 40 : Int64($0 % 7) }, { $0 % 90 == 7 ? .min : Int64($0 % 7) * 1000 },
            { Int64($0) * 1000 + ($0 % 61 == 3 ? 7_654_321 : Int64($0 % 13)) },
        ]
        for (number, shape) in shapes.enumerated() {
            let values = (0..<count).map(shape)
            var page = PageWriter()
            IntegerPacking.append(values, to: &page)
            var reader = try PageReader(ByteSlice(page.finish()))
            #expect(try IntegerPacking.read(count: count, from: &reader) == values, "shape \(number)")
        }
    }

    @Test func numbersWithExceptionsTakeLittle() throws {
        var random = SeededRandom(seed: 4)
        let values = (0..<10_000).map { _ in
            Int64.random(in: 0..<50, using: &random) == 0
                ? Int64.random(in: 0..<1_000_000, using: &random) : Int64.random(in: 0..<256, using: &random)
        }
        var page = PageWriter()
        IntegerPacking.append(values, to: &page)
        // Eight bits each, and three or four bytes for an exception.
        #expect(page.packed.count < 10_000 + 200 * 6)
        var reader = try PageReader(ByteSlice(page.finish()))
        #expect(try IntegerPacking.read(count: values.count, from: &reader) == values)
    }

    @Test func damagedNumbersWithExceptionsAreReadOrRefused() throws {
        var random = SeededRandom(seed: 12)
        let values = (0..<400).map { Int64($0 % 40 == 7 ? 1 << 30 : $0 % 5) }
        for _ in 0..<2_000 {
            var page = PageWriter()
            IntegerPacking.append(values, to: &page)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<page.structure.count, using: &random)
                page.structure.bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = try PageReader(ByteSlice(page.finish()))
            do {
                #expect(try IntegerPacking.read(count: values.count, from: &reader).count == values.count)
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
    }

    @Test func anyBytesAreReadOrRefused() throws {
        var random = SeededRandom(seed: 11)
        for round in 0..<2_000 {
            let values = Self.values(round % 20, count: 40, &random)
            var bytes = ColumnEncoder.page(
                RowTexts(ByteStrings(values)),
                presence: nil,
                EncodingContext(times: [Int64](repeating: 0, count: 40))
            ).bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            do {
                let context = DecodingContext(times: [Int64](repeating: 0, count: 40))
                let column = try ColumnDecoder.column(ByteSlice(bytes), rowCount: 40, context)
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
