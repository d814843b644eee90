import LeatCore
import LeatQuery
import Testing

/// Where errors are: lines from 1, columns and lengths in Unicode scalars.
struct ErrorPlaceTests {
    private struct Place: Hashable, CustomStringConvertible {
        let line: Int
        let column: Int
        let length: Int

        var description: String { "\(self.line):\(self.column)+\(self.length)" }
    }

    private static func diagnostics(_ query: String) -> [Diagnostic] {
        do throws(QueryErrors) {
            _ = try QueryPlan(QueryParser.parse(query), options: QueryOptions(now: Timestamp(milliseconds: 0)))
            return []
        } catch {
            return error.diagnostics
        }
    }

    @Test(
        arguments: [
            ("a == 1", ["1:3+2"]),
            ("\ta == 1", ["1:4+2"]),
            ("名 == 1", ["1:3+2"]),
            ("\"👍🏽\" a == 1", ["1:8+2"]),
            ("e\u{301}=1 | x == 1", ["1:10+2"]),
            ("a=1\n| b == 2\r\n| c == 3", ["2:5+2", "3:5+2"]),
            ("/* x\n */ a == 1", ["2:7+2"]),
            ("// 中\n\n\tx\t==\t1", ["3:4+2"]),
            ("lower() | upper(x, y=1) | timeChart(span=x)", ["1:1+5", "1:20+1", "1:42+1"]),
            ("x := nosuch(a) |\n  | y := alsonosuch(b)", ["1:6+6", "2:10+10"]),
            ("groupBy(a,\n  function=lower(b),\n  limit=-1)", ["2:12+8", "3:9+2"]),
            (
                "regex(\"(\") | time:hour(a, timezone=\"X\") | parseTimestamp(\"Q\", field=a)",
                ["1:7+3", "1:36+3", "1:58+3"]
            ),
            ("head(\"", ["1:6+1"]),
            ("(a=1\n(b=2", ["2:1+1"]),
        ] as [(String, [String])]
    )
    func errorsAreHere(query: String, places: [String]) {
        let found = Self.diagnostics(query).map { Place(line: $0.line, column: $0.column, length: $0.length) }
        #expect(found.map(\.description) == places, "\(query)")
    }

    @Test func theCaretStandsBelowItsText() {
        #expect(
            Self.diagnostics("\ta == 1\r\n").map(\.description) == [
                """
                query:1:4: error: '==' does not belong in a filter
                  \ta == 1
                  \t  ^~
                hint: write 'a = value', or test(a == other) to compare fields
                """
            ]
        )
    }

    @Test func noMoreErrorsThanAreOfUseAreReported() {
        let query = Array(repeating: "a == 1", count: SyntaxLimits.errorCountMax + 5).joined(separator: " | ")
        #expect(Self.diagnostics(query).count == SyntaxLimits.errorCountMax)
    }
}
