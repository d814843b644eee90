import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// Aggregates give what plain loops over the events give, however rows are split, encoded and shared among threads.
@Suite struct AggregatePropertyTests {
    private typealias Event = (time: Int64, fields: [String: String])

    private static let users = [
        "", "x", "0", "7", "007", "-5", "u", "u0", "u00", "u007", "u7", "u12", "u70000", "v7", "9999999999999999999",
        "u123456789012345678", "u1234567890123456789", "u134217728", "12a",
    ]
    private static let numbers = [
        "0", "1", "-3", "17", "17.5", "2e3", "1e999", "NaN", "x", "0.004", "65536", "1000.01",
    ]

    private static func events(_ random: inout SeededRandom) -> [Event] {
        let count = Int.random(in: 1...400, using: &random)
        let isSorted = Bool.random(using: &random)
        let hasOneNumber = Bool.random(using: &random)
        return (0..<count).map { index in
            var fields = ["id": "\(index)"]
            let levels = ["INFO", "WARN", "ERROR", "DEBUG", ""]
            if Int.random(in: 0..<10, using: &random) > 0 { fields["level"] = levels.randomElement(using: &random) }
            if Bool.random(using: &random) { fields["user"] = Self.users.randomElement(using: &random) }
            if Int.random(in: 0..<5, using: &random) > 0 {
                fields["n"] = hasOneNumber ? "\(index % 7)" : Self.numbers.randomElement(using: &random)
            }
            let time = isSorted ? Int64(index / 3) : Int64.random(in: 0..<50, using: &random)
            return (time * 1_000_000, fields)
        }
    }

    /// The events in batches, newest first.
    private static func blocks(_ events: [Event], _ random: inout SeededRandom) throws -> [MemoryBlock] {
        var blocks: [MemoryBlock] = []
        var start = 0
        while start < events.count {
            let end = min(events.count, start + Int.random(in: 1...events.count, using: &random))
            var builder = BatchBuilder()
            for event in events[start..<end] {
                for (name, value) in event.fields.sorted(by: { $0.key < $1.key }) {
                    builder.append(Array(value.utf8), to: builder.columnIndex(of: name))
                }
                builder.endRow(timestamp: event.time)
            }
            var batch = builder.finish()
            if Bool.random(using: &random) { batch = try EventLoading.encodedAnew(batch, &random) }
            blocks.append(MemoryBlock(batch))
            start = end
        }
        return blocks.reversed()
    }

    private static func rows(_ query: String, _ blocks: [MemoryBlock], threads: Int) throws -> [[String: String]] {
        let options = QueryOptions(now: Timestamp(nanoseconds: 0))
        let plan = try QueryPlan(try QueryParser.parse(query), options: options)
        let result = try plan.run(over: blocks, threads: threads)
        return (0..<result.rowCount).map { row in
            Dictionary(uniqueKeysWithValues: result.fields(row: row).map { ($0.name, $0.value) })
        }
    }

    /// Groups by descending count, then by their newest event.
    private static func grouped(_ events: [Event], by field: String) -> [[String: String]] {
        var groups: [String: (count: Int, time: Int64, place: Int)] = [:]
        for (place, event) in events.enumerated() {
            guard let value = event.fields[field] else { continue }
            var group = groups[value] ?? (0, .min, 0)
            group.count += 1
            if event.time >= group.time { (group.time, group.place) = (event.time, place) }
            groups[value] = group
        }
        return groups.sorted {
            ($0.value.count, $0.value.time, $0.value.place) > ($1.value.count, $1.value.time, $1.value.place)
        }.map { [field: $0.key, "_count": "\($0.value.count)"] }
    }

