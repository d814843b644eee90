/// Gathers rows, field by field, into a batch of plain columns.
///
/// For each row: `append` its values in any order, then `endRow`. A field that a row does not append is absent there;
/// of two values for one field in one row the last stays. `JSONFlattener.append(to:)` fills it without hashing names.
public struct BatchBuilder: ~Copyable {
    /// Beyond this many bytes of values the batch counts as full, so that no column outgrows 32-bit offsets.
    public static let byteCountMax = 256 << 20

    private var columns: [GrowingColumn] = []
    private var names: [[UInt8]] = []
    private var indexOfName: [[UInt8]: Int] = [:]
    private var timestamps: [Int64] = []

    /// Bytes of all values so far, values of abandoned rows included.
    public private(set) var byteCount = 0

    /// Changes whenever `finish` makes column numbers invalid; no two builders share a value.
    public private(set) var generation = BatchBuilder.nextGeneration()

    public init() {}

    deinit {
        for column in self.columns { column.release() }
    }

    /// Rows that are complete.
    public var rowCount: Int { self.timestamps.count }

    /// Whether the batch should be finished before another row.
    public var isFull: Bool { self.rowCount == Batch.rowCountMax || self.byteCount > Self.byteCountMax }

    /// Columns so far.
    public var columnCount: Int { self.columns.count }

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
        self.byteCount &+= value.count
        let row = self.timestamps.count
        self.columns[column].set(value, row: row)
    }

    /// Sets the value of a field in the row under construction.
    public mutating func append(_ value: [UInt8], to column: Int) {
        value.withUnsafeBytes { self.append($0, to: column) }
    }

    /// Sets the values of many fields in the row under construction, nulls and the empty left out.
    ///
    /// - Returns: The index of the first field whose column is not known, or the number of fields.
    mutating func append(
        _ fields: UnsafeBufferPointer<JSONField>,
        from start: Int,
        columns columnOfName: UnsafeBufferPointer<Int32>
    ) -> Int {
        let row = self.timestamps.count
        var byteCount = 0
        let end = self.columns.withUnsafeMutableBufferPointer { columns in
            for index in start..<fields.count {
                let field = fields[index]
                guard field.kind.rawValue < JSONKind.null.rawValue else { continue }
                let name = Int(field.name)
                let column = name < columnOfName.count ? columnOfName[name] : JSONFlattener.unknownColumn
                if column >= 0 {
                    columns[Int(column)].set(field.value, row: row)
                    byteCount &+= Int(field.byteCount)
                } else if column == JSONFlattener.unknownColumn {
                    return index
                }
            }
            return fields.count
        }
        self.byteCount &+= byteCount
        return end
    }

    /// Completes the row.
    public mutating func endRow(timestamp: Int64) {
        precondition(self.timestamps.count < Batch.rowCountMax, "a batch has at most \(Batch.rowCountMax) rows")
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
        result.reserveCapacity(self.columns.count)
        for index in self.columns.indices {
            if let column = self.columns[index].finish(rowCount: rowCount) {
                result.append((String(decoding: self.names[index], as: UTF8.self), column))
            }
        }
        // The columns have given their memory away; `deinit` must not free it again.
        self.columns = []
        let batch = Batch(timestamps: self.timestamps, source: MemoryColumns(result))
        self = BatchBuilder()
        return batch
    }
}
