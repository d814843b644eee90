internal import LeatCore

/// The elements of an array, each as a row of its own.
struct ElementRows {
    /// The rows, in order of their events and elements; their lineage says from which rows they come.
    var batches: [EventRows] = []
    /// Per row of all batches the index of its element.
    private(set) var indexes: [Int] = []

    /// - Parameters:
    ///   - rows: The events.
    ///   - array: The name of the array, without `[]`.
    ///   - variable: The field that is the element; members of an object are fields below it.
    ///   - dropsArray: Whether the rows lack the array itself.
    /// - Throws: `QueryFailure` when a column of the events is damaged.
    init(of rows: EventRows, array: String, as variable: String, dropsArray: Bool = false) throws(QueryFailure) {
        let fields = try Self.fields(of: array, rows)
        let lengths = Self.lengths(fields, rowCount: rows.rowCount)
        var picked: [Int32] = []
        for row in rows.selection.rows {
            for index in 0..<lengths[Int(row)] {
                picked.append(row)
                self.indexes.append(index)
            }
        }
        // Rows of the events as they are here: the lineage of these does not matter to their elements.
        var base = rows
        base.lineage = nil
        if dropsArray { for name in base.fieldNames where name.hasPrefix(array + "[") { base.batch.drop(name) } }
        var start = 0
        for var part in base.pickedBatches(picked) {
            try self.writeElements(of: fields, to: &part, picked[start..<start + part.rowCount], start, variable)
            start += part.rowCount
            self.batches.append(part)
        }
    }

    /// A field of the array: the index of its element and what follows that in its name.
    private struct Field {
        let index: Int
        let rest: String
        let column: Column
    }

    private static func fields(of array: String, _ rows: EventRows) throws(QueryFailure) -> [Field] {
        var fields: [Field] = []
        for name in rows.fieldNames where name.hasPrefix(array) {
            let suffix = name.dropFirst(array.count)
            guard suffix.first == "[", let close = suffix.firstIndex(of: "]"),
                let index = Int(suffix[suffix.startIndex..<close].dropFirst()), index >= 0, index < Batch.rowCountMax
            else { continue }
            guard let column = try rows.column(name) else { continue }
            let rest = String(suffix[close...].dropFirst())
            fields.append(Field(index: index, rest: rest, column: column))
        }
        return fields
    }

    /// Per row the number of elements before the first hole.
    private static func lengths(_ fields: [Field], rowCount: Int) -> [Int] {
        var lengths = [Int](repeating: 0, count: rowCount)
        for index in 0...(fields.map(\.index).max() ?? 0) {
            let columns = fields.filter { $0.index == index }.map(\.column)
            for row in 0..<rowCount where lengths[row] == index {
                if columns.contains(where: { $0.isPresent(at: row) }) { lengths[row] = index + 1 }
            }
        }
        return lengths
    }

    private func writeElements(
        of fields: [Field],
        to part: inout EventRows,
        _ picked: ArraySlice<Int32>,
        _ start: Int,
        _ variable: String
    ) throws(QueryFailure) {
        var byRest: [(rest: String, columns: [Int: Column])] = []
        for field in fields {
            if let known = byRest.firstIndex(where: { $0.rest == field.rest }) {
                byRest[known].columns[field.index] = field.column
            } else {
                byRest.append((field.rest, [field.index: field.column]))
            }
        }
        // The event may have a field of the variable's name, which is not the element.
        for name in part.fieldNames where name == variable { part.batch.drop(name) }
        for (rest, columns) in byRest {
            var values = PartialColumn()
            for (row, source) in picked.enumerated() {
                guard let column = columns[self.indexes[start + row]], let value = column.bytes(at: Int(source)) else {
                    continue
                }
                values.set(value, at: row)
            }
            if !values.isEmpty {
                try part.write(values.column(rowCount: part.rowCount), to: variable + rest, at: part.selection)
            }
        }
    }
}
