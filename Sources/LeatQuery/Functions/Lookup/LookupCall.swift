internal import LeatCore

/// A call of `match()` or `matchAsArray()` with its table.
struct LookupCall: Sendable {
    /// Events per event at most.

    let index: LookupIndex
    let fields: [String]
    /// The columns that are added, with the names of their fields.
    let included: [(column: Int, name: String)]
    let rowCount: Int
    let isStrict: Bool

    /// Reads the file of a call; an empty table when only the query is checked and there is none.
    init(_ call: BoundCall, _ context: FunctionContext) throws(CallProblem) {
        let fields = call.texts("field")
        let keys = call.isGiven("column") ? call.texts("column") : fields
        guard fields.count == keys.count else {
            throw call.problem("match() needs as many columns as fields", of: "column")
        }
        let table = try Self.table(call, keys: keys, context)
        var keyColumns: [Int] = []
        for name in keys {
            guard let column = table.columns.firstIndex(of: name) else {
                throw call.problem(
                    "'\(call.text("file") ?? "")' has no column '\(name)'",
                    of: call.isGiven("column") ? "column" : "field",
                    hint: "it has \(table.columns.joined(separator: ", "))"
                )
            }
            keyColumns.append(column)
        }
        self.fields = fields
        self.included = try Self.included(call, table, keyColumns, context)
        let mode =
            call.isTrue("glob") ? .glob : LookupIndex.Mode(rawValue: call.text("mode")?.lowercased() ?? "") ?? .string
        self.index = LookupIndex(table, keys: keyColumns, mode: mode, foldsCase: call.isTrue("ignoreCase"))
        self.rowCount = call.integer("nrows") ?? 1
        self.isStrict = call.text("strict")?.lowercased() != "false"
    }

    private static func table(
        _ call: BoundCall,
        keys: [String],
        _ context: FunctionContext
    ) throws(CallProblem) -> LookupTable {
        let name = call.text("file") ?? ""
        guard let bytes = context.lookupFiles?.lookupFile(name) else {
            let names = keys + call.texts("include").filter { !keys.contains($0) }
            if context.isCheckOnly { return LookupTable(columns: names, rows: []) }
            throw call.problem("there is no lookup file '\(name)'", of: "file")
        }
        guard let table = LookupTable(bytes, keyColumn: keys.first ?? "key") else {
            throw call.problem("the lookup file '\(name)' is neither CSV nor JSON", of: "file")
        }
        return table
    }

    private static func included(
        _ call: BoundCall,
        _ table: LookupTable,
        _ keyColumns: [Int],
        _ context: FunctionContext
    ) throws(CallProblem) -> [(column: Int, name: String)] {
        let names = call.texts("include")
        if names.isEmpty || names == ["*"] || names == ["all"] && !table.columns.contains("all") {
            return table.columns.indices.filter { !keyColumns.contains($0) }.map { ($0, table.columns[$0]) }
        }
        var result: [(column: Int, name: String)] = []
        for name in names {
            guard let column = table.columns.firstIndex(of: name) else {
                throw call.problem(
                    "'\(call.text("file") ?? "")' has no column '\(name)'",
                    of: "include",
                    hint: "it has \(table.columns.joined(separator: ", "))"
                )
            }
            result.append((column, name))
        }
        return result
    }
}

extension RowFunctions {
    /// `match()` where it only decides whether an event stays, and `matchAsArray()`.
    static let lookupMakers: [String: Maker] = [
        "match": { call, context throws(CallProblem) in
            let lookup = try LookupCall(call, context)
            let fields = lookup.fields
            return .predicate(
                ValuePredicate(fields.map { .field($0) }) { inputs in
                    !lookup.isStrict || !lookup.index.find(fields.indices.map { inputs[$0] }, limit: 1).isEmpty
                }
            )
        }
    ]
}
