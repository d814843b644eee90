import LeatCore
import LeatTesting

@testable import LeatQuery

/// A query script: events, queries and the rows that they give, readable without knowing Swift.
///
/// Blocks are separated by empty lines. `load` is followed by events, one JSON object a line; `lookup NAME` by the
/// lines of a file; `saved NAME` by the text of a saved query; `interval START END` and `argument NAME VALUE` hold for
/// what follows. `query TEXT` may go on over lines until `----`, after which come the rows, or the error.
struct QueryScript {
    struct Case {
        let name: String
        let query: String
        let events: [String]
        let options: QueryOptions
        let expected: String
        /// The lines of the script in which `expected` stands.
        let expectedLines: Range<Int>
    }

    struct Files: LookupFileProvider, SavedQueryProvider {
        var files: [String: String] = [:]
        var queries: [String: String] = [:]

        func lookupFile(_ name: String) -> ByteSlice? { self.files[name].map { ByteSlice($0) } }
        func savedQuery(_ name: String) -> String? { self.queries[name] }
    }

    private(set) var cases: [Case] = []

    init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var events: [String] = []
        var files = Files()
        var options = QueryOptions(now: Timestamp(milliseconds: 1_700_000_000_000))
        var comment = ""
        var index = 0
        func block() -> [String] {
            let start = index
            while index < lines.count, !lines[index].isEmpty { index += 1 }
            return Array(lines[start..<index])
        }
        while index < lines.count {
            let line = lines[index]
            index += 1
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "load": events = block()
            case "lookup": files.files[words[1]] = block().joined(separator: "\n") + "\n"
            case "saved": files.queries[words[1]] = block().joined(separator: "\n")
            case "interval":
                options.start = Timestamp(milliseconds: Int64(words[1]) ?? 0)
                options.end = Timestamp(milliseconds: Int64(words[2]) ?? 0)
            case "argument": options.arguments[words[1]] = words.dropFirst(2).joined(separator: " ")
            case "query":
                var query = [String(line.dropFirst(6))]
                while index < lines.count, lines[index] != "----" {
                    query.append(lines[index])
                    index += 1
                }
                index += 1
                let start = index
                let expected = block()
                options.lookupFiles = files
                options.savedQueries = files
                self.cases.append(
                    Case(
                        name: comment,
                        query: query.joined(separator: "\n"),
                        events: events,
                        options: options,
                        expected: expected.joined(separator: "\n"),
                        expectedLines: start..<start + expected.count
                    )
                )
            case "#": comment = String(line.dropFirst(2))
            default: break
            }
        }
    }

    /// The rows and warnings of a query over batches that come newest first, or its error, as a script shows them.
    static func answer(_ query: String, _ options: QueryOptions, over batches: [Batch], threads: Int = 1) -> String {
        do {
            let plan = try QueryPlan(try QueryParser.parse(query), options: options)
            let result = try plan.run(over: batches.map { MemoryBlock($0) }, threads: threads)
            return Self.text(result)
        } catch {
            return "\(error)"
        }
    }

    static func text(_ result: QueryResult) -> String {
        let lines = jsonRows(result) + result.warnings.map { "warning: \($0)" }
        return lines.isEmpty ? "(no rows)" : lines.joined(separator: "\n")
    }
}
