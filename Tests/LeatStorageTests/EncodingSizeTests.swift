import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// What columns take, so that a change that makes them larger is noticed; `docs/storage-sizes.md` has the whole picture.
struct EncodingSizeTests {
    /// Values of one kind, and the most bytes that one may take, names and checksums included: what is random in it, and
    /// a few percent.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let byteCountMax: Double
        let value: @Sendable (Int, inout SeededRandom) -> String

        init(_ name: String, _ byteCountMax: Double, _ value: @escaping @Sendable (Int, inout SeededRandom) -> String) {
            self.testDescription = name
            self.byteCountMax = byteCountMax
            self.value = value
        }
    }

    private static let rowCount = 8_192
    private static let levels = ["INFO", "WARN", "ERROR", "DEBUG"]

    static let cases = [
        Case("a constant", 0.01) { _, _ in "production" },
        Case("one of four words, two bits", 0.27) { _, random in Self.levels[Int(random.next() % 4)] },
        Case("a number below 2^16", 2.05) { _, random in String(random.next() % 65_536) },
        Case("a counter", 0.02) { row, _ in String(1_000_000 + row) },
        Case("a number with two decimals, 17 bits", 2.3) { _, random in
            "\(random.next() % 1_000).\(10 + random.next() % 90)"
        },
        Case("milliseconds that rise by up to 256", 1.16) { row, random in
            String(1_700_000_000_000 + row * 256 + Int(random.next() % 256))
        },
        Case("an ISO time with milliseconds", 1.6) { row, random in
            "2025-11-20T03:\(10 + row / 1_000):\(10 + row / 100 % 50).\(100 + random.next() % 900)Z"
        },
        Case("an IPv4 address, 32 bits", 4.1) { _, random in
            (0..<4).map { _ in String(random.next() % 256) }.joined(separator: ".")
        },
        Case("a UUID, 128 bits", 16.1) { _, random in
            let digits = Self.hexadecimal(32, &random)
            let groups = [(0, 8), (8, 4), (12, 4), (16, 4), (20, 12)].map { digits.dropFirst($0.0).prefix($0.1) }
            return groups.joined(separator: "-")
        },
        Case("sixteen hexadecimal digits", 8.1) { _, random in Self.hexadecimal(16, &random) },
        Case("a prefix and eight hexadecimal digits", 4.1) { _, random in "req-" + Self.hexadecimal(8, &random) },
        Case("a sentence with two numbers, 26 bits", 3.5) { _, random in
            "user \(random.next() % 65_536) has \(random.next() % 1_024) items in the basket"
        },
        Case("one of three sentences, each with an address", 4.6) { row, random in
            let address = "10.\(random.next() % 256).\(random.next() % 256).\(random.next() % 256)"
            switch row % 3 {
            case 0: return "connection from \(address) accepted"
            case 1: return "closed \(address): timeout"
            default: return "\(address) is unknown to us"
            }
        },
    ]

    private static func hexadecimal(_ count: Int, _ random: inout SeededRandom) -> String {
        String(decoding: (0..<count).map { _ in TypedText.hexDigits[Int(random.next() % 16)] }, as: UTF8.self)
    }

    /// The values of a case, always the same.
    static func values(of sizes: Case) -> [[UInt8]] {
        var random = SeededRandom(seed: 5)
        return (0..<Self.rowCount).map { Array(sizes.value($0, &random).utf8) }
    }

    /// An event about each second.
    static var context: EncodingContext {
        EncodingContext(times: (0..<self.rowCount).map { Int64($0) * 1_000_000_007 })
    }

    @Test(arguments: cases) func aColumnTakesWhatIsRandomInIt(_ sizes: Case) {
        let values = ByteStrings(Self.values(of: sizes))
        let page = ColumnEncoder.page(RowTexts(values), presence: nil, Self.context)
        let perValue = Double(page.bytes.count) / Double(Self.rowCount)
        #expect(perValue <= sizes.byteCountMax, "\(perValue) bytes a value")
    }

    /// A field that repeats a part of another one costs next to nothing.
    @Test func aFieldThatIsPartOfTheTextIsReferredTo() throws {
        var random = SeededRandom(seed: 6)
        let rows: [Row] = (0..<Self.rowCount).map { row in
            let user = random.next() % 1_000_000
            let digits = Self.hexadecimal(16, &random)
            return ["@rawstring": "user \(user) paid by \(digits)", "user": "\(user)", "trace": digits]
        }
        let whole = try Self.byteCount(rows)
        let text = try Self.byteCount(rows.map { ["@rawstring": $0["@rawstring"] ?? ""] })
        #expect(Double(whole - text) / Double(Self.rowCount) < 0.1, "\(whole) and \(text) bytes")
    }

    private static func byteCount(_ rows: [Row]) throws -> Int {
        let encoded = try Self.encoded(.rows(rows))
        var seen: Set<Int> = []
        return encoded.summary.pages.filter { seen.insert($0.offset).inserted }.reduce(0) { $0 + $1.byteCount }
    }

    /// Real logs of all formats, search filters included, against the lines alone in zstd's usual level.
    @Test func theCorpusIsSmallerThanCompressedText() throws {
        guard let folder = SharedData.path("data/corpus") else { return }
        var builder = BatchBuilder()
        var plain: [UInt8] = []
        var byteCount = 0
        for path in try Self.logFiles(below: folder) {
            let text = try PosixFileSystem().contents(path).array
            plain += text
            for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
                let columns = [("@rawstring", line), ("source", ArraySlice(path.dropFirst(folder.count).utf8))]
                for (name, value) in columns {
                    let column = builder.columnIndex(of: name)
                    ByteSlice(Array(value)).withUnsafeBytes { builder.append($0, to: column) }
                }
                builder.endRow(timestamp: 1_700_000_000_000_000_000 + Int64(builder.rowCount) * 1_000_000)
                if builder.rowCount == Batch.rowCountMax { byteCount += try Self.storedByteCount(builder.finish()) }
            }
        }
        byteCount += try Self.storedByteCount(builder.finish())
        let compressed = plain.withUnsafeBytes { Zstandard.compress($0, level: 3).count }
        #expect(plain.count > 10_000_000)
        #expect(Double(byteCount) < 0.95 * Double(compressed), "\(byteCount) bytes, zstd -3 \(compressed)")
    }

    private static func storedByteCount(_ batch: Batch) throws -> Int {
        let encoded = try Self.encoded(batch)
        return encoded.bytes.count + encoded.filter.lines.count
    }

    /// A block as the store makes it, with number and arrival of each row.
    private static func encoded(_ batch: Batch) throws -> EncodedBlock {
        let fields = try OpenRows.fields(
            of: batch,
            rows: (0..<Int64(batch.rowCount)).map { $0 },
            arrivedAtMilliseconds: arrival.milliseconds,
            repository: "r",
            tags: .none
        )
        return try BlockEncoder.encode(fields, tags: .none)
    }

    private static func logFiles(below folder: String) throws -> [String] {
        let disk = PosixFileSystem()
        return try disk.list(folder).flatMap { name throws -> [String] in
            let path = "\(folder)/\(name)"
            if try disk.status(path)?.kind == .directory { return try Self.logFiles(below: path) }
            return name.hasSuffix(".log") || name.hasSuffix(".txt") ? [path] : []
        }
    }
}
