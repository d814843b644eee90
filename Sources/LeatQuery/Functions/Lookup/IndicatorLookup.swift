internal import LeatCore

/// `ioc:lookup()`: looks values up in the lookup file `ioc.csv`.
///
/// The file has the column `indicator`; `type` (`ip_address`, `domain`, `url`) and `confidence` (`low`, `medium`, `high`)
/// restrict the rows, all columns are added as `<prefix>[n].<column>`, and `<prefix>.detected` is true.
struct IndicatorLookup: Sendable {
    static let fileName = "ioc.csv"
    private static let confidences = ["unverified", "low", "medium", "high"]
    private static let rowCountMax = 10

    private let index: LookupIndex
    private let prefix: String
    private let fields: [String]

    /// The lookup of a call; `nil` when there is no file and the query is only checked.
    init?(_ call: BoundCall, _ context: FunctionContext) throws(CallProblem) {
        guard let bytes = context.lookupFiles?.lookupFile(Self.fileName) else {
            if context.isCheckOnly { return nil }
            throw CallProblem(
                "ioc:lookup() needs a list of indicators",
                at: call.call.range,
                hint: "put \(Self.fileName) with a column 'indicator' among the lookup files"
            )
        }
        guard let table = LookupTable(bytes, keyColumn: "indicator"),
            let key = table.columns.firstIndex(of: "indicator")
        else { throw CallProblem("\(Self.fileName) has no column 'indicator'", at: call.call.range) }
        let wantedType = call.text("type") ?? ""
        let threshold = Self.confidences.firstIndex(of: call.text("confidenceThreshold")?.lowercased() ?? "high") ?? 3
        let typeColumn = table.columns.firstIndex(of: "type")
        let confidenceColumn = table.columns.firstIndex(of: "confidence")
        let rows = table.rows.indices.filter { row in
            let type = typeColumn.map { String(decoding: table.value(row, $0), as: UTF8.self) }
            let confidence = confidenceColumn.map { String(decoding: table.value(row, $0), as: UTF8.self).lowercased() }
            let level = confidence.map { Self.confidences.firstIndex(of: $0) ?? 0 } ?? 3
            return (type ?? wantedType) == wantedType && level >= threshold
        }
        let restricted = LookupTable(columns: table.columns, rows: rows.map { table.rows[$0] })
        self.index = LookupIndex(restricted, keys: [key], mode: .string, foldsCase: true)
        self.prefix = call.text("prefix") ?? "ioc"
        self.fields = call.texts("field")
    }

    /// The function that adds what is found.
    var function: any RowFunction {
        FieldsFunction(self.fields.map { .field($0) }) { inputs, outputs in
            var count = 0
            for index in self.fields.indices {
                for row in self.index.find([inputs[index]], limit: Self.rowCountMax) {
                    for (column, name) in self.index.table.columns.enumerated() {
                        outputs.set(field: "\(self.prefix)[\(count)].\(name)", to: self.index.table.value(row, column))
                    }
                    count += 1
                }
            }
            if count > 0 { outputs.set(field: "\(self.prefix).detected", to: "true") }
        }
    }

    /// The field that says whether something was found.
    var detectedField: String { "\(self.prefix).detected" }
}
