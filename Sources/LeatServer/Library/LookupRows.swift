internal import LeatCore
internal import LeatQuery

/// A lookup file as a table that can be edited: names of columns, and rows of texts.
struct LookupRows: Sendable {
    var headers: [String]
    private(set) var rows: [[String]]

    init(headers: [String], rows: [[String]]) {
        self.headers = headers
        self.rows = rows
    }

    /// The table of a CSV file; an empty file has no columns.
    init(_ bytes: ByteSlice) {
        let records = bytes.withUnsafeBytes { CSVText.records($0) }
            .map { record in record.map { String(decoding: $0, as: UTF8.self) } }
        self.init(headers: records.first ?? [], rows: Array(records.dropFirst()))
    }

    /// The table as a CSV file, RFC 4180.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        if self.headers.isEmpty && self.rows.isEmpty { return bytes }
        for record in [self.headers] + self.rows { RowsText.appendCSV(record, to: &bytes) }
        return bytes
    }

    /// Adds or removes a column in all rows.
    mutating func changeColumn(_ kind: String, at index: Int) throws(GraphQLFault) {
        switch kind {
        case "Add":
            for row in self.rows.indices where index >= 0 && index <= self.rows[row].count {
                self.rows[row].insert("", at: index)
            }
        case "Remove":
            for row in self.rows.indices where self.rows[row].indices.contains(index) {
                self.rows[row].remove(at: index)
            }
        default: throw GraphQLFault("a column is changed by Add or Remove, not by '\(kind)'")
        }
    }

    /// Puts rows in the place of at most `limit` from `offset` on.
    mutating func replace(from offset: Int, limit: Int, with rows: [[String]]) throws(GraphQLFault) {
        guard offset >= 0, offset <= self.rows.count, limit >= 0 else {
            throw GraphQLFault("the file has \(self.rows.count) lines; 'offset' is \(offset)")
        }
        self.rows.replaceSubrange(offset..<min(self.rows.count, offset + min(limit, self.rows.count)), with: rows)
    }
}

/// A lookup file as the schema shows it.
struct LookupFileObject: Sendable {
    /// Lines that are shown when no other number is asked for.
    static let lineCountStandard = 200

    let name: String
    let table: LookupRows

    /// The file in a list.
    static func entry(_ name: String) -> GraphQLObject {
        GraphQLObject("File", values: ["nameAndPath": .object(Self.nameAndPath(name))])
    }

    private static func nameAndPath(_ name: String) -> GraphQLObject {
        GraphQLObject("FileNameAndPath", values: ["name": .text(name), "path": .null])
    }

    /// Some lines of the file, only those with the text `filter` if it is given.
    func snapshot(offset: Int, limit: Int, filter: String?) -> GraphQLObject {
        let rows =
            filter.map { filter in self.table.rows.filter { $0.contains { $0.contains(filter) } } } ?? self.table.rows
        let shown = rows.dropFirst(max(0, offset)).prefix(max(0, limit))
        return GraphQLObject(
            "UploadedFileSnapshot",
            values: [
                "nameAndPath": .object(Self.nameAndPath(self.name)), "headers": .texts(self.table.headers),
                "lines": .value(.array(shown.map { row in .array(row.map { .string($0) }) })),
                "totalLinesCount": .number(rows.count), "limit": .number(limit), "offset": .number(offset),
                "filterString": filter.map { .text($0) } ?? .null,
            ]
        )
    }
}
