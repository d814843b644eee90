import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

/// `Merge_Log` by the input and by the filter: the records are the same.
@Suite struct EarlyMergeTests {
    static let messages = [
        #"{"level":"info","n":1,"o":{"a":[1,{"b":null}]},"s":"ü 日本"}"#,
        #"{"a":"with \"quotes\" and a line end\n"}"#, #"  {"a":1}  "#, #"{"a":1}  "#, #"{ "a" : 1 , "b" : true }"#,
        "{\"a\":1,\r\"b\":2}", "{}", #"{"a":}"#, #"{"a":1"#, #"{"a":1} more"#, #"{"a":1}{"b":2}"#, "plain text", "",
        #"{"time":"later","a":1}"#, #"{"stream":"other"}"#, #"{"_p":"x"}"#, #"{"log":"inner"}"#, #"[1,2]"#,
        #"{"a":1,"a":2}"#, #"{"kubernetes":{"pod_name":"x"},"a":1}"#, "{\"a\":\"tab\tinside\"}",
    ]

    private static func records(
        _ messages: [[UInt8]],
        _ keys: String,
        early: EarlyMerge?
    ) throws -> (records: [String], mergedCount: Int, tail: String) {
        var form = LineForm()
        form.readsCRI = true
        var shaper = LineShaper(LineTemplates(form))
        shaper.earlyMerge = early
        var events = EventList()
        for (number, message) in messages.enumerated() {
            let stream = number % 2 == 0 ? "stdout" : "stderr"
            let line = Array("2026-11-20T00:00:00.00000000\(number % 10)Z \(stream) F ".utf8) + message
            let place = LinePlace(offset: 0, source: 1, now: 0, monotonic: 0, recordTail: [])
            line.withUnsafeBytes { shaper.add($0, at: place, only: nil, to: &events) }
        }
        let mergedCount = events.merged.count
        let run = try FilterRun("Name kubernetes\nMerge_Log On\nKeep_Log Off\nUse_Tag_For_Meta On\n\(keys)")
        var context = FilterContext(now: Timestamp(nanoseconds: 0), monotonicNanoseconds: 0)
        context.isLast = keys.isEmpty
        let tag = "kube.var.log.containers.web-1_shop_app-\(String(repeating: "0123", count: 16)).log"
        run.filter.apply(to: &events, tag: RouteTag(tag), context: &context)
        let records = (0..<events.count).map { index in
            "\(events.times[index]) " + events.withMembers(of: index) { String(decoding: $0, as: UTF8.self) }
        }
        return (records, mergedCount, String(decoding: events.commonTail, as: UTF8.self))
    }

    @Test(arguments: [("", true), ("Merge_Log_Trim Off", false)])
    func bothWaysGiveTheSameRecords(keys: String, trims: Bool) throws {
        let all = Self.messages.map { Array($0.utf8) } + [Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)]
        let late = try Self.records(all, keys, early: nil)
        let early = try Self.records(all, keys, early: EarlyMerge(trims: trims))
        #expect(late.mergedCount == 0)
        // Objects with names of the record, or with a name twice, are left to the filter.
        #expect(early.mergedCount == (trims ? 4 : 5))
        #expect(early.records == late.records)
        #expect(early.tail == late.tail)
        // A read in which every line is an object is not looked at again.
        let objects = (0..<5).map { Array("{\"n\":\($0)}".utf8) }
        let merged = try Self.records(objects, keys, early: EarlyMerge(trims: trims))
        #expect(merged.mergedCount == 5)
        #expect(merged.records == (try Self.records(objects, keys, early: nil).records))
    }

    @Test(arguments: [
        ("", true), ("Keep_Log On", false), ("Merge_Log Off", false), ("Merge_Log_Key k", false),
        ("Use_Journal On", false),
    ])
    func itIsOffWhereTheTextIsNeeded(keys: String, isOn: Bool) throws {
        let usual = keys.contains("_Log ") ? "" : "Merge_Log On\nKeep_Log Off\n"
        let more = keys == "Keep_Log On" ? "\nMerge_Log On" : keys == "Merge_Log Off" ? "\nKeep_Log Off" : ""
        let run = try FilterRun("Name kubernetes\nUse_Tag_For_Meta On\n\(usual)\(keys)\(more)")
        let filter = try #require(run.filter as? KubernetesFilter)
        #expect((filter.earlyMerge(for: RouteTag("kube.x")) != nil) == isOn)
    }
}
