import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// Random filters over random events give what a plain evaluation, event by event, gives.
struct FilterPropertyTests {
    /// One event: its fields by name.
    typealias Event = [String: String]

    /// A filter with its text and its meaning.
    struct Sample {
        let text: String
        let holds: (Event) -> Bool
    }

    private static let names = ["a", "b", "@rawstring", "#tag"]
    private static let values = [
        "", "x", "xx", "axb", "foo bar", "12", "12.0", "-3", "1e2", "007", "Foo", "äöü", "x*y", "é", "barfoo", "ab",
    ]
    private static let words = ["x", "foo", "1", "ab", "ar", "Foo", "ö", "zz", "12"]

    private static func isGlobMatch(_ value: Substring, _ pattern: Substring) -> Bool {
        guard let first = pattern.first else { return value.isEmpty }
        if first == "*" {
            return value.indices.contains { Self.isGlobMatch(value[$0...], pattern.dropFirst()) }
                || Self.isGlobMatch(value[value.endIndex...], pattern.dropFirst())
        }
        return value.first == first && Self.isGlobMatch(value.dropFirst(), pattern.dropFirst())
    }

    private static func sample(_ random: inout SeededRandom, depth: Int) -> Sample {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 7), using: &random) {
        case 0:
            let word = Self.words.randomElement(using: &random) ?? ""
            return Sample(text: "\"\(word)\"") { event in
                event.contains { $0.key != "#tag" && $0.value.utf8.contains(word.utf8) }
            }
        case 1, 2:
            let name = Self.names.randomElement(using: &random) ?? ""
            let value = Self.values.randomElement(using: &random) ?? ""
            let isNegated = Bool.random(using: &random)
            return Sample(text: "\(name) \(isNegated ? "!=" : "=") \"\(value)\"") { event in
                guard let own = event[name] else { return isNegated }
                let numbers = (NumberText.parse(own), NumberText.parse(value))
                let isSame = Self.isGlobMatch(own[...], value[...]) || numbers.0 != nil && numbers.0 == numbers.1
                return isSame != isNegated
            }
        case 3:
            let name = Self.names.randomElement(using: &random) ?? ""
            let glob =
                "*\(Self.words.randomElement(using: &random) ?? "")*\(Self.words.randomElement(using: &random) ?? "")"
            return Sample(text: "\(name) = \"\(glob)\"") { event in
                event[name].map { Self.isGlobMatch($0[...], glob[...]) } ?? false
            }
        case 4:
            let name = Self.names.randomElement(using: &random) ?? ""
            let bound = Int.random(in: -5...110, using: &random)
            return Sample(text: "\(name) >= \(bound)") { event in
                event[name].flatMap { NumberText.parse($0) }.map { $0 >= Double(bound) } ?? false
            }
        case 5:
            let name = Self.names.randomElement(using: &random) ?? ""
            return Sample(text: "\(name) = *") { $0[name] != nil }
        case 6:
            let name = Self.names.randomElement(using: &random) ?? ""
            let word = Self.words.randomElement(using: &random) ?? ""
            return Sample(text: "\(name) like \"\(word)\"") { event in
                event[name].map { $0.utf8.contains(word.utf8) } ?? false
            }
        case 7:
            let inner = Self.sample(&random, depth: depth - 1)
            return Sample(text: "not (\(inner.text))") { !inner.holds($0) }
        case 8:
            let (left, right) = (Self.sample(&random, depth: depth - 1), Self.sample(&random, depth: depth - 1))
            return Sample(text: "((\(left.text)) or (\(right.text)))") { left.holds($0) || right.holds($0) }
        default:
            let (left, right) = (Self.sample(&random, depth: depth - 1), Self.sample(&random, depth: depth - 1))
            return Sample(text: "((\(left.text)) and (\(right.text)))") { left.holds($0) && right.holds($0) }
        }
    }

    private static func events(_ random: inout SeededRandom) -> [Event] {
        (0..<Int.random(in: 1...300, using: &random)).map { number in
            var event: Event = ["id": "e\(number)"]
            for name in Self.names where Int.random(in: 0..<4, using: &random) > 0 {
                event[name] = Self.values.randomElement(using: &random)
            }
            return event
        }
    }

    private static func batch(_ events: ArraySlice<Event>) -> Batch {
        var builder = BatchBuilder()
        for event in events {
            for (name, value) in event { builder.append(Array(value.utf8), to: builder.columnIndex(of: name)) }
            builder.endRow(timestamp: EventLoading.defaultTime)
        }
        return builder.finish()
    }

    @Test(arguments: 0..<60)
    func filtersHoldForTheSameEvents(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let events = Self.events(&random)
        let half = events.count / 2
        var batches = [Self.batch(events[half...])]
        if half > 0 { batches.append(Self.batch(events[..<half])) }
        if seed % 2 == 1 { batches = try batches.map { try EventLoading.encodedAnew($0, &random) } }
        for _ in 0..<20 {
            let filter = Self.sample(&random, depth: 3)
            let plan = try QueryPlan(
                try QueryParser.parse("\(filter.text) | select(id)"),
                options: QueryOptions(now: Timestamp(nanoseconds: 0))
            )
            let result = try plan.run(over: batches.map { MemoryBlock($0) }, threads: seed % 3)
            let found = (0..<result.rowCount).map { result.fields(row: $0).first?.value ?? "" }
            let expected = events.filter(filter.holds).reversed().map { $0["id"] ?? "" }
            #expect(found == expected, "seed \(seed): \(filter.text)")
        }
    }

    /// Streamed rows are those of the whole answer, in its order.
    @Test(arguments: 0..<20, ["", " | tail(70)", " | tail(0)"])
    func streamedRowsAreThoseOfTheAnswer(seed: Int, end: String) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let lines = (0..<500).map { number in
            "{\"@timestamp\":\(Int.random(in: 0..<300, using: &random)),\"n\":\"\(number)\"}"
        }
        let blocks = try EventLoading.split(lines, &random).map { MemoryBlock($0) }
        let plan = try QueryPlan(
            try QueryParser.parse("n != *7* | select([@timestamp, n])" + end),
            options: QueryOptions(now: Timestamp(nanoseconds: 0))
        )
        #expect(plan.isStreamable)
        var streamed: [UInt8] = []
        _ = try QueryRun(plan, over: blocks).stream(
            threads: seed % 3,
            render: { $0.jsonLines() },
            to: { piece in
                streamed += piece
                return true
            }
        )
        let rows = String(decoding: streamed, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(try rows == jsonRows(plan.run(over: blocks)))
    }

    /// A row that no piece has room for is a piece of its own, and what is not UTF-8 is replaced.
    @Test func largeAndOddRowsAreStreamedWhole() throws {
        let long = [UInt8](repeating: 0x01, count: 3 << 20)
        var builder = BatchBuilder()
        for text in [[UInt8]("a".utf8), long, [0x62, 0xFF], Array("c\"\\\n".utf8)] {
            builder.append(text, to: builder.columnIndex(of: "@rawstring"))
            builder.append(text, to: builder.columnIndex(of: "copy"))
            builder.endRow(timestamp: Int64(builder.rowCount) * 1_000_000)
        }
        let blocks = [MemoryBlock(builder.finish())]
        let plan = try QueryPlan(try QueryParser.parse("*"), options: QueryOptions(now: Timestamp(nanoseconds: 0)))
        var streamed: [UInt8] = []
        var pieceCount = 0
        _ = try QueryRun(plan, over: blocks).stream(
            threads: 1,
            render: { $0.jsonLines() },
            to: { piece in
                streamed += piece
                pieceCount += 1
                return true
            }
        )
        let rows = String(decoding: streamed, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(try rows == jsonRows(plan.run(over: blocks)))
        #expect(pieceCount == 3)
    }

    /// A sink that has enough ends the scan.
    @Test func aFullSinkStopsTheScan() throws {
        let batches = (0..<50).map { _ in Self.batch([["id": "1"], ["id": "2"]]) }
        let plan = try QueryPlan(try QueryParser.parse("*"), options: QueryOptions(now: Timestamp(nanoseconds: 0)))
        let run = QueryRun(plan, over: batches.map { MemoryBlock($0) })
        _ = try run.stream(threads: 1, render: { $0.jsonLines() }, to: { _ in false })
        #expect(run.progress.blockCount <= 50)
    }
}

extension Sequence<UInt8> {
    /// Whether the bytes of `other` stand in these bytes without a gap.
    fileprivate func contains(_ other: some Sequence<UInt8>) -> Bool {
        let (bytes, wanted) = (Array(self), Array(other))
        if wanted.isEmpty { return true }
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}
