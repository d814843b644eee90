internal import LeatCore
internal import LeatQuery

/// A query as it is sent to a server.
public struct QueryRequest: Hashable, Sendable {
    public var repository: String
    public var text: String
    /// First moment: relative such as `24h`, or epoch milliseconds.
    public var start: String?
    /// First moment after the interval; `now` or as `start`.
    public var end: String
    public var isLive: Bool
    /// Values of the query's parameters.
    public var arguments: [String: String]
    /// Whether what is known so far is wanted while the query runs.
    var wantsPreviews = false
    /// Whether the end of the answer is to say what became of each block and where the time went.
    var explains = false

    public init(
        repository: String,
        text: String,
        start: String? = "24h",
        end: String = "now",
        isLive: Bool = false,
        arguments: [String: String] = [:]
    ) {
        self.repository = repository
        self.text = text
        self.start = start
        self.end = end
        self.isLive = isLive
        self.arguments = arguments
    }

    /// The body of the request.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("queryString")
        writer.value(self.text)
        if let start {
            writer.key("start")
            writer.value(start)
        }
        if !self.isLive {
            writer.key("end")
            writer.value(self.end)
        }
        writer.key("isLive")
        writer.value(self.isLive)
        if self.explains {
            writer.key("explain")
            writer.value(true)
        }
        if !self.arguments.isEmpty {
            writer.key("arguments")
            writer.beginObject()
            for (name, value) in self.arguments.sorted(by: { $0.key < $1.key }) {
                writer.key(name)
                writer.value(value)
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }
}

/// What comes back while a query runs.
enum QueryStreamEvent {
    case progress(AnswerProgress)
    /// The answer to what has been read so far.
    case preview(AnswerPreview)
    /// A live stream is alive.
    case heartbeat
    /// Events that the server could not hand to this live stream in time.
    case skipped(Int)
    case done(AnswerSummary)
    /// The query failed after its first row was sent.
    case failed(String)
}

/// The rows of a query that runs, as they are so far.
struct AnswerPreview: Sendable {
    /// Rows as lines of JSON.
    var rows: [[UInt8]] = []
    var columns: [String]?
}

/// Tells the rows of an answer from what is said about it.
private struct StreamReader {
    private let control = AnswerRow()
    private var preview: AnswerPreview?
    /// Rows of the preview that are still to come.
    private var missingRowCount = 0

    /// The event that a line is or completes; `nil` for a row of the answer.
    mutating func event(of line: UnsafeRawBufferPointer) -> QueryStreamEvent? {
        if self.missingRowCount > 0 {
            self.preview?.rows.append(Array(line))
            self.missingRowCount -= 1
            return self.missingRowCount == 0 ? self.takePreview() : .heartbeat
        }
        guard Self.isControl(line), self.control.read(line), let event = ServerClient.event(self.control, line) else {
            return nil
        }
        if let count = self.control.integer("@leat.preview"), count >= 0 {
            let columns = self.control.texts("@leat.columns")
            self.preview = AnswerPreview(columns: columns.isEmpty ? nil : columns)
            self.missingRowCount = count
            return count == 0 ? self.takePreview() : .heartbeat
        }
        return event
    }

    private mutating func takePreview() -> QueryStreamEvent {
        defer { self.preview = nil }
        return .preview(self.preview ?? AnswerPreview())
    }

    /// Whether a line is control data; rows begin with another key.
    private static func isControl(_ line: UnsafeRawBufferPointer) -> Bool {
        let mark: StaticString = "{\"@leat\":"
        return line.count > mark.utf8CodeUnitCount && line.slice(0..<mark.utf8CodeUnitCount).isEqual(to: mark)
    }
}

extension ServerClient {
    /// Runs a query and calls `onRow` with each row as a line of JSON, in the order of the answer.
    ///
    /// `onRow` returns whether more rows are wanted; after `false` the connection is closed, which ends the query on the
    /// server. `onPause` is called when all that has arrived was handed out.
    func query(
        _ request: QueryRequest,
        onRow: (UnsafeRawBufferPointer) throws -> Bool,
        onEvent: (QueryStreamEvent) throws -> Void,
        onPause: () throws -> Void
    ) async throws {
        let path = "/api/v1/repositories/\(ServerRequest.encoded(request.repository))/query"
        var headers = [
            ("Content-Type", "application/json"), ("Accept", "application/x-ndjson"), ("X-Leat-Stream", "1"),
        ]
        if request.wantsPreviews { headers.append(("X-Leat-Preview", "1")) }
        var status = 0
        var errorBody: [UInt8] = []
        var assembler = LineAssembler()
        var goesOn = true
        var reader = StreamReader()
        try await self.perform(ServerRequest(.post, path, headers: headers, body: request.json)) { head in
            status = head.status
        } onBytes: { bytes in
            guard status == 200 else {
                errorBody.append(contentsOf: bytes)
                return errorBody.count <= Self.bodyByteCountMax
            }
            try assembler.add(bytes) { line in
                guard goesOn, !line.isEmpty else { return }
                if let event = reader.event(of: line) {
                    try onEvent(event)
                } else {
                    goesOn = try onRow(line)
                }
            }
            try onPause()
            return goesOn
        }
        if status != 200 { throw self.failure(status: status, body: errorBody, repository: request.repository) }
    }

