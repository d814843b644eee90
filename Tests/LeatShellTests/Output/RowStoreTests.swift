import LeatCore
import Testing

@testable import LeatShell

@Suite struct RowStoreTests {
    static func rows(of store: RowStore) throws -> [[UInt8]] {
        var rows: [[UInt8]] = []
        try store.forEach { row in
            rows.append(Array(row))
            return true
        }
        return rows
    }

    /// Rows of any bytes come back, from memory and from the file, whole and in order, as often as they are asked for.
    @Test(arguments: [1 << 20, 1_000, 1])
    func rowsComeBack(memoryByteCountMax: Int) throws {
        var random = SeededRandom(seed: 5)
        let store = RowStore(memoryByteCountMax: memoryByteCountMax)
        var rows = (0..<2_000).map { _ in
            (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...20, using: &random) }
        }
        // Longer than what is read of the file at once.
        rows.insert([UInt8](repeating: 10, count: 3 << 20), at: 1_000)
        for row in rows { try row.withUnsafeBytes { try store.append($0) } }
        #expect(store.rowCount == rows.count)
        #expect(try Self.rows(of: store) == rows)
        let more: [UInt8] = [1, 2, 3]
        try more.withUnsafeBytes { try store.append($0) }
        #expect(try Self.rows(of: store) == rows + [more])
        var seen = 0
        try store.forEach { _ in
            seen += 1
            return seen < 3
        }
        #expect(seen == 3)
    }
}
