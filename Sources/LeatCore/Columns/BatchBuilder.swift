/// Gathers rows, field by field, into a batch of plain columns.
///
/// For each row: `append` its values in any order, then `endRow`. A field that a row does not append is absent there;
/// of two values for one field in one row the last stays.
public struct BatchBuilder: ~Copyable {
    private var columns: [GrowingColumn] = []
    private var names: [[UInt8]] = []
    private var indexOfName: [[UInt8]: Int] = [:]
    private var timestamps: [Int64] = []

    public init() {}

    /// Rows that are complete.
    public var rowCount: Int { self.timestamps.count }

    /// Whether another row fits the batch.
    public var isFull: Bool { self.rowCount == Batch.rowCountMax }

    /// The number of the column of a field, which stays the same until `finish`.
    public mutating func columnIndex(of name: UnsafeRawBufferPointer) -> Int {
        let key = [UInt8](name)
        if let known = self.indexOfName[key] { return known }
        self.indexOfName[key] = self.columns.count
        self.names.append(key)
        self.columns.append(GrowingColumn())
        return self.columns.count - 1
    }

    /// The number of the column of a field.
    public mutating func columnIndex(of name: String) -> Int {
        var name = name
        return name.withUTF8 { self.columnIndex(of: UnsafeRawBufferPointer($0)) }
    }

    /// The name of a column, as UTF-8.
    public func name(of column: Int) -> [UInt8] { self.names[column] }

    /// Sets the value of a field in the row under construction.
    public mutating func append(_ value: UnsafeRawBufferPointer, to column: Int) {
        self.columns[column].set(value, row: self.rowCount)
    }

    /// Completes the row.
    public mutating func endRow(timestamp: Int64) {
        precondition(!self.isFull, "a batch has at most \(Batch.rowCountMax) rows")
        self.timestamps.append(timestamp)
    }

    /// Forgets the values of the row under construction.
    public mutating func abandonRow() {
        for index in self.columns.indices { self.columns[index].truncate(to: self.rowCount) }
    }

    /// The rows so far; the builder is empty afterwards.
    public mutating func finish() -> Batch {
        let rowCount = self.rowCount
        var result: [(name: String, column: Column)] = []
        for index in self.columns.indices {
            if let column = self.columns[index].finish(rowCount: rowCount) {
                result.append((String(decoding: self.names[index], as: UTF8.self), column))
            }
        }
        let batch = Batch(timestamps: self.timestamps, source: MemoryColumns(result))
        self = BatchBuilder()
        return batch
    }
}

/// A column under construction: the values so far, end to end.
private struct GrowingColumn {
    private var offsets: [UInt32] = [0]
    private var bytes: [UInt8] = []
    private var absentRows: [Int] = []

    /// Rows that have a value or are known to lack one.
    private var rowCount: Int { self.offsets.count - 1 }

    mutating func set(_ value: UnsafeRawBufferPointer, row: Int) {
        if self.rowCount > row { self.truncate(to: row) }
        self.fill(to: row)
        self.bytes.append(contentsOf: value)
        self.offsets.append(UInt32(self.bytes.count))
    }

    mutating func truncate(to row: Int) {
        guard self.rowCount > row else { return }
        self.offsets.removeLast(self.rowCount - row)
        self.bytes.removeLast(self.bytes.count - Int(self.offsets[row]))
        while let last = self.absentRows.last, last >= row { self.absentRows.removeLast() }
    }

    private mutating func fill(to row: Int) {
        while self.rowCount < row {
            self.absentRows.append(self.rowCount)
            self.offsets.append(UInt32(self.bytes.count))
        }
    }

    /// The column; `nil` when no row has a value.
    mutating func finish(rowCount: Int) -> Column? {
        self.truncate(to: rowCount)
        self.fill(to: rowCount)
        guard self.absentRows.count < rowCount else { return nil }
        var presence: Bitmap?
        if !self.absentRows.isEmpty {
            var bits = Bitmap(repeating: true, count: rowCount)
            for row in self.absentRows { bits.set(row, to: false) }
            presence = bits
        }
        return .plain(
            PlainColumn(values: ByteStrings(offsets: self.offsets, bytes: ByteSlice(self.bytes)), presence: presence)
        )
    }
}
