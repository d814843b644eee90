import LeatCore
import LeatTesting
import Testing

@Suite struct BatchBuilderTests {
    @Test func batchesHaveTheRowsThatWereAppended() throws {
        for seed in UInt64(0)..<(isLongRun ? 2000 : 40) {
            var random = SeededRandom(seed: seed)
            var builder = BatchBuilder()
            for _ in 0..<2 { try Self.fillAndCompare(&builder, &random, seed) }
        }
    }

    /// Appends random rows, some of them abandoned, and compares with a dictionary per row.
    static func fillAndCompare(
        _ builder: inout BatchBuilder,
        _ random: inout SeededRandom,
        _ seed: UInt64
    ) throws {
        var rows: [[String: String]] = []
        for _ in 0..<Int.random(in: 0...300, using: &random) {
            var row: [String: String] = [:]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let name = "field\(Int.random(in: 0..<8, using: &random))"
                let length = [0, 1, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 300].randomElement(using: &random) ?? 0
                let value = String((0..<length).map { _ in "abcdef".randomElement(using: &random) ?? "x" })
                builder.append(Array(value.utf8), to: builder.columnIndex(of: name))
                row[name] = value
            }
            if Int.random(in: 0..<10, using: &random) == 0 {
                builder.abandonRow()
            } else {
                builder.endRow(timestamp: Int64(rows.count))
                rows.append(row)
            }
        }
        let rowCount = builder.rowCount
        #expect(rowCount == rows.count)
        let batch = builder.finish()
        let rest = builder.rowCount
        #expect(rest == 0)
        #expect(batch.rowCount == rows.count)
        #expect(Set(batch.fieldNames) == Set(rows.flatMap(\.keys)), "seed \(seed)")
        for name in batch.fieldNames {
            #expect(try text(batch, name) == rows.map { $0[name] }, "seed \(seed) \(name)")
        }
    }

    @Test func theLargestBatchIsWhole() throws {
        var builder = BatchBuilder()
        let number = builder.columnIndex(of: "n")
        let rare = builder.columnIndex(of: "rare")
        for row in 0..<Batch.rowCountMax {
            precondition(!builder.isFull, "full after \(row) rows")
            builder.append(Array(String(row).utf8), to: number)
            if row == 40_000 { builder.append([0x78], to: rare) }
            builder.endRow(timestamp: 0)
        }
        let isFull = builder.isFull
        #expect(isFull)
        let batch = builder.finish()
        #expect(try text(batch, "n").last == "65535")
        #expect(try text(batch, "rare").compactMap { $0 } == ["x"])
        #expect(try text(batch, "rare")[40_000] == "x")
    }

    @Test func numbersOfColumnsChangeWithTheGeneration() {
        var builder = BatchBuilder()
        let other = BatchBuilder()
        let generations = (builder.generation, other.generation)
        #expect(generations.0 != generations.1)
        let columns = (builder.columnIndex(of: "a"), builder.columnIndex(of: "b"), builder.columnIndex(of: "a"))
        #expect(columns == (0, 1, 0))
        let name = builder.name(of: 1)
        #expect(name == [0x62])
        _ = builder.finish()
        let after = (builder.generation, builder.columnCount)
        #expect(after.0 != generations.0)
        #expect(after.1 == 0)
    }
}
