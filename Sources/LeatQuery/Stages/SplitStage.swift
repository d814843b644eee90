internal import LeatCore

/// `split()`: one event per element of an array; events without the array stay as they are.
struct SplitStage: Stage {
    let array: String
    /// Whether members of objects lose the name of the array: `x` instead of `array.x`.
    let strips: Bool

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        let elements = try ElementRows(of: rows, array: self.array, as: self.array, dropsArray: true)
        var result: [EventRows] = []
        var start = 0
        var split = Bitmap(repeating: false, count: rows.rowCount)
        for var part in elements.batches {
            part.lineage?.forEach { split.set(Int($0)) }
            part.lineage = part.lineage.map { lineage in
                lineage.map { row in rows.lineage.map { $0[Int(row)] } ?? row }
            }
            let indexes = elements.indexes[start..<start + part.rowCount]
            part.batch.set("_index", to: .integer(IntegerColumn(values: indexes.map { Int64($0) })))
            try self.number(&part, indexes)
            if self.strips { try self.strip(&part) }
            start += part.rowCount
            result.append(part)
        }
        var others = rows
        others.selection.subtract(split)
        return others.isEmpty ? result : result + [others]
    }

    /// Appends the index of the element to the id of the event, so that the parts remain distinct.
    private func number(_ part: inout EventRows, _ indexes: ArraySlice<Int>) throws(QueryFailure) {
        guard let ids = try part.column("@id") else { return }
        var numbered = PartialColumn()
        for (row, index) in indexes.enumerated() {
            guard let id = ids.bytes(at: row) else { continue }
            numbered.set(id + Array("__\(index)".utf8), at: row)
        }
        try part.write(numbered.column(rowCount: part.rowCount), to: "@id", at: part.selection)
    }

    private func strip(_ part: inout EventRows) throws(QueryFailure) {
        for name in part.fieldNames where name.hasPrefix(self.array + ".") {
            guard let column = try part.column(name) else { continue }
            try part.write(column, to: String(name.dropFirst(self.array.count + 1)), at: part.selection)
            part.batch.drop(name)
        }
    }

    func columns(after columns: [String]?) -> [String]? { nil }
}
