internal import LeatCore

/// `case` and `match`: each row continues as the first branch that lets it pass has changed it; others are dropped.
struct BranchStage: Stage {
    let branches: [[any Stage]]

    /// What a branch made of the rows that it let pass, in their old places.
    private struct Part {
        let rows: Bitmap
        let result: EventRows
    }

    /// Those of all branches; `nil` when a branch does not know its own.
    func columns(after columns: [String]?) -> [String]? {
        var result: [String] = []
        for branch in self.branches {
            guard let own = branch.reduce(columns, { $1.columns(after: $0) }) else { return nil }
            result = result.adding(own)
        }
        return result
    }

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        var left = rows.selection
        var parts: [Part] = []
        var multiplied: [EventRows] = []
        for branch in self.branches where !left.isEmpty {
            var attempt = rows
            attempt.selection = left
            for var result in try branch.run(attempt, context) {
                guard let lineage = result.lineage else {
                    result.lineage = rows.lineage
                    parts.append(Part(rows: result.selection, result: result))
                    left.subtract(result.selection)
                    continue
                }
                result.selection.forEachSet { left.set(Int(lineage[$0]), to: false) }
                result.lineage = lineage.map { row in rows.lineage.map { $0[Int(row)] } ?? row }
                multiplied.append(result)
            }
        }
        if parts.count == 1 { return [parts[0].result] + multiplied }
        return [try Self.joined(rows, parts)] + multiplied
    }

    /// The rows of all branches in their old places, each with the fields of its branch.
    private static func joined(_ rows: EventRows, _ parts: [Part]) throws(QueryFailure) -> EventRows {
        var result = rows
        var selection = Bitmap(repeating: false, count: rows.rowCount)
        for part in parts { selection.formUnion(part.rows) }
        for name in Self.changedNames(rows, parts.map(\.result)) {
            var merged: Column?
            for part in parts {
                let column = try part.result.column(name)
                if merged == nil && column == nil { continue }
                merged = Column.merged(old: merged, new: column, where: part.rows)
            }
            if let merged { result.batch.set(name, to: merged) } else { result.batch.drop(name) }
        }
        result.selection = selection
        return result
    }

    /// Fields that are not surely the same in every branch as before.
    private static func changedNames(_ rows: EventRows, _ results: [EventRows]) -> [String] {
        let isReplaced = results.contains { !$0.batch.hasSource(of: rows.batch) }
        var seen: Set<String> = []
        var names: [String] = []
        for name in rows.fieldNames + results.flatMap(\.fieldNames) where seen.insert(name).inserted {
            if isReplaced || results.contains(where: { $0.batch.isChanged(name) }) { names.append(name) }
        }
        return names
    }
}
