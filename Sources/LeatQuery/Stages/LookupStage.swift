internal import LeatCore

/// `match()` and `matchAsArray()` as a step: adds the columns of the rows that fit, and drops events without one unless
/// told otherwise.
struct LookupStage: Stage {
    let lookup: LookupCall
    /// The array into which `matchAsArray()` puts its rows.
    var array: String?

    func columns(after columns: [String]?) -> [String]? {
        self.array == nil ? columns?.adding(self.lookup.included.map(\.name)) : nil
    }

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        var columns: [Column?] = []
        for field in self.lookup.fields { columns.append(try rows.column(field)?.addressable) }
        let domain = RowDomain(columns: columns, selection: rows.selection)
        var found: [[Int]] = []
        found.reserveCapacity(domain.rows.count)
        for row in domain.rows {
            if found.count & 0xFFF == 0 { try context.check() }
            let values = columns.map { $0?.pointer(at: Int(row)) }
            found.append(self.lookup.index.find(values, limit: self.lookup.rowCount))
        }
        if self.array == nil && self.lookup.rowCount > 1 { return try self.multiplied(rows, domain, found) }
        return [try self.enriched(rows, domain, found)]
    }

    /// Adds the columns in place.
    private func enriched(_ rows: EventRows, _ domain: RowDomain, _ found: [[Int]]) throws(QueryFailure) -> EventRows {
        var result = rows
        if self.lookup.isStrict {
            result.selection = Bitmap(within: rows.selection, count: rows.rowCount) {
                !found[domain.index(of: $0)].isEmpty
            }
        }
        let table = self.lookup.index.table
        for place in 0..<(found.map(\.count).max() ?? 0) {
            for (column, name) in self.lookup.included {
                var values = PartialColumn()
                for index in found.indices where place < found[index].count {
                    values.set(table.value(found[index][place], column), at: index)
                }
                let target = self.array.map { "\($0)[\(place)].\(name)" } ?? name
                try result.write(domain.expanded(values, rowCount: rows.rowCount), to: target, at: result.selection)
            }
        }
        return result
    }

    /// One event per row that fits.
    private func multiplied(
        _ rows: EventRows,
        _ domain: RowDomain,
        _ found: [[Int]]
    ) throws(QueryFailure) -> [EventRows] {
        var picked: [Int32] = []
        var tableRows: [Int?] = []
        for row in rows.selection.rows {
            let matches = found[domain.index(of: Int(row))]
            if matches.isEmpty && !self.lookup.isStrict {
                picked.append(row)
                tableRows.append(nil)
            }
            for match in matches {
                picked.append(row)
                tableRows.append(match)
            }
        }
        let table = self.lookup.index.table
        var start = 0
        var result: [EventRows] = []
        for var part in rows.pickedBatches(picked) {
            for (column, name) in self.lookup.included {
                var values = PartialColumn()
                for row in 0..<part.rowCount {
                    if let match = tableRows[start + row] { values.set(table.value(match, column), at: row) }
                }
                try part.write(values.column(rowCount: part.rowCount), to: name, at: part.selection)
            }
            start += part.rowCount
            result.append(part)
        }
        return result
    }
}

extension PartialColumn {
    /// The values as a column.
    func column(rowCount: Int) -> Column {
        var values = self
        let (strings, presence) = values.finish(count: rowCount)
        return .plain(PlainColumn(values: strings, presence: presence))
    }
}
