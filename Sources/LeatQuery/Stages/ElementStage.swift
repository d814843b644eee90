internal import LeatCore

/// `array:eval`, `array:filter`, `array:exists` and `objectArray:*`: a pipeline that runs for each element.
struct ElementStage: InPlaceStage {
    enum Purpose: Sendable {
        /// Keeps events of which an element passes.
        case exists
        /// Puts this field of the elements that pass into an array.
        case collect(field: String, array: String)
    }

    let array: String
    let variable: String
    let stages: [any Stage]
    let purpose: Purpose

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        switch self.purpose {
        case .exists: rows.selection = try self.eventsWithElement(rows, within: rows.selection, context)
        case .collect(let field, let array): try self.collect(field, into: array, &rows, context)
        }
    }

    /// The events among `selection` of which an element passes.
    func eventsWithElement(
        _ rows: EventRows,
        within selection: Bitmap,
        _ context: StageContext
    ) throws(QueryFailure) -> Bitmap {
        var source = rows
        source.selection = selection
        var found = Bitmap(repeating: false, count: rows.rowCount)
        for part in try ElementRows(of: source, array: self.array, as: self.variable).batches {
            guard let origin = part.lineage else { continue }
            for result in try self.stages.run(part, context) {
                result.selection.forEachSet { row in
                    found.set(Int(origin[result.lineage.map { Int($0[row]) } ?? row]))
                }
            }
        }
        return found
    }

    private func collect(
        _ field: String,
        into array: String,
        _ rows: inout EventRows,
        _ context: StageContext
    ) throws(QueryFailure) {
        var columns: [PartialColumn] = []
        var counts = [Int](repeating: 0, count: rows.rowCount)
        for part in try ElementRows(of: rows, array: self.array, as: self.variable).batches {
            guard let origin = part.lineage else { continue }
            for (event, value) in try self.values(of: field, part, origin, context) {
                let place = counts[event]
                counts[event] += 1
                if place == columns.count { columns.append(PartialColumn()) }
                columns[place].set(value, at: event)
            }
        }
        let selection = rows.selection
        for name in rows.fieldNames where Self.isElement(name, of: array) { try rows.remove(name, at: selection) }
        for (place, column) in columns.enumerated() {
            try rows.write(column.column(rowCount: rows.rowCount), to: "\(array)[\(place)]", at: selection)
        }
    }

    /// The values of a field after the pipeline, with the events of their elements, in the order of the elements.
    private func values(
        of field: String,
        _ part: EventRows,
        _ origin: [Int32],
        _ context: StageContext
    ) throws(QueryFailure) -> [(event: Int, value: [UInt8])] {
        var found: [(element: Int, value: [UInt8])] = []
        for result in try self.stages.run(part, context) {
            guard let column = try result.column(field) else { continue }
            result.selection.forEachSet { row in
                guard let value = column.bytes(at: row) else { return }
                found.append((result.lineage.map { Int($0[row]) } ?? row, value))
            }
        }
        return found.sorted { $0.element < $1.element }.map { (Int(origin[$0.element]), $0.value) }
    }

    private static func isElement(_ name: String, of array: String) -> Bool {
        name.hasPrefix(array) && name.dropFirst(array.count).first == "["
    }

    func columns(after columns: [String]?) -> [String]? {
        if case .exists = self.purpose { return columns }
        return nil
    }
}
