internal import LeatCore

/// The elements of a flat array of fields, bound one after the other to a variable.
struct ArrayElements {
    let array: String
    let variable: String

    /// The rows in which element `index` is bound; `nil` when no row has it.
    func bound(_ index: Int, _ rows: EventRows, within selection: Bitmap) throws(QueryFailure) -> EventRows? {
        guard let column = try rows.column("\(self.array)[\(index)]") else { return nil }
        var present = column.presentRows
        present.formIntersection(selection)
        if present.isEmpty { return nil }
        var result = rows
        result.batch.set(self.variable, to: column)
        result.selection = present
        return result
    }
}

/// `array:reduceRow`: an aggregate over the elements of each event.
struct ReduceRowStage: InPlaceStage {
    let elements: ArrayElements
    let function: any AggregatePlan
    let target: String

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        let state = self.function.makeState(context)
        let groups = Groups(ofRow: (0..<UInt32(rows.rowCount)).map { $0 }, count: rows.rowCount)
        var left = rows.selection
        var index = 0
        while index < context.options.limits.arrayElements,
            let bound = try self.elements.bound(index, rows, within: left)
        {
            left = bound.selection
            try state.update(bound, groups)
            index += 1
        }
        guard index > 0, let first = try self.elements.bound(0, rows, within: rows.selection) else { return }
        let writer = RowWriter()
        var rowOfOutput: [Int32] = []
        for row in first.selection.rows {
            var isFirst = true
            try state.emit(Int(row), into: writer) { () throws(QueryFailure) in
                if isFirst {
                    writer.endRow()
                    rowOfOutput.append(row)
                }
                isFirst = false
            }
        }
        try self.write(writer, rowOfOutput, to: &rows)
    }

    /// Writes the only field of the aggregate as the target, or each of several below it.
    private func write(_ writer: RowWriter, _ rowOfOutput: [Int32], to rows: inout EventRows) throws(QueryFailure) {
        guard let batch = writer.finish().first else { return }
        let output = EventRows(batch, sequence: 0)
        for name in writer.columns {
            guard let column = try output.column(name) else { continue }
            var partial = PartialColumn()
            for (index, row) in rowOfOutput.enumerated() {
                if let value = column.bytes(at: index) { partial.set(value, at: Int(row)) }
            }
            let (strings, presence) = partial.finish(count: rows.rowCount)
            let values = Column.plain(PlainColumn(values: strings, presence: presence))
            let field = writer.columns.count == 1 ? self.target : "\(self.target).\(name)"
            try rows.write(values, to: field, at: rows.selection)
        }
    }

    func columns(after columns: [String]?) -> [String]? { nil }
}
