import Foundation
import LeatCore
import Testing

@testable import LeatQuery

/// Every function of the catalogue can be called.
struct FunctionCoverageTests {
    /// Functions that read no field of an event, so that none can be missing, empty or of the wrong type.
    private static let readingNoField: Set<String> = [
        "now", "start", "end", "duration", "dropEvent", "createEvents", "setTimeInterval", "beta:repeating",
        "explain:asTable",
    ]

    /// Functions that need what an operator supplies; `GeoLookupTests` and `NameLookupTests` show their cases.
    private static let needingMore: Set<String> = ["ipLocation", "asn", "reverseDns"]

    /// The rows of a script by which it shows what becomes of events that do not fit.
    private static let cases: Set<String> = ["normal", "missing", "wrong type", "empty"]

    /// Every function is shown by some script, with what it does to events that it does not fit.
    @Test func everyFunctionIsShownWithEveryKindOfEvent() throws {
        var shown: Set<String> = []
        var mentioned: Set<String> = []
        for path in QueryScriptTests.paths {
            for step in QueryScript(try PosixFileSystem().contents(path).text).cases {
                let names = Set(try step.events.compactMap { try JSONValue(parsing: $0)["name"]?.string })
                let called = FunctionCatalogue.all.filter { Self.calls($0, step.query) }.map(\.name)
                mentioned.formUnion(called)
                if names.isSuperset(of: Self.cases) { shown.formUnion(called) }
            }
        }
        let all = Set(FunctionCatalogue.all.map(\.name))
        #expect(all.subtracting(mentioned).sorted() == [], "no script calls these")
        let unshown = all.subtracting(shown).subtracting(Self.readingNoField).subtracting(Self.needingMore)
        #expect(unshown.sorted() == [], "no script shows these with a field that is missing, odd and empty")
    }

    private static func calls(_ signature: FunctionSignature, _ query: String) -> Bool {
        let text = query.lowercased()
        var rest = text[...]
        while let range = rest.range(of: signature.name.lowercased() + "(") {
            let before = text[..<range.lowerBound].last
            if before.map({ !$0.isLetter && $0 != ":" }) ?? true { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    @Test(arguments: FunctionCatalogue.all)
    func functionCanBeCalled(_ signature: FunctionSignature) throws {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        options.isCheckOnly = true
        let query = FunctionCalls.query(signature)
        #expect(throws: Never.self) { try QueryPlan(try QueryParser.parse(query), options: options) }
    }
}
