import Testing

@testable import LeatAgent

@Suite struct EventListTests {
    private static func list(_ records: [String]) -> EventList {
        var list = EventList()
        for (number, record) in records.enumerated() {
            list.bytes += Array(record.utf8)
            list.endEvent(time: Int64(number))
        }
        return list
    }

    private static func records(_ list: EventList) -> [String] {
        (0..<list.count).map { list.withMembers(of: $0) { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func filteringKeepsOrderTimesAndBytes() {
        let records = ["\"a\":1", "", "\"b\":22", "\"c\":333", "\"d\":4"]
        for mask in 0..<32 {
            var list = Self.list(records)
            list.filter { index, _ in mask >> index & 1 == 1 }
            let kept = records.indices.filter { mask >> $0 & 1 == 1 }
            #expect(Self.records(list) == kept.map { records[$0] })
            #expect(list.times == kept.map { Int64($0) })
            #expect(list.bytes.count == list.openStart)
        }
    }

    @Test func appendingAListKeepsBoth() {
        var list = Self.list(["\"a\":1", ""])
        list.append(contentsOf: Self.list(["", "\"b\":2"]))
        #expect(Self.records(list) == ["\"a\":1", "", "", "\"b\":2"])
    }

    static let patterns: [(pattern: String, tag: String, matches: Bool)] = [
        ("*", "", true), ("*", "kube.a", true), ("kube.*", "kube.a.b", true), ("kube.*", "kub", false),
        ("kube.*.log", "kube.x.log", true), ("kube.*.log", "kube.log", false), ("a", "a", true), ("a", "ab", false),
        ("*a*b", "xaxxb", true), ("*a*b", "xbxxa", false), ("a*a", "a", false), ("", "", true), ("**", "x", true),
    ]

    @Test(arguments: patterns)
    func matchesWholeTags(pattern: String, tag: String, matches: Bool) {
        #expect(TagPattern(pattern).matches(Array(tag.utf8)) == matches)
    }
}
