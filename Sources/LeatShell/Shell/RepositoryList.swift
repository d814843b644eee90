internal import LeatCore

/// The repositories of a server as a table.
enum RepositoryList {
    private static let columns: [(key: String, title: String)] = [
        ("name", "repository"), ("events", "events"), ("bytes", "bytes on disk"), ("plainBytes", "bytes of text"),
        ("retentionSeconds", "retention in s"),
    ]

    /// Writes the list that `GET /api/v1/repositories` gives.
    static func write(_ body: [UInt8], format: AnswerFormat = .table, terminal: Terminal) throws {
        let row = AnswerRow()
        let object = Array("{\"list\":".utf8) + body + Array("}".utf8)
        guard object.withUnsafeBytes({ row.read($0) }) else {
            throw CommandError(.serverUnreachable, "the server's list of repositories is not JSON")
        }
        var values: [String: String] = [:]
        for field in row.fields { values[row.name(of: field)] = row.value(of: field) }
        var writer = format.writer(terminal: terminal)
        var output = OutputStream()
        var number = 0
        while let name = values["list[\(number)].name"] {
            var line = JSONWriter()
            line.beginObject()
            for (key, title) in Self.columns {
                line.key(format == .json ? key : title)
                line.value(key == "name" ? name : values["list[\(number)].\(key)"] ?? "")
            }
            line.endObject()
            try line.bytes.withUnsafeBytes { try writer.write($0, to: &output) }
            number += 1
        }
        var summary = AnswerSummary()
        summary.columns = Self.columns.map { format == .json ? $0.key : $0.title }
        try writer.finish(summary, to: &output)
        try output.finish()
    }
}
