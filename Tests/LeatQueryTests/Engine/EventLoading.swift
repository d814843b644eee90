import LeatCore
import LeatTesting

@testable import LeatQuery

/// Events from JSON lines, as tests write them.
enum EventLoading {
    /// The time of events that have none: 2023-11-14T22:13:20Z.
    static let defaultTime: Int64 = 1_700_000_000_000_000_000

    /// The events of JSON objects, one batch; `@timestamp` is in milliseconds, without one the order is the arrival.
    static func batch(_ lines: [String]) throws -> Batch {
        var builder = BatchBuilder()
        var flattener = JSONFlattener()
        for line in lines {
            let document = try JSONValue(parsing: line)
            let bytes = ByteSlice(line)
            try bytes.withUnsafeBytes { try flattener.flatten($0) }
            flattener.append(to: &builder, skipping: { $0.isEqual(to: "@timestamp") })
            let milliseconds = document["@timestamp"]?.int ?? document["@timestamp"]?.string.flatMap { Int($0) }
            builder.endRow(timestamp: milliseconds.map { Int64($0) * 1_000_000 } ?? Self.defaultTime)
        }
        return builder.finish()
    }

    /// The same events in several batches, cut at random, in the order newest first.
    static func split(_ lines: [String], _ random: inout SeededRandom) throws -> [Batch] {
        var batches: [Batch] = []
        var start = 0
        while start < lines.count {
            let end = min(lines.count, start + Int.random(in: 1...max(1, lines.count), using: &random))
            batches.append(try Self.batch(Array(lines[start..<end])))
            start = end
        }
        return batches.reversed()
    }

    /// The same batch with every column encoded another way, at random.
    static func encodedAnew(_ batch: Batch, _ random: inout SeededRandom) throws -> Batch {
        var columns: [(name: String, column: Column)] = []
        for name in batch.fieldNames {
            guard let column = try batch.column(name) else { continue }
            guard let form = ColumnForms.all(of: column, &random).randomElement(using: &random) else { continue }
            columns.append((name, form.column))
        }
        return Batch(timestamps: batch.timestamps, source: MemoryColumns(columns))
    }
}

/// The rows of an answer as JSON texts.
func jsonRows(_ result: QueryResult) -> [String] {
    var rows: [String] = []
    result.forEachRowAsJSON { rows.append(String(decoding: $0, as: UTF8.self)) }
    return rows
}
