import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatStorage

struct MergeTests {
    private final class Ending: Sendable {
        let isDone = Atomic<Bool>(false)
    }

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

    /// A query that has begun finds every segment, though it reads them only when a merge has replaced them.
    @Test func aSegmentIsThereAsLongAsSomebodyHoldsIt() async throws {
        let folder = try TemporaryFolder()
        let (store, rows) = try await Self.fragmented(folder, ManualTime())
        var held = store.segments(of: "r")
        #expect(held.count == 20)
        try store.compact()
        #expect(try store.objects.list().count == 21)
        var found: [Row] = []
        for segment in held {
            for block in try segment.blocks() { found += try block.read().rows() }
        }
        #expect(Set(found) == Set(rows))
        held = []
        #expect(try store.objects.list().count == 1, "files go with their last reader")
        try store.close()
    }

    @Test func snapshotsDuringMergesAreWhole() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("r")
        let ending = Ending()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var last = 0
                while !ending.isDone.load(ordering: .relaxed) {
                    let snapshot = try store.snapshot(repository: "r")
                    #expect(snapshot.damaged == [])
                    let count = try snapshot.rows().count
                    #expect(count >= last, "rows vanished")
                    last = count
                }
            }
            group.addTask {
                defer { ending.isDone.store(true, ordering: .relaxed) }
                for index in 0..<60 {
                    let batch = IngestBatch(repository: "r", batch: .rows([["n": "\(index)"]]), arrivedAt: arrival)
                    _ = try await store.append(batch)
                    if index % 3 == 0 { try store.compact() } else { try store.seal() }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.snapshot(repository: "r").rows().count == 60)
        try store.close()
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
