internal import LeatCore

/// Rows that are in the journal and in memory, but not in a block yet.
struct OpenRows: Sendable {
    /// The rows with all their fields, implied ones included.
    let batch: Batch
    /// Row numbers.
    let rows: ClosedRange<Int64>
    /// Event times in nanoseconds.
    let times: ClosedRange<Int64>
    /// First arrival, in milliseconds.
    let arrivedAt: Int64
    let byteCount: Int

    init(batch: Batch, rows: ClosedRange<Int64>, arrivedAt: Int64, byteCount: Int) {
        self.batch = batch
        self.rows = rows
        self.arrivedAt = arrivedAt
        self.byteCount = byteCount
        var first = batch.timestamps.first ?? 0
        var last = first
        for time in batch.timestamps {
            first = min(first, time)
            last = max(last, time)
        }
        self.times = first...last
    }

    /// The rows except for some.
    func without(_ left: [Int]) throws(DamagedBlock) -> OpenRows {
        let left = Set(left)
        let kept = (0..<self.batch.rowCount).filter { !left.contains($0) }
        let batch = try self.batch.gathered(kept)
        return OpenRows(batch: batch, rows: self.rows, arrivedAt: self.arrivedAt, byteCount: self.byteCount)
    }

    /// The rows of one request as they are kept: with row number, arrival, repository and tags.
    static func fields(
        of batch: Batch,
        rows: [Int64],
        arrivedAtMilliseconds: Int64,
        repository: String,
        tags: DatasourceTags
    ) throws(DamagedBlock) -> Batch {
        let count = batch.rowCount
        var columns: [(name: String, column: Column)] = [
            (StoredFields.id, .integer(IntegerColumn(values: rows))),
            (
                StoredFields.arrival,
                .integer(IntegerColumn(values: [Int64](repeating: arrivedAtMilliseconds, count: count)))
            ),
            (StoredFields.repository, .constant(ConstantColumn(value: ByteSlice(repository), rowCount: count))),
        ]
        for tag in tags.tags {
            columns.append((tag.name, .constant(ConstantColumn(value: ByteSlice(tag.value), rowCount: count))))
        }
        let taken = Set(columns.map(\.name))
        for name in batch.fieldNames where !taken.contains(name) && name != StoredFields.time {
            if let column = try batch.column(name) { columns.append((name, column)) }
        }
        return Batch(timestamps: batch.timestamps, source: MemoryColumns(columns))
    }
}

/// Open rows as a query sees them.
struct OpenBlock: BlockSource {
    let open: OpenRows

    var rowCount: Int { self.open.batch.rowCount }
    var exactRowCount: Int? { self.rowCount }
    var timeRange: ClosedRange<Int64> { self.open.times }
    var byteCount: Int { self.open.byteCount }

    /// Only fields are looked at: the rows are about to be read anyway.
    func mayMatch(_ prefilter: Prefilter) -> Bool {
        switch prefilter {
        case .none: false
        case .and(let parts): parts.allSatisfy { self.mayMatch($0) }
        case .or(let parts): parts.contains { self.mayMatch($0) }
        case .present(let field), .equals(let field, _), .contains(let field, _), .numeric(let field, _):
            field.utf8.first == UInt8(ascii: "@") || self.open.batch.fieldNames.contains(field)
        case .all, .anyField: true
        }
    }

    func read() -> Batch { self.open.batch }
}

/// The rows of one datasource that are not in a segment.
struct OpenDatasource: Sendable {
    /// Rows that still come, oldest first.
    var growing: [OpenRows] = []
    /// Rows that are being encoded.
    var frozen: [OpenRows] = []
    /// Blocks that wait for their segment, older than the rows.
    var encoded: [SealedBlock] = []

    var growingRowCount: Int { self.growing.reduce(0) { $0 + $1.batch.rowCount } }
    var growingByteCount: Int { self.growing.reduce(0) { $0 + $1.byteCount } }
    var isEmpty: Bool { self.growing.isEmpty && self.frozen.isEmpty && self.encoded.isEmpty }

    /// All that a query sees.
    var blocks: [any BlockSource] {
        self.encoded.map(\.stored) + (self.frozen + self.growing).map { OpenBlock(open: $0) }
    }

    /// How many of the oldest growing batches fill a block, or all of them.
    func prefixOfBlock() -> Int {
        var rowCount = 0
        var byteCount = 0
        for (index, open) in self.growing.enumerated() {
            rowCount += open.batch.rowCount
            byteCount += open.byteCount
            let isTooMuch = rowCount > Batch.rowCountMax || byteCount > StorageLimits.blockByteCountMax
            if index > 0 && isTooMuch { return index }
        }
        return self.growing.count
    }

    /// Whether the growing rows fill a block.
    var hasFullBlock: Bool {
        self.growingRowCount >= Batch.rowCountMax || self.growingByteCount >= StorageLimits.blockByteCountMax
    }
}

/// An encoded block, in the form for the segment and in that for queries.
struct SealedBlock: Sendable {
    let encoded: EncodedBlock
    let stored: StoredBlock
}
