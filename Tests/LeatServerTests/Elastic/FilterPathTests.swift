import LeatCore
import Testing

@testable import LeatServer

@Suite struct FilterPathTests {
    static let answer =
        #"{"took":7,"errors":true,"items":[{"index":{"_index":"a","status":201}},"#
        + #"{"create":{"_index":"a","status":400,"error":{"type":"t","reason":"r"}}}]}"#

    static let cases: [(filter: String, kept: String)] = [
        ("errors", #"{"errors":true}"#),
        ("took,errors", #"{"took":7,"errors":true}"#),
        (
            "errors,items.*.status,items.*.error",
            #"{"errors":true,"items":[{"index":{"status":201}},"#
                + #"{"create":{"status":400,"error":{"type":"t","reason":"r"}}}]}"#
        ),
        ("items.*.error.type", #"{"items":[{"create":{"error":{"type":"t"}}}]}"#),
        ("-items", #"{"took":7,"errors":true}"#),
        ("**.status", #"{"items":[{"index":{"status":201}},{"create":{"status":400}}]}"#),
        ("items.*.st*", #"{"items":[{"index":{"status":201}},{"create":{"status":400}}]}"#),
        ("items,-items.*.error,-items.*._index", #"{"items":[{"index":{"status":201}},{"create":{"status":400}}]}"#),
        ("nothing", "nil"),
    ]

    @Test(arguments: cases)
    func keepsWhatIsNamed(filter: String, kept: String) throws {
        let value = try JSONValue(parsing: Self.answer)
        #expect(FilterPath(filter)?.apply(to: value)?.jsonText ?? "nil" == kept)
    }

    @Test func twoStarsKeepEverythingBelow() throws {
        let value = try JSONValue(parsing: Self.answer)
        #expect(FilterPath("items.**")?.apply(to: value)?["items"] == value["items"])
    }

    @Test(arguments: ["", ",", " , "])
    func anEmptyFilterIsNone(text: String) {
        #expect(FilterPath(text) == nil)
    }

    static let wildcards: [(name: String, pattern: String, fits: Bool)] = [
        ("status", "status", true), ("status", "st*", true), ("status", "*us", true), ("status", "s*t*s", true),
        ("status", "*", true), ("status", "state", false), ("", "*", true), ("", "", true), ("a", "", false),
    ]

    @Test(arguments: wildcards)
    func aStarIsAnyRun(name: String, pattern: String, fits: Bool) {
        #expect(Wildcard.matches(Array(name.utf8), Array(pattern.utf8)) == fits)
    }
}
