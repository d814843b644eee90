import Foundation
import LeatQuery
import Testing

struct QueryCorpusTests {
    @Test
    func realQueriesParse() throws {
        guard let entries = try QueryCorpus.load() else { return }
        var failures: [String] = []
        for (index, entry) in entries.enumerated() {
            do {
                _ = try QueryParser.parse(entry.query)
            } catch {
                failures.append("\(index + 1): \(entry.name ?? "")\n\(error)")
            }
        }
        if let path = ProcessInfo.processInfo.environment["LEAT_CORPUS_REPORT"] {
            try failures.joined(separator: "\n\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(failures.count * 100 <= entries.count, "\(failures.count) of \(entries.count) do not parse")
    }
}
