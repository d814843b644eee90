import Foundation
import LeatCore
import LeatQuery
import Testing

struct QueryCorpusTests {
    /// Failures of the corpus, each with its line; `LEAT_CORPUS_REPORT` names a file to write them to.
    private func failures(_ entries: [QueryCorpus.Entry]) throws -> [String] {
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        options.isCheckOnly = true
        var failures: [String] = []
        for (index, entry) in entries.enumerated() {
            do throws(QueryErrors) {
                if entry.kind == "parser" {
                    _ = try ParserScript(entry.query, options: options)
                } else {
                    _ = try QueryPlan(try QueryParser.parse(entry.query), options: options)
                }
            } catch {
                failures.append("\(index + 1): \(entry.name ?? "")\n\(error)")
            }
        }
        if let path = ProcessInfo.processInfo.environment["LEAT_CORPUS_REPORT"] {
            try failures.joined(separator: "\n\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        return failures
    }

    @Test
    func realQueriesAreAccepted() throws {
        guard let entries = try QueryCorpus.load() else { return }
        let failures = try self.failures(entries)
        #expect(failures.count * 100 <= entries.count, "\(failures.count) of \(entries.count) are refused")
    }

    @Test
    func realQueriesPrintBackToTheSameTree() throws {
        guard let entries = try QueryCorpus.load() else { return }
        for entry in entries {
            guard let tree = try? QueryParser.parse(entry.query) else { continue }
            let printed = QueryPrinter.print(tree)
            let again = try QueryParser.parse(printed)
            #expect(again.pipeline == tree.pipeline, "\(entry.query)\n--\n\(printed)")
        }
    }
}
