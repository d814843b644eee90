import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

@Suite struct FooterCacheTests {
    /// Calls `body` with handles of segments that have one row each, over a cache of their footers.
    private static func withSegments(
        _ count: Int,
        _ cache: FooterCache,
        _ body: ([SegmentHandle]) throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path("data")))
        try store.createRepository("r", retention: Retention(ageSeconds: nil, byteCount: nil))
        for number in 0..<count {
            let row = ["number": String(number), "text": "a text of several words"]
            _ = try await store.append(IngestBatch(repository: "r", batch: .rows([row]), arrivedAt: arrival))
            try store.seal()
        }
        let segments = store.segments(of: "r").map {
            SegmentHandle($0.record, objects: store.objects, footers: cache)
        }
        try #require(segments.count == count)
        try body(segments)
        try store.close()
    }

    private static func number(_ segment: SegmentHandle) throws -> String? {
        try segment.blocks()[0].read().rows()[0]["number"]
    }

    @Test func aFooterIsReadOnce() async throws {
        let cache = FooterCache()
        try await Self.withSegments(2, cache) { segments in
            let first = try segments[0].blocks()[0]
            _ = try segments[1].blocks()
            let again = try segments[0].blocks()[0]
            #expect(again === first)
            #expect(cache.count == 2)
        }
        #expect(cache.count == 0)
        #expect(cache.byteCount == 0)
    }

    @Test func theNumberOfSegmentsIsLimited() async throws {
        let cache = FooterCache(countMax: 8)
        try await Self.withSegments(30, cache) { segments in
            let blocks = try segments.map { try $0.blocks()[0] }
            for (number, segment) in segments.enumerated() {
                let read = try Self.number(segment)
                #expect(read == String(number))
                #expect(cache.count <= 8)
            }
            // Whoever has a block reads it, whether its footer is kept or not.
            for (number, block) in blocks.enumerated() {
                let row = try block.read().rows()[0]
                #expect(row["number"] == String(number))
            }
        }
    }

    @Test func bytesAreLimited() async throws {
        let cache = FooterCache()
        var byteCount = 0
        try await Self.withSegments(1, cache) { segments in
            byteCount = try segments[0].footer().byteCount
        }
        // A summary, two fields, and what storage adds.
        #expect((700...8_000).contains(byteCount))
        let small = FooterCache(byteCountMax: byteCount * 5)
        try await Self.withSegments(20, small) { segments in
            for (number, segment) in segments.enumerated() {
                let read = try Self.number(segment)
                #expect(read == String(number))
                #expect(small.byteCount <= byteCount * 5)
            }
            #expect(small.count >= 4)
        }
    }

    @Test func columnsMakeRoom() async throws {
        let columns = ColumnCache(byteCountMax: 100_000, sharedByteCountMax: 100_000)
        let column = Column.integer(IntegerColumn(values: [1]))
        for page in 0..<100 { columns.insert(column, block: .max, page: page, byteCount: 1_000) }
        try await Self.withSegments(10, FooterCache(columns: columns)) { segments in
            for segment in segments { _ = try segment.blocks() }
            #expect(columns.byteCount < 100_000 - 10 * 700)
        }
        // The footers went with the handles of their segments.
        for page in 0..<100 { columns.insert(column, block: .max, page: page, byteCount: 1_000) }
        #expect(columns.byteCount == 100_000)
    }

    @Test func whatWasUsedLastStays() async throws {
        let cache = FooterCache(countMax: 8)
        try await Self.withSegments(30, cache) { segments in
            let first = try segments[0].blocks()[0]
            for segment in segments.dropFirst() {
                _ = try segment.blocks()
                let again = try segments[0].blocks()[0]
                #expect(again === first)
            }
        }
    }
}
