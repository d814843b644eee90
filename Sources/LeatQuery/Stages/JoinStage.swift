internal import LeatCore

/// `match` and `join`: rows of a table are looked up by the values of fields, and their columns added.
struct JoinStage: Stage {
    enum Mode: String, Sendable {
        case string, cidr, glob
    }

    let source: TableSource
    /// Fields of the event, and the columns that they must equal.
    let fields: [String]
    let keys: [String]
    /// Columns that are added; `nil`: all but the keys.
    let include: [String]?
    var mode = Mode.string
    var foldsCase = false
    /// Whether events without a row go.
    var isStrict = true
    /// How many rows an event may match, each giving an event.
    var rowLimit = 1
    /// Of several rows whether the last comes first.
    var prefersLast = true
    /// Whether included columns that a row lacks are written as empty (`join`).
    var fillsMissing = false
    /// The array that gets the rows, as `array[n].column`; `nil`: each row gives an event.
    var array: String?

    func columns(after columns: [String]?) -> [String]? { nil }

    func run(_ rows: EventRows, _ context: StageContext) throws(QueryFailure) -> [EventRows] {
        let table = try context.table(self.source)
        let index = try context.index(self.source, keys: self.keys, foldsCase: self.foldsCase)
        let (rowsOfEvent, domain) = try self.matches(rows, table, index, context)
        let selection = rows.selection
        if self.rowLimit == 1 || self.array != nil {
            var result = rows
            if self.isStrict {
                result.selection = Bitmap(within: selection, count: rows.rowCount) {
                    !rowsOfEvent[domain.index(of: $0)].isEmpty
                }
            }
            try self.write(table, rowsOfEvent, domain, to: &result)
            return [result]
        }
        return try self.multiplied(rows, table, rowsOfEvent, domain)
    }

    /// Per combination of values the rows of the table that it matches, at most `rowLimit`.
    private func matches(
        _ rows: EventRows,
        _ table: JoinTable,
        _ index: JoinIndex,
        _ context: StageContext
    ) throws(QueryFailure) -> (rows: [[Int]], domain: RowDomain) {
        var columns: [Column?] = []
        for field in self.fields { columns.append(try rows.column(field)?.addressable) }
        let domain = RowDomain(columns: columns, selection: rows.selection)
        var result: [[Int]] = []
        result.reserveCapacity(domain.rows.count)
        for row in domain.rows {
            if result.count & 0xFFF == 0 { try context.check() }
            var values: [[UInt8]] = []
            for column in columns {
                if let value = column?.bytes(at: Int(row)) { values.append(value) }
            }
            guard values.count == self.fields.count else {
                result.append([])
                continue
            }
            let found: [Int] =
                switch self.mode {
                case .string: index.rows(values, foldsCase: self.foldsCase)
                case .cidr: index.networks(holding: values[0])
                case .glob: index.globs(matching: values[0], foldsCase: self.foldsCase)
                }
            let ordered = self.prefersLast && self.mode != .cidr ? found.reversed() : found
            result.append(Array(ordered.prefix(self.rowLimit)))
        }
        return (result, domain)
    }

    /// The columns that are added, with their numbers.
    private func added(_ table: JoinTable) -> [(name: String, index: Int?)] {
        guard let include = self.include else {
            return table.columns.enumerated().filter { !self.keys.contains($0.element) }.map { ($0.element, $0.offset) }
        }
        return include.map { ($0, table.index(of: $0)) }
    }

    private func write(
        _ table: JoinTable,
        _ rowsOfEvent: [[Int]],
        _ domain: RowDomain,
        to rows: inout EventRows
    ) throws(QueryFailure) {
        for (name, column) in self.added(table) {
            let depth = self.array == nil ? 1 : rowsOfEvent.map(\.count).max() ?? 0
            for place in 0..<depth {
                var values = PartialColumn()
                for (index, found) in rowsOfEvent.enumerated() where place < found.count {
                    let value = column.flatMap { table.rows[found[place]][$0] }
                    if let value = value ?? (self.fillsMissing ? [] : nil) { values.set(value, at: index) }
                }
                guard !values.isEmpty else { continue }
                let target = self.array.map { "\($0)[\(place)].\(name)" } ?? name
                try rows.write(domain.expanded(values, rowCount: rows.rowCount), to: target, at: rows.selection)
            }
        }
    }

    /// An event per matching row.
    private func multiplied(
        _ rows: EventRows,
        _ table: JoinTable,
        _ rowsOfEvent: [[Int]],
        _ domain: RowDomain
    ) throws(QueryFailure) -> [EventRows] {
        var picked: [Int32] = []
        var matched: [Int?] = []
        rows.selection.forEachSet { row in
            let found = rowsOfEvent[domain.index(of: row)]
            for one in found {
                picked.append(Int32(row))
                matched.append(one)
            }
            if found.isEmpty && !self.isStrict {
                picked.append(Int32(row))
                matched.append(nil)
            }
        }
        var start = 0
        var result: [EventRows] = []
        for var part in rows.pickedBatches(picked) {
            for (name, column) in self.added(table) {
                var values = PartialColumn()
                for row in 0..<part.rowCount {
                    guard let found = matched[start + row] else { continue }
                    let value = column.flatMap { table.rows[found][$0] }
                    if let value = value ?? (self.fillsMissing ? [] : nil) { values.set(value, at: row) }
                }
                guard !values.isEmpty else { continue }
                let (strings, presence) = values.finish(count: part.rowCount)
                try part.write(.plain(PlainColumn(values: strings, presence: presence)), to: name, at: part.selection)
            }
            start += part.rowCount
            result.append(part)
        }
        return result
    }
}
