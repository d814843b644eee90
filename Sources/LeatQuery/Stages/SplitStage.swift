internal import LeatCore

/// `split()`: one event per element of an array; events without the array stay as they are.
struct SplitStage: Stage {
    let array: String
    /// Whether members of objects lose the name of the array: `x` instead of `array.x`.
    let strips: Bool

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        let elements = try ElementRows(of: rows, array: self.array, as: self.array)
        var result: [EventRows] = []
        var start = 0
        var split = Bitmap(repeating: false, count: rows.rowCount)
        for var part in elements.batches {
            part.lineage?.forEach { split.set(Int($0)) }
            part.lineage = part.lineage.map { lineage in
                lineage.map { row in rows.lineage.map { $0[Int(row)] } ?? row }
            }
            for name in part.fieldNames where name.hasPrefix(self.array + "[") { part.batch.drop(name) }
            let indexes = elements.indexes[start..<start + part.rowCount].map { Int64($0) }
            part.batch.set("_index", to: .integer(IntegerColumn(values: indexes)))
            if self.strips { try self.strip(&part) }
            start += part.rowCount
            result.append(part)
        }
        var others = rows
        others.selection.subtract(split)
        return others.isEmpty ? result : result + [others]
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
