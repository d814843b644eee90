import LeatCore
import Testing

@Suite struct BitmapTests {
    @Test(arguments: [0, 1, 63, 64, 65, 1000])
    func operationsAgreeWithArraysOfBooleans(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let left = (0..<count).map { _ in Bool.random(using: &random) }
        let right = (0..<count).map { _ in Bool.random(using: &random) }
        func bitmap(_ bits: [Bool]) -> Bitmap {
            var result = Bitmap(repeating: false, count: count)
            for (row, bit) in bits.enumerated() { result.set(row, to: bit) }
            return result
        }
        func bits(_ bitmap: Bitmap) -> [Bool] { (0..<count).map { bitmap[$0] } }

        var both = bitmap(left)
        both.formIntersection(bitmap(right))
        #expect(bits(both) == zip(left, right).map { $0 && $1 })
        var either = bitmap(left)
        either.formUnion(bitmap(right))
        #expect(bits(either) == zip(left, right).map { $0 || $1 })
        var only = bitmap(left)
        only.subtract(bitmap(right))
        #expect(bits(only) == zip(left, right).map { $0 && !$1 })
        var turned = bitmap(left)
        turned.invert()
        #expect(bits(turned) == left.map { !$0 })
        #expect(turned.setCount == left.filter { !$0 }.count)
        var rows: [Int] = []
        bitmap(left).forEachSet { rows.append($0) }
        #expect(rows == left.indices.filter { left[$0] })
        var last: [Int] = []
        bitmap(left).forEachSetFromEnd { row in
            last.append(row)
            return last.count < 10
        }
        #expect(last == Array(rows.reversed().prefix(10)))
        let full = Bitmap(repeating: true, count: count)
        #expect(full.isFull)
        #expect(full.isEmpty == (count == 0))
        #expect(Bitmap(words: full.words.map { _ in .max }, count: count) == full)
    }

    @Test(arguments: [0, 1, 64, 65, 1000])
    func rowsOfCodesAreThoseOfALoop(count: Int) {
        var random = SeededRandom(seed: UInt64(count) + 1)
        let codes = (0..<count).map { _ in [0, 1, 7, 300, UInt16.max][Int(random.next() % 5)] }
        let wanted: Set<Int> = [1, 300, 65_535]
        for share in [1, 2, 30] {
            let selection = Bitmap(count: count) { _ in random.next() % UInt64(share) == 0 }
            let found = Bitmap(codes: codes, among: wanted, within: selection)
            #expect(found == Bitmap(count: count) { selection[$0] && wanted.contains(Int(codes[$0])) })
        }
        #expect(
            Bitmap(codes: codes, among: wanted, within: nil)
                == Bitmap(count: count) { wanted.contains(Int(codes[$0])) }
        )
    }
}
