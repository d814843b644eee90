import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// Age, bytes and the share of the disk, with a clock and a disk of the tests' own.
struct RetentionTests {
    private struct Setting {
        let disk = CrashDisk()
        let time = ManualTime()

        func open() throws -> Store {
            var options = StoreOptions(path: "/data", fileSystem: self.disk, time: self.time)
            options.runsInBackground = false
            options.locksFolder = false
            options.reservedByteCount = 0
            return try Store.open(options, catalog: MemoryCatalog())
        }

        /// Appends a row a day to each repository, each in a segment of its own.
        func fill(_ store: Store, _ repositories: [String], days: Int) async throws {
            for day in 0..<days {
                for repository in repositories {
                    let row: Row = ["n": "\(day)", "text": String(repeating: "x\(day) ", count: 50)]
                    let batch = IngestBatch(repository: repository, batch: .rows([row]), arrivedAt: self.time.now())
                    _ = try await store.append(batch)
                    try store.seal()
                }
                self.time.advance(by: .seconds(86_400))
            }
        }
    }

    private static func days(_ store: Store, _ repository: String) throws -> [Int] {
        try store.snapshot(repository: repository).rows().compactMap { $0["n"].flatMap(Int.init) }
    }

    @Test func theStandardIsThirtyDays() async throws {
        let setting = Setting()
        let store = try setting.open()
        try store.createRepository("a")
        try store.createRepository("b", retention: Retention(ageSeconds: nil, byteCount: nil))
        try store.createRepository("c", retention: Retention(ageSeconds: 3 * 86_400 + 60, byteCount: nil))
        try await setting.fill(store, ["a", "b", "c"], days: 40)
        try store.applyRetention()
        #expect(try Self.days(store, "a") == Array(10..<40))
        #expect(try Self.days(store, "b") == Array(0..<40))
        #expect(try Self.days(store, "c") == [37, 38, 39])
        store.abandon()
    }

    @Test func ageCountsFromArrivalAndNotFromTheTimeOfTheEvent() async throws {
        let setting = Setting()
        let store = try setting.open()
        try store.createRepository("a", retention: Retention(ageSeconds: 60, byteCount: nil))
        let rows: [Row] = [["n": "1970", "time": "0"], ["n": "2200", "time": "7258118400000000000"]]
        let batch = IngestBatch(repository: "a", batch: .rows(rows), arrivedAt: setting.time.now())
        _ = try await store.append(batch)
        try store.seal()
        try store.applyRetention()
        #expect(try Self.days(store, "a") == [1970, 2200])
        #expect(store.status().repositories[0].segmentCount == 1, "times far apart do not open a file each")
        setting.time.advance(by: .seconds(61))
        try store.applyRetention()
        #expect(try Self.days(store, "a") == [])
        store.abandon()
    }

    @Test func aClockThatWasSetBackDeletesNothing() async throws {
        let setting = Setting()
        let store = try setting.open()
        try store.createRepository("a")
        try await setting.fill(store, ["a"], days: 3)
        setting.time.setNow(Timestamp(milliseconds: setting.time.now().milliseconds - 20 * 86_400_000))
        try store.applyRetention()
        try await setting.fill(store, ["a"], days: 2)
        try store.compact()
        #expect(try Self.days(store, "a").sorted() == [0, 0, 1, 1, 2])
        store.abandon()
    }

    @Test func aRepositoryKeepsItsBytes() async throws {
        let setting = Setting()
        let store = try setting.open()
        try store.createRepository("a", retention: Retention(ageSeconds: nil, byteCount: nil))
        try store.createRepository("b", retention: Retention(ageSeconds: nil, byteCount: nil))
        try await setting.fill(store, ["a", "b"], days: 10)
        let byteCount = store.status().repositories[0].byteCount
        try store.setRetention(Retention(ageSeconds: nil, byteCount: byteCount * 45 / 100), of: "a")
        try store.applyRetention()
        #expect(try Self.days(store, "a") == [6, 7, 8, 9])
        #expect(try Self.days(store, "b") == Array(0..<10))
        #expect(store.status().repositories[0].byteCount <= byteCount * 45 / 100)
        store.abandon()
    }

    @Test func allTogetherKeepToTheirShareOfTheDisk() async throws {
        let setting = Setting()
        let store = try setting.open()
        let kept = Retention(ageSeconds: nil, byteCount: nil)
        try store.createRepository("a", retention: kept)
        try store.createRepository("b", retention: kept)
        try await setting.fill(store, ["a", "b"], days: 10)
        let byteCount = store.status().repositories.reduce(0) { $0 + $1.byteCount }
        setting.disk.setSpace(free: 0, total: byteCount * 2)
        try store.applyRetention()
        #expect(try Self.days(store, "a").count + Self.days(store, "b").count == 20)
        // About half of what there is now is four fifths of the disk: the oldest go, whosever they are.
        let total = byteCount / 2 * 100 / 80
        setting.disk.setSpace(free: 0, total: total)
        try store.applyRetention()
        let (left, others) = (try Self.days(store, "a"), try Self.days(store, "b"))
        #expect(left == Array((10 - left.count)..<10) && others == Array((10 - others.count)..<10))
        #expect(abs(left.count - others.count) <= 1 && (8...11).contains(left.count + others.count))
        #expect(store.status().repositories.reduce(0) { $0 + $1.byteCount } <= total / 100 * 80)
        store.abandon()
    }
}
