internal import LeatCore

/// The repositories of a server as a table that people read.
enum RepositoryList {
    /// Writes the list that `GET /api/v1/repositories` gives.
    static func write(_ list: [JSONValue], terminal: Terminal) throws {
        var writer = AnswerFormat.table.writer(terminal: terminal)
        var output = OutputStream()
        for repository in list {
            var line = JSONWriter()
            line.beginObject()
            line.member("repository", repository["name"]?.string ?? "")
            line.member("events", repository["events"]?.int.map { String($0) } ?? "")
            line.member("on disk", Self.size(repository["bytes"]))
            line.member("as text", Self.size(repository["plainBytes"]))
            line.member("newest event", Self.time(repository["lastEvent"]))
            line.member("kept for", Self.length(repository["retentionSeconds"]))
            line.endObject()
            try line.bytes.withUnsafeBytes { try writer.write($0, to: &output) }
        }
        try writer.finish(AnswerSummary(), to: &output)
        try output.finish()
    }

    private static func size(_ value: JSONValue?) -> String { value?.int.map { Amount.bytes($0) } ?? "" }

    private static func time(_ value: JSONValue?) -> String {
        value?.int.map { ShownTime.text(milliseconds: Int64($0), showsMilliseconds: false) } ?? ""
    }

    private static func length(_ value: JSONValue?) -> String {
        guard let seconds = value?.int else { return "ever" }
        if seconds % 86_400 == 0 { return "\(seconds / 86_400) d" }
        return seconds % 3_600 == 0 ? "\(seconds / 3_600) h" : "\(seconds) s"
    }
}

extension JSONWriter {
    /// Writes a member that is a text.
    fileprivate mutating func member(_ key: String, _ value: String) {
        self.key(key)
        self.value(value)
    }
}
