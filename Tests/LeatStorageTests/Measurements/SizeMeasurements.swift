import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// Bytes and times on data of one's own: `LEAT_MEASURE=bulk.ndjson swift test -c release --filter Measurements`.
///
/// The tables are those of `docs/storage-sizes.md`.
struct SizeMeasurements {
    static let path = getenv("LEAT_MEASURE").map { String(cString: $0) }

    /// What values take as they are, compressed, and as a page.
    private struct Sizes {
        var columnCount = 0
        var plain = 0
        var zstd3 = 0
        var zstd19 = 0
        var stored = 0

        /// Adds values, a line each, and the page that holds them.
        mutating func add(_ values: ByteStrings, stored: Int) {
            var lines: [UInt8] = []
            for row in 0..<values.count {
                lines += values[row]
                lines.append(UInt8(ascii: "\n"))
            }
            self.columnCount += 1
            self.plain += lines.count
            self.zstd3 += lines.withUnsafeBytes { Zstandard.compress($0, level: 3).count }
            self.zstd19 += lines.withUnsafeBytes { Zstandard.compress($0, level: 19).count }
            self.stored += stored
        }

        static func += (left: inout Sizes, right: Sizes) {
            left.columnCount += right.columnCount
            left.plain += right.plain
            left.zstd3 += right.zstd3
            left.zstd19 += right.zstd19
            left.stored += right.stored
        }

        /// Cells of a table, bytes for each of that many rows.
        func cells(perRow rowCount: Int) -> String {
            [self.plain, self.zstd3, self.zstd19, self.stored]
                .map { String(Double(($0 * 1_000) / rowCount) / 1_000) }.joined(separator: " | ")
        }
    }

    /// Sums over all blocks.
    private struct Totals {
        var rowCount = 0
        /// Per field and encoding.
        var columns: [String: (kind: ColumnKind, sizes: Sizes)] = [:]
        var filterByteCount = 0
        var seconds = 0.0
        var decodeSeconds = 0.0
    }

    @Test(.enabled(if: Self.path != nil)) func bytesPerColumn() throws {
        guard let path = Self.path else { return }
        let file = try PosixFileSystem().contents(path)
        var totals = Totals()
        var row = 0
        try Self.eachBlock(of: file) { batch in
            let ids = (0..<batch.rowCount).map { Int64(row + $0) }
            row += batch.rowCount
            try Self.measure(batch, ids: ids, &totals)
        }
        let gibibytes = Double(file.count) / Double(1 << 30)
        print("encode \(totals.seconds / gibibytes) s/GiB of body, decode \(totals.decodeSeconds / gibibytes) s/GiB")
        Self.printTables(totals)
    }

    /// Bytes of each value of `EncodingSizeTests`, which are of one kind each.
    @Test(.enabled(if: Self.path != nil)) func bytesPerKind() {
        print("\n| bytes per value | plain | zstd -3 | zstd -19 | leat |\n|---|---|---|---|---|")
        for sizes in EncodingSizeTests.cases {
            let values = ByteStrings(EncodingSizeTests.values(of: sizes))
            let page = ColumnEncoder.page(RowTexts(values), presence: nil, EncodingSizeTests.context)
            var measured = Sizes()
            measured.add(values, stored: page.bytes.count)
            print("| \(sizes.testDescription) | \(measured.cells(perRow: values.count)) |")
        }
    }

