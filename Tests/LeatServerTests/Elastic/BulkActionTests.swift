import LeatCore
import Testing

@testable import LeatServer

@Suite struct BulkActionTests {
    static func read(_ line: String, index: String = "") -> String {
        do throws(RequestFault) {
            let action = try ByteSlice(line).withUnsafeBytes { (bytes) throws(RequestFault) in
                try BulkAction.read(bytes, number: 3, defaultIndex: index)
            }
            return "\(action.kind.name) \(action.index) \(action.id ?? "-")" + (action.isBare ? " bare" : "")
        } catch {
            return "\(error.type): \(error.reason)"
        }
    }

    static let cases: [(line: String, answer: String)] = [
        (#"{"create":{}}"#, "create  - bare"),
        (#"{"index":{}}"#, "index  -"),
        (#"{"index":{"_index":"a","_id":"1","_type":"_doc"}}"#, "index a 1"),
        (#"{"index":{"_index":"a","_id":7}}"#, "index a 7"),
        (#"{"index":{"_index":"a","op_type":"create"}}"#, "create a -"),
        (#" { "delete" : { "_index" : "a" } } "#, "delete a -"),
        (#"{"index":{"dynamic_templates":{"a":"b"}}}"#, "index  -"),
        (
            #"{"index":{"_parent":"a"}}"#,
            "illegal_argument_exception: Action/metadata line [3] contains an unknown parameter [_parent]"
        ),
        (
            #"{"store":{}}"#,
            "illegal_argument_exception: Malformed action/metadata line [3], "
                + "expected field [create], [delete], [index] or [update] but found [store]"
        ),
        (
            "{}",
            "illegal_argument_exception: Malformed action/metadata line [3], "
                + "expected FIELD_NAME but found [END_OBJECT]"
        ),
        (
            #"{"index":[]}"#,
            "illegal_argument_exception: Malformed action/metadata line [3], "
                + "expected START_OBJECT but found [START_ARRAY]"
        ),
        (
            "[]",
            "illegal_argument_exception: Malformed action/metadata line [3], "
                + "expected START_OBJECT but found [START_ARRAY]"
        ),
        (
            #"{"index":{},"create":{}}"#,
            "illegal_argument_exception: Malformed action/metadata line [3], "
                + "expected END_OBJECT but found [FIELD_NAME]"
        ),
    ]

    @Test(arguments: cases)
    func readsAsThis(line: String, answer: String) {
        #expect(Self.read(line) == answer)
    }

    @Test(arguments: ["garbage", #"{"index""#, "\u{0}", "{\"index\":{\"_index\":\"a\"}} x"])
    func brokenJSONIsARefusalOfTheRequest(line: String) {
        #expect(Self.read(line).contains("_exception: "))
        #expect(Self.read(line).lowercased().contains("malformed action/metadata line"))
    }

    @Test func theIndexOfTheURLIsTheDefault() {
        #expect(Self.read(#"{"create":{}}"#, index: "logs") == "create logs -")
        #expect(Self.read(#"{"create":{"_index":"own"}}"#, index: "logs") == "create own -")
    }
}

@Suite struct IndexNameTests {
    static let tags: [(name: String, tag: String)] = [
        ("logs", "logs"), ("logs-2026.11.20", "logs"), ("logs-2026.11", "logs"), ("logs-20261120", "logs"),
        ("logs_2026-11-20", "logs"), ("logs-app-2", "logs-app-2"), ("logs-v2-2026.11.20", "logs-v2"), ("2026", "2026"),
        ("logs-1234", "logs-1234"), ("<logs-{now/d}>", "logs"), (".ds-logs-2026.11.20", ".ds-logs"), ("a", "a"),
        ("", ""),
    ]

    @Test(arguments: tags)
    func aTrailingDateIsNoPartOfTheTag(name: String, tag: String) {
        #expect(IndexName.tag(name) == tag)
    }

    @Test(arguments: [
        "Logs", "a b", "_x", "-x", "+x", "a/b", "a*", "a#b", "a:b", ".", "..", String(repeating: "a", count: 256),
    ])
    func theseAreNoNames(name: String) {
        #expect(IndexName.fault(name) != nil)
    }

    @Test(arguments: ["logs", "logs-2026.11.20", ".ds-a", "a_b", "<logs-{now/d}>", "ä"])
    func theseAreNames(name: String) {
        #expect(IndexName.fault(name) == nil)
    }
}
