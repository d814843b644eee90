import LeatCore
import LeatTesting
import Synchronization
import Testing

@testable import LeatQuery

/// Expressions as deep as the limits allow, on threads with the stack that the product gives them.
struct LongExpressionTests {
    private static let chain = "1" + String(repeating: "+1", count: SyntaxLimits.operatorsMax)

    /// Queries at the limits, and what `x` is.
    static let longest: [(name: String, query: String, value: String)] = [
        ("a chain", "x := \(Self.chain)", "201"),
        (
            "a chain below signs",
            "x := \(String(repeating: "-", count: SyntaxLimits.depthMax - 4))(\(Self.chain))",
            "201"
        ),
        (
            "a chain below calls",
            "x := \(String(repeating: "if(true, else=0, then=", count: 30))\(Self.chain)\(String(repeating: ")", count: 30))",
            "201"
        ),
        ("chains side by side", "x := 0 | y := \(Self.chain) | x := \(Self.chain)", "201"),
        ("chains in arguments", "x := if(true, then=\(Self.chain), else=\(Self.chain))", "201"),
    ]

    @Test(arguments: longest.map(\.name))
    func theLongestAreComputed(_ name: String) throws {
        let row = try #require(Self.longest.first { $0.name == name })
        let batch = try EventLoading.batch([#"{"@timestamp":1000,"y":"1"}"#])
        let answer = Mutex("")
        let thread = WorkerThread(name: "test") {
            let options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
            let text = QueryScript.answer("\(row.query) | select(x)", options, over: [batch], threads: 0)
            answer.withLock { $0 = text }
        }
        thread.join()
        #expect(answer.withLock { $0 } == #"{"x":"\#(row.value)"}"#)
    }

    @Test(arguments: [
        "x := \(chain)+1",
        "x := (\(chain))+1",
        "x := 1+(\(chain))",
        "x := 1+if(a==\(chain), then=1, else=2)",
        "x := \(Array(repeating: "1", count: 20_000).joined(separator: "+"))",
    ])
    func longerOnesAreRefused(_ query: String) {
        let error = #expect(throws: QueryErrors.self) { try QueryParser.parse(query) }
        #expect(error?.description.contains("more than 200 operators") == true)
    }
}
