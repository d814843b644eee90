import LeatCore
import Testing

@testable import LeatQuery

struct ByteStringTableTests {
    /// Many look-ups at a time against one after the other, in tables that grow meanwhile.
    @Test func listsGetTheNumbersOfTheirStrings() {
        var random = SeededRandom(seed: 3)
        var (bulk, single) = (ByteStringTable(), ByteStringTable())
        for count in [0, 1, 63, 64, 65, 5_000, 200] {
            let texts = (0..<count).map { _ in Array("path/\(random.next() % 6_000)".utf8) } + [[]]
            let strings = ByteStrings(texts)
            let counts = texts.map { _ in UInt32(random.next() % 3) }
            let found = bulk.indexes(of: strings, where: counts)
            for (index, text) in texts.enumerated() {
                let expected = counts[index] == 0 ? .max : UInt32(text.withUnsafeBytes { single.index(of: $0) })
                #expect(found[index] == expected)
            }
        }
        var other = ByteStringTable()
        for number in 0..<500 { _ = Array("path/\(number * 30)".utf8).withUnsafeBytes { other.index(of: $0) } }
        let united = bulk.formUnion(other)
        #expect(united.count == other.count)
        for index in united.indices {
            let own = other.string(index).withUnsafeBytes { single.index(of: $0) }
            #expect(united[index] == UInt32(own))
        }
        #expect(bulk.count == single.count)
        #expect((0..<bulk.count).allSatisfy { bulk.string($0) == single.string($0) })
    }
}