    @Test(arguments: 0..<60)
    func groupsAndCountsAreThoseOfPlainLoops(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let events = Self.events(&random)
        let blocks = try Self.blocks(events, &random)
        let threads = 1 + seed % 3
        #expect(try Self.rows("groupBy(level)", blocks, threads: threads) == Self.grouped(events, by: "level"))
        #expect(try Self.rows("groupBy(user)", blocks, threads: threads) == Self.grouped(events, by: "user"))
        let errors = events.filter { $0.fields["level"] == "ERROR" }
        #expect(
            try Self.rows("level=ERROR | top(user, limit=3)", blocks, threads: threads)
                == Array(Self.grouped(errors, by: "user").prefix(3))
        )
        #expect(try Self.rows("count()", blocks, threads: threads) == [["_count": "\(events.count)"]])
        let users = events.compactMap { $0.fields["user"] }
        #expect(try Self.rows("count(user)", blocks, threads: threads) == [["_count": "\(users.count)"]])
        #expect(
            try Self.rows("count(user, distinct=true)", blocks, threads: threads)
                == [["_count": "\(Set(users).count)"]]
        )
        let byLevel = try Self.rows("groupBy(level, function=count(user, distinct=true))", blocks, threads: threads)
        for row in byLevel {
            let own = events.filter { $0.fields["level"] == row["level"] }.compactMap { $0.fields["user"] }
            #expect(row["_count"] == "\(Set(own).count)", "seed \(seed), \(row["level"] ?? "")")
        }
    }

    @Test(arguments: 0..<60)
    func percentilesLieWhereTheySay(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let events = Self.events(&random)
        let blocks = try Self.blocks(events, &random)
        let query = "groupBy(level, function=percentile(n, percentiles=[10, 50, 99]))"
        for row in try Self.rows(query, blocks, threads: 1 + seed % 3) {
            let own = events.filter { $0.fields["level"] == row["level"] }.compactMap { $0.fields["n"] }
            let numbers = own.compactMap { NumberText.parse($0) }.filter { $0 >= 0 && $0 < .infinity }.sorted()
            for percent in [10, 50, 99] {
                guard let text = row["_\(percent)"], let value = Double(text) else {
                    #expect(numbers.isEmpty, "seed \(seed)")
                    continue
                }
                // Any number from one neighbour of the border to the other is right.
                let border = Double(percent) / 100 * Double(numbers.count)
                let low = numbers[max(0, min(numbers.count - 1, Int(border.rounded(.up)) - 1))]
                let high = numbers[max(0, min(numbers.count - 1, Int(border.rounded(.down))))]
                #expect(value >= low * 0.989 && value <= high * 1.011, "seed \(seed): \(value) of \(low), \(high)")
                #expect(value >= numbers[0] && value <= numbers[numbers.count - 1], "seed \(seed): \(value)")
            }
        }
    }

    @Test(arguments: 0..<60)
    func theNewestAndTheOldestAreKept(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let events = Self.events(&random)
        let blocks = try Self.blocks(events, &random)
        let limit = Int.random(in: 1...30, using: &random)
        let ascending = events.enumerated().filter { $0.element.fields["level"] != "WARN" }
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map { $0.element.fields["id"] ?? "" }
        let tail = try Self.rows("level != WARN | tail(\(limit)) | select(id)", blocks, threads: 1 + seed % 3)
        #expect(tail.map { $0["id"] ?? "" } == Array(ascending.reversed().prefix(limit)), "seed \(seed)")
        let head = try Self.rows("level != WARN | head(\(limit)) | select(id)", blocks, threads: 1 + seed % 3)
        #expect(head.map { $0["id"] ?? "" } == Array(ascending.prefix(limit)), "seed \(seed)")
    }

    /// A block that knows its rows, and fails when it is read.
    private struct KnownBlock: BlockSource {
        let numbers: ClosedRange<Int64>
        var rowCount: Int { 10 }
        var exactRowCount: Int? { 10 }
        var timeRange: ClosedRange<Int64> { 1_000...2_000 }
        var byteCount: Int { 1 }
        func mayMatch(_ prefilter: Prefilter) -> Bool { true }
        func statistics(of field: String) -> FieldStatistics? {
            field == "n" ? FieldStatistics(presentCount: 7, integers: self.numbers) : FieldStatistics(presentCount: 0)
        }
        func read() throws(DamagedBlock) -> Batch { throw DamagedBlock(path: "block", offset: 0, reason: "was read") }
    }

    @Test func whatBlocksKnowIsNotRead() throws {
        let blocks = [KnownBlock(numbers: 3...9), KnownBlock(numbers: -4...5)]
        let query = "[count(), count(n, as=some), count(m, as=none), min(n), max(n), range(n)]"
        let options = QueryOptions(now: Timestamp(nanoseconds: 0))
        let plan = try QueryPlan(try QueryParser.parse("stats(\(query))"), options: options)
        let run = QueryRun(plan, over: blocks)
        let result = try run.run(threads: 2)
        #expect(!result.isPartial)
        let fields = result.fields(row: 0).map { "\($0.name)=\($0.value)" }
        #expect(fields == ["_count=20", "some=14", "none=0", "_min=-4", "_max=9", "_range=13"])
        #expect(run.progress.scan.count(.answered) == 2)
    }

    /// An interval that cuts a block needs its rows.
    @Test func blocksThatAreCutAreRead() throws {
        var options = QueryOptions(now: Timestamp(nanoseconds: 0))
        options.start = Timestamp(nanoseconds: 1_500)
        let plan = try QueryPlan(try QueryParser.parse("count()"), options: options)
        let run = QueryRun(plan, over: [KnownBlock(numbers: 0...1)])
        #expect(try run.run(threads: 1).isPartial)
        #expect(run.progress.scan.count(.damaged) == 1)
    }
}