    private static func printTables(_ totals: Totals) {
        var kinds: [String: Sizes] = [:]
        var all = Sizes()
        for (kind, sizes) in totals.columns.values {
            kinds["\(kind)", default: Sizes()] += sizes
            all += sizes
        }
        let header = "| plain | zstd -3 | zstd -19 | leat |\n|---|---|---|---|---|---|"
        print("\n\(totals.rowCount) rows, bytes per row\n\n| encoding | columns \(header)")
        for (kind, sizes) in kinds.sorted(by: { $0.value.stored > $1.value.stored }) {
            print("| \(kind) | \(sizes.columnCount) | \(sizes.cells(perRow: totals.rowCount)) |")
        }
        let filter = Double(totals.filterByteCount * 1_000 / totals.rowCount) / 1_000
        print("| search filter | | | | | \(filter) |")
        all.stored += totals.filterByteCount
        print("| all | \(all.columnCount) | \(all.cells(perRow: totals.rowCount)) |")
        print("\n| field | encoding \(header)")
        for (name, column) in totals.columns.sorted(by: { $0.value.sizes.stored > $1.value.sizes.stored }).prefix(24) {
            print("| \(name) | \(column.kind) | \(column.sizes.cells(perRow: totals.rowCount)) |")
        }
    }

    private static func measure(_ batch: Batch, ids: [Int64], _ totals: inout Totals) throws {
        let fields = try OpenRows.fields(
            of: batch,
            rows: ids,
            arrivedAtMilliseconds: 1_700_000_000_000,
            repository: "r",
            tags: .none
        )
        let clock = ProcessClock()
        let start = clock.monotonicNanoseconds()
        let encoded = try BlockEncoder.encode(fields, tags: .none)
        totals.seconds += Double(clock.monotonicNanoseconds() - start) / 1e9
        totals.rowCount += batch.rowCount
        let stored = StoredBlock(encoded, repository: "r")
        var seen: Set<Int> = []
        for page in encoded.summary.pages where seen.insert(page.offset).inserted {
            let name = encoded.names[page.name]
            let strings = try stored.read().column(name)?.strings ?? Self.times(of: batch)
            let key = "\(name) \(page.summary.kind)"
            totals.columns[key, default: (page.summary.kind, Sizes())].sizes.add(strings, stored: page.byteCount)
        }
        totals.filterByteCount += encoded.filter.lines.count
        let back = clock.monotonicNanoseconds()
        let read = try stored.read()
        for name in read.fieldNames { _ = try read.column(name) }
        totals.decodeSeconds += Double(clock.monotonicNanoseconds() - back) / 1e9
        for name in batch.fieldNames {
            let original = try #require(try batch.column(name))
            let column = try #require(try read.column(name))
            #expect(column.presence == original.presence)
            if column.presence == nil { #expect(column.strings.isEqual(to: original.strings), "\(name)") }
        }
    }

    /// The times of the events as senders mostly write them: in milliseconds, or in nanoseconds if there are any.
    private static func times(of batch: Batch) -> ByteStrings {
        let unit: Int64 = batch.timestamps.allSatisfy { $0 % 1_000_000 == 0 } ? 1_000_000 : 1
        return ByteStrings(batch.timestamps.map { Array(String($0 / unit).utf8) })
    }

    /// Documents of a bulk body in blocks of 65,536 rows.
    private static func eachBlock(of file: ByteSlice, _ body: (Batch) throws -> Void) throws {
        var flattener = JSONFlattener()
        var builder = BatchBuilder()
        let bytes = file.unsafeBytes
        var start = 0
        var isAction = true
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            defer { start = end + 1 }
            if isAction {
                isAction = false
                continue
            }
            isAction = true
            try flattener.flatten(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            var time: Int64 = 0
            let number = flattener.number(of: "@timestamp")
            for field in flattener.fields where field.name == number {
                if let form = TimeText(of: field.value) { time = (form.value(of: field.value) ?? 0) * form.unit }
            }
            flattener.append(to: &builder) { $0.elementsEqual("@timestamp".utf8) }
            builder.endRow(timestamp: time)
            if builder.rowCount == Batch.rowCountMax { try body(builder.finish()) }
        }
        if builder.rowCount > 0 { try body(builder.finish()) }
        withExtendedLifetime(file) {}
    }
}

/// Processor time of this thread, which other programs on the machine do not change much.
private struct ProcessClock {
    func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