    /// The event that a line of control data is; `text` is the line itself.
    fileprivate static func event(_ line: AnswerRow, _ text: UnsafeRawBufferPointer) -> QueryStreamEvent? {
        if let error = line.text("@leat.error") { return .failed(error) }
        if line.isTrue("@leat.done") { return .done(Self.summary(line, text)) }
        if let events = line.integer("@leat.progress.events") {
            let bytes = line.integer("@leat.progress.bytes") ?? 0
            let total = line.integer("@leat.progress.total") ?? 0
            return .progress(AnswerProgress(events: events, bytes: bytes, total: total))
        }
        if let skipped = line.integer("@leat.dropped") ?? line.integer("@leat.skipped") { return .skipped(skipped) }
        return .heartbeat
    }

    private static func summary(_ line: AnswerRow, _ text: UnsafeRawBufferPointer) -> AnswerSummary {
        var summary = AnswerSummary()
        summary.warnings = line.texts("@leat.warnings")
        summary.isPartial = line.isTrue("@leat.partial")
        summary.isAggregate = line.isTrue("@leat.aggregate")
        let columns = line.texts("@leat.columns")
        summary.columns = columns.isEmpty ? nil : columns
        let prefix = "@leat.cost."
        summary.costs = line.fields.compactMap { field in
            let name = line.name(of: field)
            return name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), line.value(of: field)) : nil
        }
        if line.field("@leat.explain.prefilter") != nil { summary.account = Self.account(text) }
        return summary
    }

    private static func account(_ text: UnsafeRawBufferPointer) -> QueryAccount? {
        do throws(JSONError) {
            return try JSONValue(text)["@leat"]?["explain"].flatMap { QueryAccount($0) }
        } catch {
            // The same line has been read as a row before.
            return nil
        }
    }

    /// What an answer other than 2xx means to the user.
    func failure(status: Int, body: [UInt8], repository: String? = nil) -> CommandError {
        let row = AnswerRow()
        let isJSON = body.withUnsafeBytes { row.read($0) }
        if isJSON, let diagnostics = Self.diagnostics(row) {
            return CommandError(.badData, diagnostics.map(\.description).joined(separator: "\n"))
        }
        let text =
            (isJSON ? row.text("error.reason") ?? row.text("error") ?? row.text("message") : nil)
            ?? String(decoding: body.prefix(4_096), as: UTF8.self)
        let message = String(
            text.trimmedAtEnd.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\n")
        )
        switch status {
        case 400, 413, 422: return CommandError(.badData, message.isEmpty ? "the server refused the request" : message)
        case 401:
            let hint = "set LEAT_TOKEN, or 'token' in ~/.config/leat/config.yaml"
            return CommandError(.notPermitted, "the server at \(self.address) refused the request: \(message); \(hint)")
        case 403:
            let place = repository.map { "repository '\($0)' of " } ?? ""
            return CommandError(.notPermitted, "the token does not permit this on \(place)\(self.address): \(message)")
        case 404:
            let what =
                repository.map { "repository '\($0)' is not on \(self.address)" } ?? "not found on \(self.address)"
            return CommandError(.missingInput, message.isEmpty ? what : message)
        case 429, 503:
            return CommandError(
                .serverUnreachable,
                "the server is busy (\(status)): \(message); try again",
                mayPass: true
            )
        case 400..<500: return CommandError(.badData, message.isEmpty ? "the server answered \(status)" : message)
        default: return CommandError(.serverUnreachable, "the server answered \(status): \(message)")
        }
    }

    /// The diagnostics of `{"errors":[{"line","column","length","message","hint","lineText"}]}`.
    private static func diagnostics(_ row: AnswerRow) -> [Diagnostic]? {
        var values: [String: String] = [:]
        for field in row.fields { values[row.name(of: field)] = row.value(of: field) }
        var result: [Diagnostic] = []
        while let message = values["errors[\(result.count)].message"] {
            let prefix = "errors[\(result.count)]."
            result.append(
                Diagnostic(
                    source: "query",
                    line: values[prefix + "line"].flatMap { Int($0) } ?? 1,
                    column: max(1, values[prefix + "column"].flatMap { Int($0) } ?? 1),
                    length: values[prefix + "length"].flatMap { Int($0) } ?? 1,
                    lineText: values[prefix + "lineText"] ?? "",
                    message: message,
                    hint: values[prefix + "hint"].flatMap { $0.isEmpty || $0 == "null" ? nil : $0 }
                )
            )
        }
        return result.isEmpty ? nil : result
    }
}
