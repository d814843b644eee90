internal import LeatCore

/// `x := expression` and everything that computes one value: writes it where there is one.
struct AssignStage: InPlaceStage {
    let target: String
    let value: ExpressionProgram
    /// Whether only rows that lack the field are written (`default`), and whether an empty value counts as lacking.
    var onlyMissing = false
    var replacesEmpty = false

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        var selection = rows.selection
        if self.onlyMissing { selection = try self.missing(rows, within: selection) }
        guard !selection.isEmpty else { return }
        let values = try self.value.evaluate(rows, within: selection, context)
        guard let column = values.column(rowCount: rows.rowCount) else { return }
        try rows.write(column, to: self.target, at: selection)
    }

    private func missing(_ rows: EventRows, within selection: Bitmap) throws(QueryFailure) -> Bitmap {
        guard let column = try rows.column(self.target) else { return selection }
        return Bitmap(within: selection, count: rows.rowCount) { row in
            !column.isPresent(at: row) || self.replacesEmpty && column.withBytes(at: row) { $0.isEmpty }
        }
    }

    func columns(after columns: [String]?) -> [String]? { columns?.adding([self.target]) }
}

extension EventRows {
    /// Gives a field new values at those rows of `selection` where the column has one.
    mutating func write(_ column: Column, to name: String, at selection: Bitmap) throws(QueryFailure) {
        var written = selection
        if let presence = column.presence { written.formIntersection(presence) }
        guard !written.isEmpty else { return }
        let isWhole = written == self.selection
        let old = isWhole ? nil : try self.column(name)
        let merged = isWhole ? column : Column.merged(old: old, new: column, where: written)
        if let merged { self.batch.set(name, to: merged) }
    }

    /// Takes a field away at some rows.
    mutating func remove(_ name: String, at rows: Bitmap) throws(QueryFailure) {
        guard let column = try self.column(name) else { return }
        var kept = rows
        kept.invert()
        self.batch.set(name, to: column.restricted(to: kept))
    }
}
