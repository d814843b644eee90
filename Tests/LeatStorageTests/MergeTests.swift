import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

struct MergeTests {
    /// A store with many small segments of two datasources, and its rows in order.
    private static func fragmented(_ folder: TemporaryFolder, _ time: ManualTime) async throws -> (Store, [Row]) {
        var options = StoreOptions(path: folder.path, fileSystem: PosixFileSystem(), time: time)
        options.runsInBackground = false
        options.reservedByteCount = 0
        let store = try Store.open(options)
        try store.createRepository("r")
        var rows: [Row] = []
        for index in 0..<20 {
            let tags = DatasourceTags([.init(name: "#k", value: "\(index % 2)")])
            let row: Row = ["n": "\(index)", "only-\(index)": "here", "level": index % 3 == 0 ? "WARN" : "INFO"]
            let batch = IngestBatch(repository: "r", tags: tags, batch: .rows([row]), arrivedAt: time.now())
            _ = try await store.append(batch)
            rows.append(row.merging(["#k": "\(index % 2)"]) { $1 })
            try store.seal()
            time.advance(by: .seconds(60))
        }
        return (store, rows)
    }

    @Test func smallSegmentsBecomeOneWithTheSameRows() async throws {
        let folder = try TemporaryFolder()
        let (store, rows) = try await Self.fragmented(folder, ManualTime())
        #expect(store.status().repositories[0].segmentCount == 20)
        let before = try store.snapshot(repository: "r")
        try store.compact()
        let after = try store.snapshot(repository: "r")
        #expect(after.blocks.count == 2)
        #expect(try after.rows() == rows)
        // The files of the older view are gone, its rows are not.
        #expect(try before.rows() == rows)
        #expect(store.status().repositories[0].segmentCount == 1)
        #expect(store.verify().damaged == [])
        try store.close()
        let again = try Store.open(testOptions(folder.path))
        #expect(try again.snapshot(repository: "r").rows() == rows)
        try again.close()
    }

    @Test func retentionTakesWholeSegmentsByArrival() async throws {
        let folder = try TemporaryFolder()
        let time = ManualTime()
        let (store, rows) = try await Self.fragmented(folder, time)
        try store.setRetention(Retention(ageSeconds: 10 * 60 + 30, byteCount: nil), of: "r")
        try store.applyRetention()
        #expect(try store.snapshot(repository: "r").rows() == Array(rows.suffix(10)))
        let byteCount = store.status().repositories[0].byteCount
        try store.setRetention(Retention(ageSeconds: nil, byteCount: byteCount / 2), of: "r")
        try store.applyRetention()
        let left = try store.snapshot(repository: "r").rows()
        #expect((3...6).contains(left.count) && left == Array(rows.suffix(left.count)))
        #expect(store.status().counters.expiredSegmentCount == UInt64(20 - left.count))
        try store.close()
    }
}
