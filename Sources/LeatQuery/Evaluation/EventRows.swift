internal import LeatCore

/// A batch on its way through the stages, with what the batch alone does not know: the events as they were stored,
/// and the order in which they arrived.
struct EventRows: Sendable {
    /// The rows with everything that stages have changed; its selection says which rows are left.
    var batch: Batch

    /// The rows as they came: what free text searches.
    let stored: Batch

    /// Where the rows stand among all rows.
    let arrival: Arrival

    /// Whether the rows are events, which have `@timestamp` without a column for it, or rows of an aggregate.
    var areEvents: Bool

    /// Per row the row that it comes from in the batch that entered the current list of stages; `nil`: the same row.
    var lineage: [Int32]?

    /// How rows compare in age when their times are equal: the larger arrived later.
    enum Arrival: Sendable {
        /// All rows of one batch in their order.
        case sequence(Int)
        /// Rows that were picked from, or made of, those of another batch.
        case rows([UInt64])
    }

    /// The rows of a stored batch; of two batches the one with the higher `sequence` arrived later.
    init(_ batch: Batch, sequence: Int) {
        // Documents without a text of their own get it from their fields, if somebody asks for it.
        let batch = batch.showingDocumentText()
        self.batch = batch
        self.stored = batch
        self.arrival = .sequence(sequence)
        self.areEvents = true
    }

    private init(batch: Batch, stored: Batch, arrival: Arrival, areEvents: Bool) {
        self.batch = batch
        self.stored = stored
        self.arrival = arrival
        self.areEvents = areEvents
    }

    var rowCount: Int { self.batch.rowCount }

    /// The rows that are left.
    var selection: Bitmap {
        get { self.batch.selection ?? Bitmap(repeating: true, count: self.batch.rowCount) }
        set { self.batch.selection = newValue }
    }

    /// Whether later rows are not older: the rows of one stored batch whose times ascend.
    var isInOrderOfTime: Bool {
        guard case .sequence = self.arrival else { return false }
        return self.batch.areTimesAscending ?? self.batch.timestamps.isAscending
    }

    var isEmpty: Bool { self.batch.selection?.isEmpty ?? (self.batch.rowCount == 0) }

    /// Keeps only rows of `rows`.
    mutating func narrow(to rows: Bitmap) {
        if var selection = self.batch.selection {
            selection.formIntersection(rows)
            self.batch.selection = selection
        } else {
            self.batch.selection = rows
        }
    }

    /// 24 bits for the batch, 16 for the row, 24 for the parts of one row, of which the first is the newest.
    func arrivalKey(_ row: Int) -> UInt64 {
        switch self.arrival {
        case .sequence(let sequence): UInt64(sequence) << 40 | UInt64(row) << 24 | 0xFF_FFFF
        case .rows(let keys): keys[row]
        }
    }

    /// The column of a field; the time of an event is made from the batch's timestamps.
    func column(_ name: String) throws(QueryFailure) -> Column? {
        do throws(DamagedBlock) {
            if let column = try self.batch.column(name) { return column }
        } catch {
            throw .damaged(error.description)
        }
        guard self.areEvents, name.hasPrefix("@timestamp"), !self.batch.isChanged(name) else { return nil }
        if name == "@timestamp" { return Self.milliseconds(self.batch.timestamps) }
        return name == "@timestamp.nanos" ? Self.nanoseconds(self.batch.timestamps) : nil
    }

    /// The names of all fields that a row may have, the time first.
    var fieldNames: [String] {
        let names = self.batch.fieldNames
        guard self.areEvents, !self.batch.isChanged("@timestamp"), !names.contains("@timestamp") else { return names }
        return ["@timestamp"] + names
    }

    private static func milliseconds(_ timestamps: [Int64]) -> Column {
        .integer(IntegerColumn(values: timestamps.map { Timestamp(nanoseconds: $0).milliseconds }))
    }

    private static func nanoseconds(_ timestamps: [Int64]) -> Column {
        .integer(
            IntegerColumn(values: timestamps.map { $0 - Timestamp(nanoseconds: $0).milliseconds * 1_000_000 })
        )
    }

    /// As `picked`, in as many batches as it takes.
    func pickedBatches(_ rows: [Int32]) -> [EventRows] {
        stride(from: 0, to: rows.count, by: Batch.rowCountMax).map { start in
            self.picked(Array(rows[start..<min(start + Batch.rowCountMax, rows.count)]))
        }
    }

    /// The rows at `rows`, in that order, possibly repeated; of a row's repetitions the first counts as the newest.
    func picked(_ rows: [Int32]) -> EventRows {
        var keys: [UInt64] = []
        keys.reserveCapacity(rows.count)
        var part: UInt64 = 0
        for index in rows.indices {
            part = index > 0 && rows[index] == rows[index - 1] ? part + 1 : 0
            keys.append(self.arrivalKey(Int(rows[index])) - part)
        }
        var result = EventRows(
            batch: Self.pick(rows, from: self.batch),
            stored: Self.pick(rows, from: self.stored),
            arrival: .rows(keys),
            areEvents: self.areEvents
        )
        result.lineage = rows.map { row in self.lineage.map { $0[Int(row)] } ?? row }
        return result
    }

    private static func pick(_ rows: [Int32], from batch: Batch) -> Batch {
        var base = batch
        base.selection = nil
        return Batch(
            timestamps: rows.map { batch.timestamps[Int($0)] },
            source: PickedColumns(of: base, rows: rows)
        )
    }

    /// Only the fields `names`, in that order; rows keep their place, selection and stored form.
    func projected(to names: [String]) throws(QueryFailure) -> EventRows {
        var columns: [(name: String, column: Column)] = []
        for name in names where !columns.contains(where: { $0.name == name }) {
            if let column = try self.column(name) { columns.append((name, column)) }
        }
        var batch = Batch(timestamps: self.batch.timestamps, source: MemoryColumns(columns))
        batch.selection = self.batch.selection
        var result = EventRows(batch: batch, stored: self.stored, arrival: self.arrival, areEvents: false)
        result.lineage = self.lineage
        return result
    }

    /// Rows of an aggregate: they stand in their order, the first counts as the newest.
    static func ordered(_ batch: Batch, sequence: Int) -> EventRows {
        let end = UInt64.max - UInt64(sequence) * UInt64(Batch.rowCountMax)
        let keys = (0..<batch.rowCount).map { end - UInt64($0) }
        return EventRows(batch: batch, stored: batch, arrival: .rows(keys), areEvents: false)
    }

    /// A copy of some rows with the fields `names` (or all), which needs the batch no more.
    func materialized(_ rows: [Int32], names: [String]?) throws(QueryFailure) -> EventRows {
        var columns: [(name: String, column: Column)] = []
        for name in names ?? self.fieldNames {
            if let column = try self.column(name) { columns.append((name, column.gathered(rows))) }
        }
        let batch = Batch(timestamps: rows.map { self.batch.timestamps[Int($0)] }, source: MemoryColumns(columns))
        return EventRows(
            batch: batch,
            stored: batch,
            arrival: .rows(rows.map { self.arrivalKey(Int($0)) }),
            areEvents: self.areEvents
        )
    }
}
