internal import LeatCore

/// `leat ingest`: the lines of a file, or of standard input, to a repository.
///
/// JSON objects are sent as documents; lines of containers, of syslog and of access logs with their times and fields, as
/// `--file` reads them; other lines as texts. A request is acknowledged before the next is sent.
public struct IngestCommand: Sendable {
    public var path: String
    public var settings: ShellSettings
    public var parser: String?
    /// How long a server that is being restarted, or takes nothing for now, is tried again, in seconds.
    public var retrySeconds = Self.retrySecondsDefault

    /// Long enough for a server that is busy, short enough for a disk that stays full.
    public static let retrySecondsDefault = 60

    /// Bytes of lines per request.
    private static let requestByteCountMax = 4 << 20

    public init(path: String, settings: ShellSettings) {
        self.path = path
        self.settings = settings
    }

    public func run() async throws -> ExitStatus {
        let client = self.settings.client
        if let parser { try await Self.check(parser: parser, client) }
        let input = try LocalInput.open(self.path)
        let format = LineFormat.detect(input.unsafeBytes)
        var batch = BulkBody(isBulk: self.parser == nil && format == .bulk, isForParser: self.parser != nil)
        var (sent, refused) = (0, 0)
        func flush() async throws {
            guard batch.documentCount > 0 else { return }
            let count = try await self.send(batch, client)
            sent += batch.documentCount - count
            refused += count
            batch = batch.emptied
        }
        if self.parser == nil, let lines = ParsedLines(input, format) {
            try await lines.forEach { document in
                batch.add(document: document)
                if batch.byteCount >= Self.requestByteCountMax { try await flush() }
            }
        } else {
            var splitter = LineSplitter(input.unsafeBytes)
            while let range = splitter.nextOrRest() {
                batch.add(input.unsafeBytes.slice(range).withoutCarriageReturn)
                if batch.byteCount >= Self.requestByteCountMax, batch.isWhole { try await flush() }
            }
        }
        try await flush()
        Notes.write(
            "\(sent) events sent to '\(self.settings.repository)'" + (refused > 0 ? ", \(refused) refused" : "")
        )
        return refused > 0 ? .badData : .success
    }

    /// Refuses a parser that does not exist; who may not ask for it may still send.
    private static func check(parser: String, _ client: ServerClient) async throws {
        let reply = try await client.fetch(ServerRequest(.get, try ServerRequest.path("/api/v1/parsers", parser)))
        if reply.status == 404 { throw client.failure(status: reply.status, body: reply.body) }
    }

    /// Sends a request; returns how many of its events were refused.
    private func send(_ batch: BulkBody, _ client: ServerClient) async throws -> Int {
        let path =
            "/api/v1/repositories/\(ServerRequest.encoded(self.settings.repository))/_bulk"
            + (self.parser.map { "?parser=\(ServerRequest.encoded($0))" } ?? "")
        let request = ServerRequest(.post, path, headers: [("Content-Type", "application/x-ndjson")], body: batch.bytes)
        let repository = self.settings.repository
        let reply = try await client.ask(request, repository: repository, retrySeconds: self.retrySeconds)
        return Self.refusals(in: reply.body)
    }

    private static func refusals(in body: [UInt8]) -> Int {
        // Fast path: the items of an answer without errors need not be read.
        if body.withUnsafeBytes({ Self.saysNoErrors($0) }) { return 0 }
        let row = AnswerRow()
        guard body.withUnsafeBytes({ row.read($0) }), row.isTrue("errors") else { return 0 }
        var count = 0
        var shown = 0
        for field in row.fields {
            let name = row.name(of: field)
            if name.hasSuffix(".status"), let status = Int(row.value(of: field)), status >= 300 { count += 1 }
            if name.hasSuffix(".error.reason"), shown < 5 {
                shown += 1
                Notes.warn("refused: \(row.value(of: field))")
            }
        }
        return count
    }
}

extension IngestCommand {
    /// Whether an answer says, before its items, that there were no errors.
    private static func saysNoErrors(_ body: UnsafeRawBufferPointer) -> Bool {
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(body)
            while let member = try scanner.next() {
                let key = body.slice(member.rawKey)
                if key.isEqual(to: "errors") { return body.slice(member.value).isEqual(to: "false") }
                if key.isEqual(to: "items") { return false }
            }
        } catch {
            // Whatever else it is, it does not say so.
        }
        return false
    }
}

/// The body of one `_bulk` request under construction.
struct BulkBody {
    private static let action = Array("{\"create\":{}}\n".utf8)

    /// Whether the lines are actions and documents already.
    let isBulk: Bool
    /// Whether every line is the text of an event, which a parser of the server takes apart.
    let isForParser: Bool
    private(set) var bytes: [UInt8] = []
    private(set) var documentCount = 0
    /// Whether no action waits for its document.
    private(set) var isWhole = true

    init(isBulk: Bool, isForParser: Bool = false) {
        self.isBulk = isBulk
        self.isForParser = isForParser
    }

    var byteCount: Int { self.bytes.count }

    /// A body of the same kind without documents.
    var emptied: BulkBody { BulkBody(isBulk: self.isBulk, isForParser: self.isForParser) }

    /// Adds a document that is made already.
    mutating func add(document: [UInt8]) {
        self.documentCount += 1
        self.bytes += Self.action
        self.bytes += document
        self.bytes.append(0x0A)
    }

    mutating func add(_ line: UnsafeRawBufferPointer) {
        if line.trimmed.isEmpty { return }
        if self.isBulk {
            if self.isWhole, let action = BulkActionLine(line) {
                self.isWhole = !action.hasDocument
            } else {
                self.isWhole = true
                self.documentCount += 1
            }
            self.bytes.append(contentsOf: line)
            self.bytes.append(0x0A)
            return
        }
        self.documentCount += 1
        self.bytes += Self.action
        if !self.isForParser, line.first == UInt8(ascii: "{"), Self.isObject(line) {
            self.bytes.append(contentsOf: line)
        } else {
            self.bytes += (self.isForParser ? "{\"@rawstring\":" : "{\"message\":").utf8
            JSONWriter.append(string: line, to: &self.bytes)
            self.bytes.append(UInt8(ascii: "}"))
        }
        self.bytes.append(0x0A)
    }

    private static func isObject(_ line: UnsafeRawBufferPointer) -> Bool {
        var scratch: [UInt8] = []
        do throws(JSONError) {
            try JSONCompact.append(line, to: &scratch)
            return true
        } catch {
            return false
        }
    }
}
