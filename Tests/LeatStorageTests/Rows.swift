import LeatCore
import LeatTesting

@testable import LeatStorage

/// Rows for tests, as dictionaries.
typealias Row = [String: String]

extension Batch {
    /// A batch of rows; times count up from `time` unless the row has a `time`.
    static func rows(_ rows: [Row], time: Int64 = 1_700_000_000_000_000_000) -> Batch {
        var builder = BatchBuilder()
        for (index, row) in rows.enumerated() {
            for (name, value) in row.sorted(by: { $0.key < $1.key }) where name != "time" {
                let column = builder.columnIndex(of: name)
                ByteSlice(value).withUnsafeBytes { builder.append($0, to: column) }
            }
            builder.endRow(timestamp: row["time"].flatMap(Int64.init) ?? time + Int64(index) * 1_000_000)
        }
        return builder.finish()
    }

    /// The rows again, without what storage adds unless asked for.
    func rows(withOwn: Bool = false) throws -> [Row] {
        var rows = [Row](repeating: [:], count: self.rowCount)
        for name in self.fieldNames where withOwn || !["@id", "@ingesttimestamp", "#repo"].contains(name) {
            guard let column = try self.column(name) else { continue }
            let strings = column.strings
            for row in 0..<self.rowCount where column.isPresent(at: row) {
                rows[row][name] = String(decoding: strings[row], as: UTF8.self)
            }
        }
        return rows
    }
}

extension Snapshot {
    /// All rows in the order of their numbers.
    func rows(withOwn: Bool = false) throws -> [Row] {
        var all: [(id: Int64, row: Row)] = []
        for block in self.blocks {
            let batch = try block.read()
            let own = try batch.rows(withOwn: true)
            for (index, row) in try batch.rows(withOwn: withOwn).enumerated() {
                all.append((own[index]["@id"].flatMap(Int64.init) ?? -1, row))
            }
        }
        return all.sorted { $0.id < $1.id }.map(\.row)
    }
}

/// Options of a store for tests: nothing runs by itself, and the clock stands still.
func testOptions(_ path: String, fileSystem: any FileSystem = PosixFileSystem()) -> StoreOptions {
    var options = StoreOptions(path: path, fileSystem: fileSystem, time: ManualTime())
    options.runsInBackground = false
    options.reservedByteCount = 0
    return options
}

let arrival = Timestamp(milliseconds: 1_700_000_000_123)

extension Bitmap {
    /// The rows of a batch for which `isSet` says yes.
    static func rows(of batch: Batch, where isSet: (Int) -> Bool) -> Bitmap {
        var bits = Bitmap(repeating: false, count: batch.rowCount)
        for row in 0..<batch.rowCount where isSet(row) { bits.set(row) }
        return bits
    }
}
