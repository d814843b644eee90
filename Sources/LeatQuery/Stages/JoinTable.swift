internal import LeatCore

/// Rows of a lookup file, or of the answer to a sub-query, that events are matched with.
struct JoinTable: Sendable {
    let columns: [String]
    /// Per row the value of each column; `nil` where it is absent.
    let rows: [[[UInt8]?]]

    init(columns: [String], rows: [[[UInt8]?]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The rows of an answer.
    init(_ result: QueryResult) {
        var columns: [String] = result.columns ?? []
        var rows: [[[UInt8]?]] = []
        for index in 0..<result.rowCount {
            var row = [[UInt8]?](repeating: nil, count: columns.count)
            for (name, value) in result.fields(row: index) {
                let column = columns.firstIndex(of: name) ?? columns.count
                if column == columns.count {
                    columns.append(name)
                    row.append(nil)
                }
                row[column] = Array(value.utf8)
            }
            rows.append(row)
        }
        self.columns = columns
        self.rows = rows.map { $0 + [[UInt8]?](repeating: nil, count: columns.count - $0.count) }
    }

    /// The table of a CSV file, whose first line has the names, or of a JSON file: `[{…}]` or `{"key": {…}}`.
    init?(file: ByteSlice) {
        let text = file.text
        guard let first = text.first(where: { !$0.isWhitespace }) else {
            self.init(columns: [], rows: [])
            return
        }
        if first == "[" || first == "{" {
            do throws(JSONError) {
                self.init(json: try JSONValue(parsing: text))
            } catch {
                return nil
            }
            return
        }
        let records = file.withUnsafeBytes { CSVText.records($0) }
        guard let header = records.first else { return nil }
        self.init(
            columns: header.map { String(decoding: $0, as: UTF8.self) },
            rows: records.dropFirst().map { record in
                header.indices.map { $0 < record.count ? record[$0] : nil }
            }
        )
    }

    private init(json: JSONValue) {
        var objects: [[(String, String)]] = []
        switch json {
        case .array(let elements): objects = elements.map { Self.fields(of: $0) }
        case .object(let members): objects = members.map { [("key", $0.key)] + Self.fields(of: $0.value) }
        default: break
        }
        var columns: [String] = []
        for object in objects { for (name, _) in object where !columns.contains(name) { columns.append(name) } }
        self.columns = columns
        self.rows = objects.map { object in
            columns.map { name in object.first { $0.0 == name }.map { Array($0.1.utf8) } }
        }
    }

    private static func fields(of value: JSONValue) -> [(String, String)] {
        (value.object ?? []).map { member in
            switch member.value {
            case .string(let text), .number(let text): (member.key, text)
            case .bool(let value): (member.key, value ? "true" : "false")
            default: (member.key, "")
            }
        }
    }

    func index(of column: String) -> Int? { self.columns.firstIndex(of: column) }
}
