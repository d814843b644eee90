import LeatCore
import LeatTesting
import Testing

@testable import LeatQuery

/// Real queries become plans: everything that parses and checks is also executed by something.
struct CorpusPlanTests {
    @Test func nearlyAllRealQueriesHaveAPlan() throws {
        guard let bytes = try SharedData.contents("data/queries/dev.jsonl") else { return }
        var options = QueryOptions(now: Timestamp(nanoseconds: EventLoading.defaultTime))
        options.isCheckOnly = true
        var failures: [String] = []
        let lines = bytes.text.split(separator: "\n")
        for (number, line) in lines.enumerated() {
            let query = try JSONValue(parsing: String(line))["query"]?.string ?? ""
            do {
                _ = try QueryPlan(try QueryParser.parse(query), options: options)
            } catch {
                failures.append("\(number + 1): \(error.diagnostics[0].message) in \(error.diagnostics[0].lineText)")
            }
        }
        #expect(failures.count * 100 <= lines.count, "\(failures.joined(separator: "\n"))")
    }
}
