internal import LeatCore

/// `setField` and the legacy `` `name` := value ``: writes to the field that an expression names.
struct SetFieldStage: InPlaceStage {
    let target: ExpressionProgram
    let value: ExpressionProgram

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        let selection = rows.selection
        let targets = try self.target.evaluate(rows, within: selection, context).column(rowCount: rows.rowCount)
        let values = try self.value.evaluate(rows, within: selection, context).column(rowCount: rows.rowCount)
        guard let targets, let values else { return }
        var rowsOfName: [[UInt8]: Bitmap] = [:]
        let empty = Bitmap(repeating: false, count: rows.rowCount)
        selection.forEachSet { row in
            if let name = targets.bytes(at: row) { rowsOfName[name, default: empty].set(row) }
        }
        for (name, named) in rowsOfName {
            try rows.write(values, to: String(decoding: name, as: UTF8.self), at: named)
        }
    }

    func columns(after columns: [String]?) -> [String]? { nil }
}
