internal import LeatCore

/// A function of single events as a step: writes its outputs into the event.
struct RowFunctionStage: InPlaceStage {
    let function: any RowFunction
    let operands: [OperandProgram]

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        let selection = rows.selection
        let outputs = try RowFunctionCall.apply(self.function, self.operands, rows, within: selection, context)
        for removal in outputs.removed {
            var removed = removal.rows
            removed.formIntersection(selection)
            try rows.remove(removal.name, at: removed)
        }
        for (name, column) in zip(self.function.outputs, outputs.declared) {
            if let column { try self.write(column, to: name, of: &rows, at: selection) }
        }
        for other in outputs.others { try self.write(other.column, to: other.name, of: &rows, at: selection) }
    }

    private func write(
        _ column: Column,
        to name: String,
        of rows: inout EventRows,
        at selection: Bitmap
    ) throws(QueryFailure) {
        var target = selection
        if self.function.keepsExisting, let old = try rows.column(name) { target.subtract(old.presentRows) }
        try rows.write(column, to: name, at: target)
    }

    /// Whether fields may be written that nobody knows beforehand.
    var writesOtherNames: Bool { self.function.writesOtherNames }

    func columns(after columns: [String]?) -> [String]? {
        self.writesOtherNames ? nil : columns?.adding(self.function.outputs)
    }
}
