internal import LeatCore
internal import LeatQuery

/// The first lines of local files, for completion.
struct FileSample: Sendable {
    /// Bytes of each file that are looked at, and the size from which on compressed files are not opened.
    private static let byteCountMax = 4 << 20
    private static let valueCountMax = 50

    let paths: [String]

    /// The names of the fields, sorted.
    func fieldNames() throws -> [String] {
        try self.batches().reduce(into: Set<String>()) { $0.formUnion($1.fieldNames) }.sorted()
    }

    /// The most frequent values of a field.
    func values(of field: String) throws -> [String] {
        var counts: [String: Int] = [:]
        for batch in try self.batches() {
            let renderer = try RowRenderer(batch, columns: [field])
            for row in 0..<batch.rowCount {
                if let value = renderer.fields(row: row).first?.value { counts[value, default: 0] += 1 }
            }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.valueCountMax).map(\.key)
    }

    private func batches() throws -> [Batch] {
        let now = SystemTime().now().nanoseconds
        var result: [Batch] = []
        for path in self.paths where path != "-" {
            let size = try PosixFileSystem().status(path)?.byteCount ?? 0
            let isCompressed = [".gz", ".zst", ".lz4"].contains { path.hasSuffix($0) }
            if isCompressed && size > UInt64(Self.byteCountMax) { continue }
            let input = try LocalInput.open(path)
            let sample = input[0..<min(input.count, Self.byteCountMax)]
            let cutter = BlockCutter(
                format: LineFormat.detect(sample.unsafeBytes),
                arrival: now,
                notes: FileNotes()
            )
            if let block = cutter.blocks(of: sample).first { result.append(try block.read()) }
        }
        return result
    }
}
