import Foundation
import LeatCore
import LeatQuery
import Testing

/// The texts of errors and warnings, one query after the other, as the reader sees them.
struct ErrorTextTests {
    private static let path = #filePath.replacing(
        "Check/ErrorTextTests.swift",
        with: "Fixtures/syntax/errors.golden"
    )

    @Test
    func errorsTeach() throws {
        let golden = try String(contentsOfFile: Self.path, encoding: .utf8)
        let queries = golden.split(separator: "\n").filter { !$0.hasPrefix("    ") }
        let rendered = queries.map { "\($0)\n\(Self.answer(to: String($0)))" }.joined(separator: "\n")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try rendered.write(toFile: Self.path, atomically: true, encoding: .utf8)
        } else {
            #expect(rendered == golden)
        }
    }

    private static func answer(to query: String) -> String {
        let text: String
        do throws(QueryErrors) {
            let options = QueryOptions(now: Timestamp(milliseconds: 0))
            let checked = try QueryCheck.check(QueryParser.parse(query), options: options)
            text = (checked.warnings.map(\.description) + ["accepted"]).joined(separator: "\n")
        } catch {
            text = error.description
        }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined()
    }
}
