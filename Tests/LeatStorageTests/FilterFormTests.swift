import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// The two forms of search filters, each by itself and in one file.
struct FilterFormTests {
    private static func identifier(_ random: inout SeededRandom) -> String {
        String((0..<32).map { _ in Character(Unicode.Scalar(TypedText.hexDigits[Int(random.next() % 16)])) })
    }

    /// A block as the store makes it.
    private static func block(_ rows: [Row]) throws -> EncodedBlock {
        let fields = try OpenRows.fields(
            of: .rows(rows),
            rows: (0..<Int64(rows.count)).map { $0 },
            arrivedAtMilliseconds: arrival.milliseconds,
            repository: "r",
            tags: .none
        )
        return try BlockEncoder.encode(fields, tags: .none)
    }

    @Test func filtersOfBothFormsLieInOneFile() throws {
        var random = SeededRandom(seed: 11)
        let identifiers = [500, 9_000, 9_100, 600].map { count in
            (0..<count).map { _ in Self.identifier(&random) }
        }
        let encoded = try identifiers.map { try Self.block($0.map { ["trace": $0] }) }
        #expect(encoded.map { $0.filter.form == .bloom } == [true, false, false, true])
        let (parts, _) = SegmentWriter.assemble(encoded, repositoryID: 1, repository: "r", createdAt: 0)
        let file = ByteSlice(parts.flatMap(\.array))
        let footer = try SegmentFooter(file: file)
        #expect(Set(footer.filterGroups.flatMap(\.blocks)) == [0, 1, 2, 3])
        #expect(footer.filterGroups.first?.form == .bloom && footer.filterGroups.last?.form != .bloom)
        let blocks = footer.storedBlocks(of: file, path: "file")
        for (index, block) in blocks.enumerated() {
            for identifier in identifiers[index] {
                #expect(try block.mayMatch(.anyField(Needle(Array(identifier.utf8)))))
            }
            // As a merge takes it over.
            let copy = try block.blockFilter()
            #expect(copy.form == encoded[index].filter.form && copy.lines.array == encoded[index].filter.lines.array)
        }
        let absent = (0..<2_000).map { _ in Needle(Array(Self.identifier(&random).utf8)) }
        // One in 17, and one in 64; twice as many would be a fault of the filter.
        for (block, most) in zip(blocks, [250, 63, 63, 250]) {
            let passed = try absent.filter { try block.mayMatch(.anyField($0)) }.count
            #expect(passed < most)
        }
    }

    @Test(arguments: [8_192, 9_999, 60_000, 131_000])
    func everyKeyIsFound(count: Int) throws {
        var random = SeededRandom(seed: UInt64(count))
        let keys = (0..<count).map { _ in random.next() | 1 }
        let (form, lines) = try #require(FuseLines.make(of: keys))
        let lineCount = lines.count / form.lineByteCount
        let filter = BlockFilter(form: form, lineCount: lineCount, lengths: 0, openLengths: 0, lines: lines)
        let group = FilterGroup(filter)
        #expect(try keys.allSatisfy { try group.contains($0, block: 0, form) })
        let bits = Double(lines.count * 8) / Double(count)
        #expect(bits < (count < 100_000 ? 7.9 : 7.3), "\(bits) bits a key")
    }

    @Test func tooFewKeysHaveABloomFilter() {
        #expect(FuseLines.make(of: (0..<8_191).map { UInt64($0) * 2 + 1 })?.form == nil)
        // Equal keys find no place.
        #expect(FuseLines.make(of: [UInt64](repeating: 5, count: 10_000))?.form == nil)
    }

    @Test func longestTextsAreKnown() throws {
        let block = StoredBlock(try Self.block((0..<300).map { ["pod": "pod-\($0 % 7)"] }), repository: "r")
        #expect(block.page(named: "pod")?.summary.longestByteCount == 5)
        #expect(try block.mayMatch(.contains(field: "pod", Needle(Array("pod-1".utf8)))))
        #expect(try !block.mayMatch(.contains(field: "pod", Needle(Array("1234-6".utf8)))))
        #expect(try !block.mayMatch(.equals(field: "pod", Array("1234-6".utf8))))
        #expect(try block.read().traits(of: "pod")?.lengths == 0...5)
    }
}
