import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

struct SearchFilterTests {
    /// Texts as they are in logs: words, numbers, identifiers, times, and bytes of any kind.
    private static func text(_ random: inout SeededRandom) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            switch random.next() % 8 {
            case 0:
                text += Array(["timeout", "Failed", "decade", "GET", "user=", "/api/v1/"][Int(random.next() % 6)].utf8)
            case 1: text += Array(String(random.next() % 1_000_000).utf8)
            case 2, 3:
                let count = [8, 15, 16, 17, 32, 36, 62, 63, 64, 70][Int(random.next() % 10)]
                text += (0..<count).map { _ in TypedText.hexDigits[Int(random.next() % 16)] }
            case 4: text += Array("2025-11-20T03:\(10 + random.next() % 50):00.123456Z".utf8)
            case 5: text += Array("10.\(random.next() % 256).2.3:\(random.next() % 65_536)".utf8)
            case 6: text += (0..<random.next() % 9).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            default: text += Array("DEAD-beef-".utf8)
            }
            if Bool.random(using: &random) { text += Array([" ", ", ", "=", "\n", "\""][Int(random.next() % 5)].utf8) }
        }
        return text
    }

    /// The heart of the matter: what is there is never skipped.
    @Test(arguments: 0..<40) func everyPieceOfEveryTextIsFound(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let texts = (0..<30).map { _ in Self.text(&random) }
        let areDistinct = seed % 2 == 0
        let builder = BlockFilterBuilder()
        builder.add(ByteStrings(texts), areDistinct: areDistinct)
        let filter = builder.finish()
        let group = FilterGroup(filter)
        for text in texts {
            for _ in 0..<60 {
                let start = Int.random(in: 0...text.count, using: &random)
                var needle = Array(text[start..<Int.random(in: start...text.count, using: &random)])
                if Bool.random(using: &random) { needle = needle.map { (97...122).contains($0) ? $0 - 32 : $0 } }
                #expect(try Self.mayHold(needle, isWhole: false, filter, group), "seed \(seed): \(needle)")
            }
            #expect(try Self.mayHold(text, isWhole: true, filter, group), "seed \(seed): \(text)")
        }
    }

    /// Texts of a few templates, whose repeating parts look like identifiers here and there.
    private static func similarTexts(_ random: inout SeededRandom) -> [[UInt8]] {
        let statics = [
            " took ", "=", "deadbeef-", " cafe", "facade", "-", " id ", "x", ": \"", "\", \"", " decade-", "/api/v",
            " user ", "GET /", "]-[", "faded facade ", ", b-", " ééééé ", "FFFFFF", "--------",
        ]
        var templates: [[String]] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            templates.append((0..<Int.random(in: 1...6, using: &random)).map { _ in statics[Int(random.next() % 20)] })
        }
        return (0..<80).map { _ in
            var text: [UInt8] = []
            for part in templates[Int(random.next() % UInt64(templates.count))] {
                text += Array(part.utf8)
                switch random.next() % 4 {
                case 0: text += Array(String(random.next() % 100).utf8)
                case 1: text += Array(String(random.next(), radix: 16).utf8) + Array(String(random.next() % 9).utf8)
                case 2: text += Array("10.0.\(random.next() % 4).1:80".utf8)
                default: text += Array("2025-11-20T03:10:\(10 + random.next() % 50)Z".utf8)
                }
            }
            return text
        }
    }

    /// The same for texts whose keys are gathered from their templates.
    @Test func everyPieceOfTextsWithTemplatesIsFound() throws {
        var splitCount = 0
        for seed in 0..<150 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let texts = Self.similarTexts(&random)
            let strings = ByteStrings(texts)
            guard let split = TemplateSplit(strings) else { continue }
            splitCount += 1
            let builder = BlockFilterBuilder()
            builder.add(split, of: strings)
            let filter = builder.finish()
            let group = FilterGroup(filter)
            for text in texts {
                for _ in 0..<20 {
                    let start = Int.random(in: 0...text.count, using: &random)
                    let needle = Array(text[start..<Int.random(in: start...text.count, using: &random)])
                    #expect(try Self.mayHold(needle, isWhole: false, filter, group), "seed \(seed): \(needle)")
                }
                #expect(try Self.mayHold(text, isWhole: true, filter, group), "seed \(seed): \(text)")
            }
        }
        #expect(splitCount > 70)
    }

    private static func mayHold(
        _ needle: [UInt8],
        isWhole: Bool,
        _ filter: BlockFilter,
        _ group: FilterGroup
    ) throws -> Bool {
        let keys = NeedleKeys(needle, isWhole: isWhole)
        return try keys.mayMatch(lengths: filter.lengths, openLengths: filter.openLengths) {
            (key) throws(DamagedBlock) in
            try group.contains(key, block: 0, filter.form)
        }
    }

    @Test func aSmallFilterRefuses() throws {
        let builder = BlockFilterBuilder()
        builder.add(ByteStrings([Array("hello world".utf8)]), areDistinct: false)
        let filter = builder.finish()
        let mayHold = try Self.mayHold(Array("banana".utf8), isWhole: false, filter, FilterGroup(filter))
        #expect(!mayHold)
    }

    @Test func blocksWithoutTheNeedleAreSkipped() async throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(testOptions(folder.path))
        try store.createRepository("r")
        var random = SeededRandom(seed: 5)
        var identifiers: [String] = []
        for block in 0..<8 {
            let rows = (0..<500).map { index -> Row in
                let id = String(
                    (0..<32).map { _ in Character(Unicode.Scalar(TypedText.hexDigits[Int(random.next() % 16)])) }
                )
                if index == 7 { identifiers.append(id) }
                let word = ["apple", "banana", "cherry", "dates", "elder", "fig tree", "grapes", "honey"][block]
                return [
                    "trace": id, "message": "order \(index) of \(word) took \(index * 3)ms id=\(id)", "n": "\(index)",
                ]
            }
            let tags = DatasourceTags([.init(name: "#block", value: "\(block)")])
            _ = try await store.append(IngestBatch(repository: "r", tags: tags, batch: .rows(rows), arrivedAt: arrival))
        }
        for step in 0..<3 {
            if step == 1 { try store.seal() }
            if step == 2 { try store.compact() }
            let blocks = try store.snapshot(repository: "r").blocks
            #expect(blocks.count == 8)
            guard step > 0 else { continue }
            func count(_ prefilter: Prefilter) throws -> Int {
                try blocks.filter { try $0.mayMatch(prefilter) }.count
            }
            // One key in twenty blocks passes for no reason.
            var passes = 0
            for identifier in identifiers {
                let found = try count(.anyField(Needle(Array(identifier.utf8))))
                #expect(try found >= 1 && count(.equals(field: "trace", Array(identifier.utf8))) == found)
                passes += found
            }
            #expect(passes < 20)
            #expect(try count(.anyField(Needle(Array("banana".utf8), foldsCase: true))) == 1)
            #expect(try count(.contains(field: "message", Needle(Array("cherry took".utf8)))) == 1)
            #expect(try count(.anyField(Needle(Array("qqzzxxyy77".utf8)))) == 0)
            #expect(try count(.anyField(Needle(Array("order 4".utf8)))) == 8)
            #expect(try count(.equals(field: "#block", Array("3".utf8))) == 1)
            #expect(try count(.equals(field: "n", Array("499".utf8))) == 8)
            #expect(try count(.equals(field: "n", Array("500".utf8))) == 0)
            #expect(try count(.numeric(field: "n", 1_000...2_000)) == 0)
            #expect(try count(.present(field: "absent")) == 0)
        }
        try store.close()
    }
}
