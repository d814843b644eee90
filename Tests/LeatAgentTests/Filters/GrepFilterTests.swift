import LeatCore
import Testing

@testable import LeatAgent

struct GrepFilterTests {
    static let records = [#"{"log":"error: x","n":1}"#, #"{"log":"in\"fo\"","k":{"a":"b"}}"#, #"{"n":"error"}"#, "{}"]

    static let cases: [(lines: String, kept: [Int])] = [
        ("Name grep\nRegex log error", [0]),
        ("Name grep\nRegex log ^in\"fo\"$", [1]),
        ("Name grep\nRegex log /ERROR/i", [0]),
        ("Name grep\nExclude log error", [1, 2, 3]),
        ("Name grep\nRegex $k['a'] ^b$", [1]),
        ("Name grep\nRegex n 1", []),
        ("Name grep\nExclude log error\nExclude n error", [1, 3]),
        ("Name grep\nRegex log error\nRegex log x", [0]),
        ("Name grep\nLogical_Op or\nRegex log error\nRegex n error", [0, 2]),
        ("Name grep\nLogical_Op and\nRegex log error\nRegex log y", []),
        ("Name grep\nLogical_Op and\nExclude log error\nExclude log x", [1, 2, 3]),
        ("Name grep\nLogical_Op or\nExclude log error\nExclude n error", [1, 3]),
    ]

    @Test(arguments: cases)
    func keepsWhatTheRulesSay(lines: String, kept: [Int]) throws {
        var run = try FilterRun(lines)
        #expect(run.apply(Self.records) == kept.map { Self.records[$0] })
    }

    static let wrong = [
        "Name grep\nRegex log (", "Name grep\nRegex $a[ x", "Name grep\nLogical_Op and\nRegex a b\nExclude a b",
    ]

    @Test(arguments: wrong)
    func wrongRulesAreErrors(lines: String) {
        #expect(throws: Diagnostics.self) { try FilterRun(lines) }
    }
}
