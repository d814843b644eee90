import LeatCore
import LeatParsing
import Testing

@testable import LeatAgent

/// The lines of a bulk request.
@Suite struct BulkFormatTests {
    /// A chunk of two frames with these records.
    static func chunk(_ records: [String], tail: String = "", time: Int64 = 1_763_629_687_123_456_789) -> LoadedChunk {
        var bytes = ChunkHeader(number: 7, createdAtNanoseconds: 1, outputs: ["es.0"]).encode()
        for part in [records.prefix(1), records.dropFirst(1)] {
            var events = EventList()
            for (index, record) in part.enumerated() {
                Array(record.utf8).withUnsafeBytes { events.append(time: time + Int64(index), members: $0) }
            }
            events.commonTail = Array(tail.utf8)
            let head = EventFrameHead(
                read: 1,
                frameCount: 1,
                tag: Array("kube.web".utf8),
                position: nil,
                startOffset: 0
            )
            Frame.append(to: &bytes) { head.encode(events, to: &$0) }
        }
        return LoadedChunk(number: 7, content: .memory(bytes))
    }

    private static func lines(
        _ format: BulkFormat,
        _ records: [String],
        tail: String = "",
        items: [Range<Int>]
    ) -> [String] {
        String(decoding: format.body(of: Self.chunk(records, tail: tail), items: items), as: UTF8.self).split(
            separator: "\n"
        )
        .map(String.init)
    }

