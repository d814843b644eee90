import LeatCore
import Testing

@testable import LeatQuery

struct FirstElementsTests {
    @Test func firstElementsAreThoseOfASortedArray() {
        var random = SeededRandom(seed: 4)
        for count in [0, 1, 5, 70, 700] {
            // Equal keys among them; the place decides then.
            let elements = (0..<count).map { (key: Int(random.next() % 50), place: $0) }
            let sorted = elements.sorted { ($0.key, $0.place) < ($1.key, $1.place) }
            for limit in [0, 1, 3, 69, 70, 71, 699, 1_000] {
                let first = elements.first(limit) { ($0.key, $0.place) < ($1.key, $1.place) }
                #expect(first.map(\.place) == sorted.prefix(limit).map(\.place), "\(limit) of \(count)")
            }
        }
    }
}
