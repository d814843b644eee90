internal import LeatCore

/// `array:eval`, `array:filter`, `array:exists` and `objectArray:*`: a pipeline that runs for each element.
struct ElementStage: InPlaceStage {
    enum Purpose: Sendable {
        /// Keeps events of which an element passes.
        case exists
        /// Puts this field of the elements that pass into an array; with `members` also what lies below it.
        case collect(field: String, array: String, members: Bool)
    }

    let array: String
    let variable: String
    let stages: [any Stage]
    let purpose: Purpose

    func apply(_ rows: inout EventRows, _ context: StageContext) throws(QueryFailure) {
        switch self.purpose {
        case .exists: rows.selection = try self.eventsWithElement(rows, within: rows.selection, context)
        case .collect(let field, let array, let members):
            try self.collect(field, into: array, members: members, &rows, context)
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
        members: Bool,
        _ rows: inout EventRows,
        _ context: StageContext
    ) throws(QueryFailure) {
        var columns = NamedColumns()
        var counts = [Int](repeating: 0, count: rows.rowCount)
        for part in try ElementRows(of: rows, array: self.array, as: self.variable).batches {
            guard let origin = part.lineage else { continue }
            for (element, values) in try self.outcomes(of: field, members: members, part, context) {
                let event = Int(origin[element])
                for (rest, value) in values { columns.set("\(array)[\(counts[event])]\(rest)", value, at: event) }
                counts[event] += 1
            }
        }
        let selection = rows.selection
        for name in rows.fieldNames where Self.isElement(name, of: array) { try rows.remove(name, at: selection) }
        for (name, column) in columns.columns {
            try rows.write(column.column(rowCount: rows.rowCount), to: name, at: selection)
        }
    }

    /// What follows the field in a name, with the value of the field of that name.
    private typealias Outcome = [(rest: String, value: [UInt8])]

    /// The values that the pipeline leaves in a field of the elements that pass, in the order of the elements.
    private func outcomes(
        of field: String,
        members: Bool,
        _ part: EventRows,
        _ context: StageContext
    ) throws(QueryFailure) -> [(element: Int, values: Outcome)] {
        var found: [Int: Outcome] = [:]
        for result in try self.stages.run(part, context) {
            for name in members ? result.fieldNames : [field] where Self.isPart(name, of: field) {
                guard let column = try result.column(name) else { continue }
                let rest = String(name.dropFirst(field.count))
                result.selection.forEachSet { row in
                    guard let value = column.bytes(at: row) else { return }
                    found[result.lineage.map { Int($0[row]) } ?? row, default: []].append((rest, value))
                }
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Whether a name is that of a field, of a member of its object or of an element of its array.
    private static func isPart(_ name: String, of field: String) -> Bool {
        guard name.hasPrefix(field) else { return false }
        let next = name.utf8.dropFirst(field.utf8.count).first
        return next == nil || next == UInt8(ascii: ".") || next == UInt8(ascii: "[")
    }

    private static func isElement(_ name: String, of array: String) -> Bool {
        name.hasPrefix(array) && name.dropFirst(array.count).first == "["
    }

    func columns(after columns: [String]?) -> [String]? {
        if case .exists = self.purpose { return columns }
        return nil
    }
}
