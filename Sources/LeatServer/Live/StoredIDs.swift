internal import LeatCore

/// The `@id`s that storage gives to rows: numbers that grow with every row of a repository.
enum StoredIDs {
    /// The largest id in a batch; `nil` when it has none.
    static func largest(of batch: Batch) throws(DamagedBlock) -> Int64? {
        guard case .integer(let column) = try batch.column("@id") else { return nil }
        return column.values.max()
    }

    /// The id of a row; -1 when it has none.
    static func id(of batch: Batch, row: Int) throws(DamagedBlock) -> Int64 {
        guard case .integer(let column) = try batch.column("@id"), column.presence?[row] ?? true else { return -1 }
        return column.values[row]
    }

    /// The rows whose id is larger than `id`; `nil` when there are none.
    static func rows(of batch: Batch, after id: Int64) -> Batch? {
        let column: Column?
        do {
            column = try batch.column("@id")
        } catch {
            preconditionFailure("a batch in memory is damaged: \(error)")
        }
        guard case .integer(let ids) = column else { return batch }
        var rows = Bitmap(repeating: false, count: batch.rowCount)
        for (row, value) in ids.values.enumerated() where value > id { rows.set(row) }
        if rows.isEmpty { return nil }
        var rest = batch
        if !rows.isFull { rest.selection = rows }
        return rest
    }
}
