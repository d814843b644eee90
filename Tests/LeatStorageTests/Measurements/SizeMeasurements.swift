import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatStorage

/// Bytes and times on data of one's own: `LEAT_MEASURE=bulk.ndjson swift test -c release --filter Measurements`.
struct SizeMeasurements {
    static let path = getenv("LEAT_MEASURE").map { String(cString: $0) }

    /// Bytes per column and per encoding.
    private struct Totals {
        var rowCount = 0
        var bytes: [String: Int] = [:]
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
        let total = totals.bytes.values.reduce(0, +)
        print("rows \(totals.rowCount), bytes \(total), per row \(Double(total) / Double(totals.rowCount))")
        let gibibytes = Double(file.count) / Double(1 << 30)
        print("encode \(totals.seconds / gibibytes) s/GiB of body, decode \(totals.decodeSeconds / gibibytes) s/GiB")
        for (name, count) in totals.bytes.sorted(by: { $0.value > $1.value }).prefix(40) {
            print(
                "  \(name): \(Double(count) / Double(totals.rowCount)) B/row"
            )
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
        var seen: Set<Int> = []
        for page in encoded.summary.pages where seen.insert(page.offset).inserted {
            let name = "\(encoded.names[page.name]) [\(page.summary.kind)]"
            totals.bytes[name, default: 0] += page.byteCount
        }
        totals.bytes["(search filter)", default: 0] += encoded.filter.lines.count
        let back = clock.monotonicNanoseconds()
        let read = try StoredBlock(encoded, repository: "r").read()
        for name in read.fieldNames { _ = try read.column(name) }
        totals.decodeSeconds += Double(clock.monotonicNanoseconds() - back) / 1e9
        for name in batch.fieldNames {
            let original = try #require(try batch.column(name))
            let column = try #require(try read.column(name))
            #expect(column.presence == original.presence)
            if column.presence == nil { #expect(column.strings.isEqual(to: original.strings), "\(name)") }
        }
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
