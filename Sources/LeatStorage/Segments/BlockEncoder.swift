internal import LeatCore

/// A block in the form of a segment, not yet in one.
struct EncodedBlock {
    let tags: DatasourceTags
    /// Names of the pages; `summary` counts from them.
    let names: [String]
    /// Its datasource and offset are 0 until the block is in a segment.
    let summary: BlockSummary
    let bytes: ByteSlice
}

/// Turns rows into the pages of a block.
enum BlockEncoder {
    /// Encodes a batch of stored rows: with `@id` and `@ingesttimestamp`, without tags.
    static func encode(_ batch: Batch, tags: DatasourceTags) throws(DamagedBlock) -> EncodedBlock {
        var block = BlockUnderConstruction()
        var times = PageWriter()
        IntegerPacking.append(batch.timestamps, to: &times)
        block.append(
            times.finish(),
            name: StoredFields.time,
            ColumnEncoder.Summary(kind: .integer, presentCount: batch.rowCount)
        )
        var plainByteCount = 0
        for name in batch.fieldNames where !StoredFields.isImplied(name) && tags[name] == nil {
            guard let column = try batch.column(name) else { continue }
            let (bytes, summary) = ColumnEncoder.page(column.strings, presence: column.presence)
            if !StoredFields.isOwn(name) { plainByteCount += column.valueByteCount }
            block.append(bytes, name: name, summary)
        }
        let summary = BlockSummary(
            datasource: 0,
            offset: 0,
            byteCount: block.bytes.count,
            rowCount: batch.rowCount,
            times: Self.range(batch.timestamps),
            arrivals: try Self.range(of: StoredFields.arrival, in: batch),
            rows: try Self.range(of: StoredFields.id, in: batch),
            plainByteCount: plainByteCount,
            pages: block.pages
        )
        return EncodedBlock(tags: tags, names: block.names, summary: summary, bytes: ByteSlice(block.bytes))
    }

    private static func range(_ values: [Int64]) -> ClosedRange<Int64> {
        var least = values.first ?? 0
        var most = least
        for value in values {
            least = min(least, value)
            most = max(most, value)
        }
        return least...most
    }

    private static func range(of name: String, in batch: Batch) throws(DamagedBlock) -> ClosedRange<Int64> {
        guard let numbers = try batch.column(name)?.integers else {
            preconditionFailure("stored rows without \(name)")
        }
        return Self.range(numbers)
    }
}

/// Pages so far.
private struct BlockUnderConstruction {
    var bytes: [UInt8] = []
    var names: [String] = []
    var pages: [BlockSummary.Page] = []

    mutating func append(_ page: [UInt8], name: String, _ summary: ColumnEncoder.Summary) {
        let entry = BlockSummary.Page(
            name: self.names.count,
            offset: self.bytes.count,
            byteCount: page.count,
            checksum: Checksum.crc32c(page),
            summary: summary
        )
        self.pages.append(entry)
        self.names.append(name)
        self.bytes.append(contentsOf: page)
    }
}

/// Names of fields that storage gives a meaning.
enum StoredFields {
    /// The page of event times; not a column of batches.
    static let time = "@timestamp"
    /// Row number in the repository.
    static let id = "@id"
    /// Arrival in milliseconds.
    static let arrival = "@ingesttimestamp"
    static let repository = "#repo"

    /// Whether the field is a column that storage adds to the rows that it is given.
    static func isOwn(_ name: String) -> Bool { name == Self.id || name == Self.arrival }

    /// Whether the field is not kept per row, whatever the datasource; its tags are not kept either.
    static func isImplied(_ name: String) -> Bool { name == Self.time || name == Self.repository }
}
