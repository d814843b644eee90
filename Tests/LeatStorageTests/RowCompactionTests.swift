import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// Fields of few distinct texts become dictionaries at arrival; nobody may notice.
struct RowCompactionTests {
    /// Rows with fields of one, few, some hundred and only distinct texts, some of them missing here and there.
    private static func rows(_ count: Int, _ random: inout SeededRandom) -> [Row] {
        (0..<count).map { index in
            var row: Row = ["same": "all", "empty": "", "unique": "u\(index) \(random.next())"]
            row["few"] = ["a", "b", "", "a longer one"].randomElement(using: &random)
            row["many"] = "m\(Int.random(in: 0..<700, using: &random))"
            if Bool.random(using: &random) { row["sparse"] = "s\(Int.random(in: 0..<5, using: &random))" }
            if index == count - 1 { row["once"] = "here" }
            return row
        }
    }

    @Test(arguments: [1, 63, 64, 65, 1_000, 5_000])
    func compactedRowsAreTheSame(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let rows = Self.rows(count, &random)
        var plain = Batch.rows(rows)
        plain.set("@rawstring", to: try #require(try plain.column("few")))
        let compacted = try plain.compacted()
        #expect(try compacted.rows() == plain.rows())
        guard count >= 64 else { return }
        guard case .dictionary(let few)? = try compacted.column("few") else {
            Issue.record("a field of four texts is no dictionary")
            return
        }
        #expect(few.values.count <= 4)
        #expect(try #require(try compacted.column("@rawstring")).isSameMemory(as: .dictionary(few)))
        if case .dictionary? = try compacted.column("unique") {
            Issue.record("a field of unique texts is a dictionary")
        }
    }

    @Test func theJournalKeepsThem() throws {
        var random = SeededRandom(seed: 5)
        for count in [1, 64, 300, 4_000] {
            var batch = try Batch.rows(Self.rows(count, &random)).compacted()
            batch.set("twin", to: try #require(try batch.column("sparse") ?? batch.column("unique")))
            var bytes = ByteWriter()
            try RowCoding.append(batch, to: &bytes)
            var reader = ByteReader(ByteSlice(bytes.bytes))
            let back = try RowCoding.batch(from: &reader)
            try reader.expectEnd()
            #expect(back.timestamps == batch.timestamps)
            #expect(try back.rows() == batch.rows())
        }
    }

    @Test func damagedJournalRowsAreReadOrRefused() throws {
        var random = SeededRandom(seed: 6)
        let batch = try Batch.rows(Self.rows(70, &random)).compacted()
        var whole = ByteWriter()
        try RowCoding.append(batch, to: &whole)
        for _ in 0..<2_000 {
            var bytes = whole.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            var reader = ByteReader(ByteSlice(bytes))
            do {
                let back = try RowCoding.batch(from: &reader)
                _ = try back.rows()
            } catch let error as FormatError {
                #expect(!error.reason.isEmpty)
            }
        }
    }

    @Test(arguments: 0..<4)
    func blocksOfMixedPartsHoldAllRows(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var batches: [Batch] = []
        var expected: [Row] = []
        var next: Int64 = 0
        // Parts of every form: too few rows for dictionaries, without a field, with more texts than a dictionary may have.
        for count in [3, 700, 64, 2_000, 65, 129] {
            var rows = Self.rows(count, &random)
            if Bool.random(using: &random) { for row in rows.indices { rows[row]["few"] = nil } }
            let batch = try Batch.rows(rows).compacted()
            let fields = try OpenRows.fields(
                of: batch,
                rows: Array(next..<next + Int64(count)),
                arrivedAtMilliseconds: 1,
                repository: "r",
                tags: .none
            )
            next += Int64(count)
            batches.append(fields)
            expected += rows
        }
        let joined = try Batch.joining(batches)
        #expect(try joined.rows() == expected)
        let encoded = try BlockEncoder.encode(joined, tags: .none)
        #expect(try StoredBlock(encoded, repository: "r").read().rows() == expected)
        let plainByteCount = expected.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.utf8.count } }
        #expect(encoded.summary.plainByteCount == plainByteCount)
    }
}
