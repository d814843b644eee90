import Foundation
import LeatCore
import LeatTesting
import Testing

/// `leat query --file` answers as the server does on the same lines.
@Suite(.serialized) struct FileQueryTests {
    /// The hour that the lines cover, epoch milliseconds.
    static let start = "1795176000000"
    static let end = "1795179600000"

    static let queries = [
        "count()",
        "error",
        "level=error",
        "level=err*",
        "level!=info | count()",
        "not level=info and user=u1* | count()",
        "/upstream (?<what>\\w+)/ | groupBy(what)",
        "level=error or level=warn msg=*call*",
        "duration_ms > 50 | count()",
        "groupBy(level)",
        "groupBy([level, msg], function=count()) | sort(_count, limit=3)",
        "top(msg, limit=2)",
        "timeChart(span=1m, function=count())",
        "timeChart(level, span=5m, function=count())",
        "sort(duration_ms, limit=5) | table([user, duration_ms, msg])",
        "head(3) | select([user, msg])",
        "tail(3)",
        "regex(\"order(?<rest>.*)\", field=msg) | select([rest])",
        "http.status=500 | select([http.path, trace_id])",
        "nothing-has-this-text",
    ]

    @Test(.enabled(if: Programs.areBuilt, Programs.missing), .timeLimit(.minutes(5)))
    func aServerAndAFileGiveTheSameRows() throws {
        try withTemporaryFolder { folder in
            let lines = try #require(
                FileManager.default.contents(atPath: "\(Programs.package)/config/demo/logs/orders-json.log")
            )
            let text = String(decoding: lines, as: UTF8.self).replacingOccurrences(
                of: "\"ts\":",
                with: "\"@timestamp\":"
            )
            let path = try folder.write("orders.log", text)
            let server = try TestServer(folder: folder)
            _ = try server.ask("ingest", path)
            try #require(try server.count("count()") == text.split(separator: "\n").count)
            for query in Self.queries {
                let remote = try server.ask(
                    "query",
                    "--start",
                    Self.start,
                    "--end",
                    Self.end,
                    "--format",
                    "json",
                    query
                )
                let local = try Shell.run(
                    ["query", "--file", path, "--start", Self.start, "--end", Self.end, "--format", "json", query],
                    folder: folder
                )
                #expect(local.ending == .exited(0), "\(query): \(local.errors)")
                #expect(Self.comparable(remote) == Self.comparable(local.output), "\(query)")
            }
        }
    }

    /// Rows without what only a server knows: ids, arrival, the repository and its tags.
    static func comparable(_ output: String) -> [String] {
        output.split(separator: "\n").map { line in
            var row = String(line)
            for pattern in [/"@id":"[^"]*",?/, /"@ingesttimestamp":"?[^",}]*"?,?/, /"#[a-z]+":"[^"]*",?/] {
                row.replace(pattern, with: "")
            }
            return row.replacing(",}", with: "}")
        }
    }
}
