/// See `Column.prefixed`.
public struct PrefixedColumn: Sendable {
    /// What all texts begin with.
    public let prefix: ByteSlice
    /// What follows in each row.
    public let rest: Column

    public init(prefix: ByteSlice, rest: Column) {
        self.prefix = prefix
        self.rest = rest
    }
}

/// See `Column.reference`.
public struct ReferenceColumn: Sendable {
    /// The column that has the texts.
    public let target: Column
    /// Per row the row of the target; `nil` when it is the same.
    public let rows: [Int32]?
    /// Bytes at the beginning of the target's texts that are not part of the texts here.
    public let droppedByteCount: Int
    public let rowCount: Int
    public let presence: Bitmap?
    /// Bytes that the texts of the rows with a slot take at most, if the column, in a slot of a template, has a place for
    /// each row of the templates and not only for those with the slot, so that no list of rows is needed; `nil` if not.
    public let byRowByteCountBound: Int?

    /// See `byRowByteCountBound`.
    @inline(__always)
    var isByRow: Bool { self.byRowByteCountBound != nil }

    /// A reference to rows that have a text of at least `droppedByteCount` bytes in `target`.
    public init(
        target: Column,
        rows: [Int32]? = nil,
        droppedByteCount: Int = 0,
        rowCount: Int,
        presence: Bitmap? = nil,
        byRowByteCountBound: Int? = nil
    ) {
        self.target = target
        self.rows = rows
        self.droppedByteCount = droppedByteCount
        self.rowCount = rowCount
        self.presence = presence
        self.byRowByteCountBound = byRowByteCountBound
    }

    func with(presence: Bitmap?) -> ReferenceColumn {
        ReferenceColumn(
            target: self.target,
            rows: self.rows,
            droppedByteCount: self.droppedByteCount,
            rowCount: self.rowCount,
            presence: presence,
            byRowByteCountBound: self.byRowByteCountBound
        )
    }

    /// The row of the target in which the text of a row is.
    @inline(__always)
    public func row(_ row: Int) -> Int { self.rows.map { Int($0[row]) } ?? row }

    var traits: TextTraits {
        let traits = self.target.traits
        let least = max(0, traits.lengths.lowerBound - self.droppedByteCount)
        return TextTraits(
            bytes: traits.bytes,
            lengths: least...max(least, traits.lengths.upperBound - self.droppedByteCount)
        )
    }
}