    @Test func plainLinesAreActionTimeAndRecord() {
        var format = BulkFormat()
        format.type = nil
        format.index = "app"
        let lines = Self.lines(format, ["\"a\":1", "", "\"c\":3"], items: [0..<2, 2..<3])
        let action = #"{"create":{"_index":"app"}}"#
        #expect(
            lines == [
                action, #"{"@timestamp":"2025-11-20T09:08:07.123Z","a":1}"#,
                action, #"{"@timestamp":"2025-11-20T09:08:07.123Z"}"#,
                action, #"{"@timestamp":"2025-11-20T09:08:07.123Z","c":3}"#,
            ]
        )
    }

    @Test(arguments: [false, true])
    func theTailOfAFrameFollowsEachRecord(hasTag: Bool) {
        var format = BulkFormat()
        format.type = nil
        format.index = "app"
        format.tagKey = hasTag ? "tag" : nil
        let lines = Self.lines(format, ["\"a\":1", "", "\"c\":3"], tail: "\"k\":{\"pod\":\"p\"}", items: [0..<3])
        let opening = #"{"@timestamp":"2025-11-20T09:08:07.123Z","# + (hasTag ? #""tag":"kube.web","# : "")
        #expect(
            lines.filter { !$0.contains("create") } == [
                opening + #""a":1,"k":{"pod":"p"}}"#, opening + #""k":{"pod":"p"}}"#,
                opening + #""c":3,"k":{"pod":"p"}}"#,
            ]
        )
    }

    @Test(arguments: [(false, "}"), (true, #","doc_as_upsert":true}"#)])
    func updatesHoldTheDocumentAndItsID(isUpsert: Bool, ending: String) {
        var format = BulkFormat()
        format.type = nil
        format.index = "app"
        format.action = "update"
        format.isUpsert = isUpsert
        format.idPath = ["k", "id"]
        let lines = Self.lines(format, [#""k":{"id":"x"}"#, #""k":{"id":7}"#], items: [0..<2])
        let document = #"{"doc":{"@timestamp":"2025-11-20T09:08:07.123Z","k":{"id":"#
        #expect(
            lines == [
                #"{"update":{"_index":"app","_id":"x"}}"#, document + #""x"}}"# + ending,
                #"{"update":{"_index":"app","_id":"7"}}"#, document + #"7}}"# + ending,
            ]
        )
    }

    @Test(arguments: [nil, "tag"] as [String?])
    func aRecordsOwnTimeIsTheOnlyOne(tagKey: String?) {
        var format = BulkFormat()
        format.type = nil
        format.index = "app"
        format.tagKey = tagKey
        let records = [#""@timestamp":"own","a":1"#, #""a":"\"@timestamp\":1","b":{"@timestamp":2}"#]
        let lines = Self.lines(format, records, tail: #""k":1"#, items: [0..<2])
        let tag = tagKey == nil ? "" : #""tag":"kube.web","#
        #expect(lines[1] == "{" + tag + #""@timestamp":"own","a":1,"k":1}"#)
        #expect(
            lines[3] == #"{"@timestamp":"2025-11-20T09:08:07.123Z","# + tag
                + #""a":"\"@timestamp\":1","b":{"@timestamp":2},"k":1}"#
        )
    }

    /// The chunk was made in 1970.
    @Test(arguments: [
        ("es", "my-%Y-idx", "my-1970-idx"), ("opensearch", "app-$level", "app-warn"),
        ("es", "app-$level", "app-$level"),
        ("opensearch", "$k['ns']-$TAG", "shop-kube.web"), ("opensearch", "$none", "fluent-bit"),
    ])
    func anIndexMayHoldTheDateOrFields(name: String, index: String, expected: String) throws {
        let settings = "Name \(name)\nIndex \(index)\nSuppress_Type_Name On\nMatch *"
        let text = "[OUTPUT]\n" + settings.split(separator: "\n").map { "    \($0)\n" }.joined()
        var build = ConfigurationBuild(environment: EnvironmentText([:]))
        build.add(
            ClassicFormat(text: text, source: "test").items.compactMap {
                if case .section(let section) = $0 { section } else { nil }
            }
        )
        let format = try BulkFormat(try #require(build.configuration.outputs.first))
        let lines = Self.lines(format, [#""level":"warn","k":{"ns":"shop"}"#], items: [0..<1])
        #expect(lines.first == #"{"create":{"_index":"\#(expected)"}}"#)
    }

    @Test func anUpdateWithoutIDCannotBeSent() {
        var format = BulkFormat()
        format.idPath = ["id"]
        let chunk = Self.chunk([#""id":"x""#, #""id":"""#, #""id":[1]"#, #""a":1"#, #""id":0"#])
        #expect(format.unsendable(in: chunk, items: [0..<5]).isEmpty)
        format.action = "update"
        let unsendable = format.unsendable(in: chunk, items: [0..<1, 2..<5])
        #expect(unsendable.map(\.item) == [1, 2])
        #expect(String(decoding: unsendable[0].reason, as: UTF8.self).contains("the field 'id'"))
    }

    @Test func aTagIsPutBetweenTimeAndRecord() {
        var format = BulkFormat()
        format.type = nil
        format.index = "app"
        format.tagKey = "tag"
        format.hasNanoseconds = true
        let lines = Self.lines(format, ["\"a\":1"], items: [0..<1])
        #expect(lines.last == #"{"@timestamp":"2025-11-20T09:08:07.123456789Z","tag":"kube.web","a":1}"#)
    }

    @Test(
        arguments: [0, 1, 999_999_999, 1_000_000_000, -1, -1_000_000_001, 1_763_629_687_123_456_789] as [Int64],
        [0, 3, 9]
    )
    func bothWritersOfTimesAgree(nanoseconds: Int64, digitCount: Int) {
        var first = RecordTimeText()
        var second = RecordTimeText()
        var appended: [UInt8] = []
        first.append(nanoseconds: nanoseconds, digitCount: digitCount, to: &appended)
        var written: [UInt8] = []
        written.append(upTo: RecordTimeText.byteCountMax) { target in
            second.write(nanoseconds: nanoseconds, digitCount: digitCount, to: target) - target
        }
        #expect(String(decoding: written, as: UTF8.self) == String(decoding: appended, as: UTF8.self))
    }
}
