import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

struct ManySegmentsTests {
    /// Ten thousand segments are opened in less than a second, as nothing of them is read before somebody asks.
    @Test func tenThousandSegmentsOpenAtOnce() async throws {
        let count: Int64 = 10_000
        let folder = try TemporaryFolder()
        let options = testOptions(folder.path("data"))
        let store = try Store.open(options)
        try store.createRepository("r", retention: Retention(ageSeconds: nil, byteCount: nil))
        _ = try await store.append(IngestBatch(repository: "r", batch: .rows([["n": "1"]]), arrivedAt: arrival))
        try store.compact()
        let first = try #require(store.segments(of: "r").first?.record)
        let root = "\(options.path)/\(StorageFileNames.segments)"
        var change = CatalogChange()
        for number in first.number + 1..<first.number + count {
            var record = first
            record.number = number
            record.times = number...number
            change.addedSegments.append(record)
            try options.fileSystem.link("\(root)/\(first.key)", to: "\(root)/\(record.key)")
        }
        try store.whilePublishing { () throws(StorageError) in try store.publish(change) }
        try store.close()

        let clock = SystemTime()
        let start = clock.monotonicNanoseconds()
        let again = try Store.open(options)
        let seconds = Double(clock.monotonicNanoseconds() - start) / 1e9
        #expect(again.segments(of: "r").count == Int(count))
        // Unoptimised, and beside other tests on a busy machine; the release build takes a tenth.
        #expect(seconds < 5, "\(seconds) s")
        // A short interval reads its segments alone.
        #expect(try again.snapshot(repository: "r", timeRange: first.number + 7...first.number + 9).blocks.isEmpty)
        #expect(again.status().repositories[0].segmentCount == Int(count))
        try again.close()
    }
}
