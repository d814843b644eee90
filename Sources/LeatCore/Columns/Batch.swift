/// Rows that move together, from the digest to storage and from storage through a query.
///
/// Columns keep the encoding in which they were stored and are read only when asked for. Stages narrow `selection`
/// and replace, add or drop columns; the rows below stay where they are. Row 0 is the row that arrived first.
public struct Batch: Sendable {
    /// The most rows a batch may have, so that a row number and a dictionary code fit 16 bits.
    public static let rowCountMax = 65_536

    /// Number of rows, selected or not; 1...`rowCountMax`, or 0 for an empty batch.
    public let rowCount: Int

    /// Per row the time of the event, in nanoseconds since 1970 UTC.
    public let timestamps: [Int64]

    /// Bounds of all times, where they are known without a look at each.
    public let timeRange: ClosedRange<Int64>?

    /// Whether no time is before that of an earlier row, where that is known without a look at each.
    public let areTimesAscending: Bool?

    /// The rows that are still part of the answer; `nil` means all of them.
    public var selection: Bitmap?

    /// Where columns come from that no stage has replaced.
    let source: any ColumnSource

    /// Columns that stages have set, or dropped (`nil`).
    private var changed: [String: Column?] = [:]

    /// Names in the order in which stages added them.
    private var added: [String] = []

    public init(
        timestamps: [Int64],
        source: any ColumnSource,
        timeRange: ClosedRange<Int64>? = nil,
        areTimesAscending: Bool? = nil
    ) {
        precondition(timestamps.count <= Batch.rowCountMax, "\(timestamps.count) rows in a batch")
        self.rowCount = timestamps.count
        self.timestamps = timestamps
        self.timeRange = timeRange
        self.areTimesAscending = areTimesAscending
        self.source = source
    }

    /// The names of all fields that at least one row may have, stored ones first.
    public var fieldNames: [String] {
        self.source.fieldNames.filter { name in
            if let change = self.changed[name] { change != nil } else { true }
        } + self.added.filter { self.changed[$0] ?? nil != nil }
    }

    /// The column of a field, read now if need be; `nil` when no row has it.
    public func column(_ name: String) throws(DamagedBlock) -> Column? {
        if let change = self.changed[name] { return change }
        return try self.source.column(name)
    }

    /// What is known of the texts of a field without reading them; `nil`: nothing.
    public func traits(of name: String) -> TextTraits? {
        self.isChanged(name) ? nil : self.source.traits(of: name)
    }

    /// Sets or replaces a field for all rows.
    public mutating func set(_ name: String, to column: Column) {
        precondition(
            column.rowCount == self.rowCount,
            "column of \(column.rowCount) rows in a batch of \(self.rowCount)"
        )
        if self.changed[name] == nil && !self.source.fieldNames.contains(name) { self.added.append(name) }
        self.changed[name] = .some(column)
    }

    /// Takes a field from all rows.
    public mutating func drop(_ name: String) {
        self.changed[name] = .some(nil)
    }

    /// Whether a stage has set or dropped the field.
    public func isChanged(_ name: String) -> Bool { self.changed[name] != nil }

    /// Whether both batches read what no stage has changed from the same place, so that their rows are the same.
    public func hasSource(of other: Batch) -> Bool { self.source === other.source }

    /// Bytes of stored columns that were read for this batch so far.
    public var storedBytesRead: Int { self.source.storedBytesRead }

    /// Number of rows that are still part of the answer.
    public var selectedCount: Int { self.selection?.setCount ?? self.rowCount }
}

/// Where the columns of a batch are read from: a block of a sealed segment, open rows, or memory.
///
/// Calls may come from several threads at once. A column that was read is the same at every call.
public protocol ColumnSource: AnyObject, Sendable {
    /// The names of the fields that at least one row has, in the order in which they were first seen.
    var fieldNames: [String] { get }

    /// The column of a field; `nil` when no row has it.
    func column(_ name: String) throws(DamagedBlock) -> Column?

    /// What is known of the texts of a field without reading them; `nil`: nothing.
    func traits(of name: String) -> TextTraits?

    /// Stored bytes that were read so far.
    var storedBytesRead: Int { get }
}

extension ColumnSource {
    public var storedBytesRead: Int { 0 }

    public func traits(of name: String) -> TextTraits? { nil }
}

/// Columns that are in memory already.
public final class MemoryColumns: ColumnSource {
    public let fieldNames: [String]
    private let columns: [String: Column]

    public init(_ columns: [(name: String, column: Column)]) {
        self.fieldNames = columns.map(\.name)
        self.columns = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.column) })
    }

    public func column(_ name: String) -> Column? { self.columns[name] }
}

/// Stored bytes that do not pass their check; the rows that they held are missing from the answer.
public struct DamagedBlock: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file or object, as an operator can find it.
    public let path: String
    /// Offset in bytes where the damage was noticed.
    public let offset: UInt64
    /// What was wrong: expected and found.
    public let reason: String

    public init(path: String, offset: UInt64, reason: String) {
        self.path = path
        self.offset = offset
        self.reason = reason
    }

    public var description: String { "\(self.path) is damaged at byte \(self.offset): \(self.reason)" }
}

extension [Int64] {
    /// Whether no number is less than the one before.
    public var isAscending: Bool {
        self.withUnsafeBufferPointer { numbers in
            var descents = 0
            for index in 1..<Swift.max(1, numbers.count) { descents |= numbers[index] < numbers[index - 1] ? 1 : 0 }
            return descents == 0
        }
    }
}
