internal import LeatCore

/// How the events of a batch become the request of one protocol over HTTP.
protocol RequestForm {
    /// Whether the events of one request must have something in common.
    var hasParts: Bool { get }

    /// What they must have in common, such as their tag.
    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8]

    /// Appends the request's body.
    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8])

    /// Headers that the part asks for.
    func headers(of part: [UInt8]) -> [(name: String, value: String)]
}

extension RequestForm {
    var hasParts: Bool { false }
    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] { [] }
    func headers(of part: [UInt8]) -> [(name: String, value: String)] { [] }
}

/// The outputs that post events: `http`, `loki`, `splunk`.
final class HTTPOutput: BatchSender {
    /// How requests are sent.
    struct Options {
        var request = HTTPRequest()
        var compression = RequestCompression.none
        /// Whether what the server says to a failed request goes to the log.
        var logsAnswers = true
    }

    private let form: any RequestForm
    private let options: Options
    private let clients: [HTTPClient]

    /// `clients`: one per batch that may be on its way.
    init(form: any RequestForm, options: Options, clients: [HTTPClient]) {
        self.form = form
        self.options = options
        self.clients = clients
    }

    func batchEnd(of chunk: LoadedChunk, items: Range<Int>) -> Int {
        guard self.form.hasParts else { return items.upperBound }
        var end = items.upperBound
        var first: [UInt8] = []
        chunk.forEachEvent(in: [items]) { event, record in
            guard event.number < end else { return }
            let part = self.form.part(of: event, record)
            if event.number == items.lowerBound {
                first = part
            } else if part != first {
                end = event.number
            }
        }
        return end
    }

    /// A body with parts begins with the part and a newline, which `send` takes off.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        if self.form.hasParts, let first = items.first {
            chunk.forEachEvent(in: [first.lowerBound..<first.lowerBound + 1]) { event, record in
                bytes = self.form.part(of: event, record) + [UInt8(ascii: "\n")]
            }
        }
        self.form.append(chunk, items, to: &bytes)
        return bytes
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        guard let client = self.clients.first(where: { !$0.isBusy }) else {
            preconditionFailure("more batches on their way than connections")
        }
        var request = self.options.request
        var bytes = body
        if self.form.hasParts, let end = body.firstIndex(of: UInt8(ascii: "\n")) {
            request.headers += self.form.headers(of: Array(body[..<end]))
            bytes = Array(body[(end + 1)...])
        }
        bytes = self.options.compression.apply(to: bytes, &request)
        let answer = Excerpt()
        client.send(request, body: bytes, onBody: { answer.take($0) }) { [logs = self.options.logsAnswers] result in
            switch result {
            case .failure(let failure): completion(.again(reason: failure.reason))
            case .success(let head): completion(Self.result(head.status, logs ? ": " + answer.text : ""))
            }
        }
    }

    private static func result(_ status: Int, _ text: String) -> DeliveryResult {
        switch status {
        case 200..<300: .delivered
        case 408, 429, 500...: .again(reason: "the server answers \(status)\(text)")
        // Wrong credentials and paths are mended at the server or in the configuration, not in the events.
        case 401, 403, 404, 407: .again(reason: "the server answers \(status)\(text)")
        default: .refused(reason: OutputQueue.reasonText("http_\(status)", String(text.dropFirst(2))))
        }
    }

    func close() { for client in self.clients { client.close() } }
}

/// How bodies of requests are compressed.
enum RequestCompression: Hashable, Sendable {
    case none, gzip, zstd

    /// The body as it is sent, and the header that says so.
    func apply(to body: [UInt8], _ request: inout HTTPRequest) -> [UInt8] {
        switch self {
        case .none: return body
        case .gzip:
            request.headers.append(("Content-Encoding", "gzip"))
            return body.withUnsafeBytes { Deflate.gzip($0) }
        case .zstd:
            request.headers.append(("Content-Encoding", "zstd"))
            return body.withUnsafeBytes { Zstandard.compress($0) }
        }
    }
}

/// The first bytes of an answer, for messages.
final class Excerpt {
    private static let byteCountMax = 300
    private var bytes: [UInt8] = []

    func take(_ piece: UnsafeRawBufferPointer) {
        let room = Self.byteCountMax - self.bytes.count
        if room > 0 { self.bytes.append(contentsOf: piece.prefix(room)) }
    }

    var text: String { String(decoding: self.bytes, as: UTF8.self).split(separator: "\n").joined(separator: " ") }
}
