internal import LeatCore

/// How the events of a batch become the request of one protocol over HTTP.
protocol RequestForm {
    /// Whether the events of one request must have something in common.
    var hasParts: Bool { get }

    /// Whether a request may have several events; only asked with parts.
    var joinsEvents: Bool { get }

    /// What they must have in common, such as their tag.
    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8]

    /// Appends the request's body.
    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8])

    /// Headers that the part asks for.
    func headers(of part: [UInt8]) -> [(name: String, value: String)]

    /// Whether there may be events that cannot be sent.
    var hasFaults: Bool { get }

    /// Why an event cannot be sent, as JSON; `nil` when it can.
    func fault(of record: UnsafeRawBufferPointer) -> [UInt8]?

    /// Most bytes of the answer to a good request that `result` wants to see; 0: it is not asked.
    var answerByteCountMax: Int { get }

    /// What the answer to a good request says of its events; `nil`: all are delivered.
    func result(of answer: UnsafeRawBufferPointer) -> DeliveryResult?
}

extension RequestForm {
    var hasParts: Bool { false }
    var joinsEvents: Bool { true }
    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] { [] }
    func headers(of part: [UInt8]) -> [(name: String, value: String)] { [] }
    var hasFaults: Bool { false }
    func fault(of record: UnsafeRawBufferPointer) -> [UInt8]? { nil }
    var answerByteCountMax: Int { 0 }
    func result(of answer: UnsafeRawBufferPointer) -> DeliveryResult? { nil }
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
                if !self.form.joinsEvents { end = event.number + 1 }
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

    func unsendable(in chunk: LoadedChunk, items: [Range<Int>]) -> [(item: Int, reason: [UInt8])] {
        guard self.form.hasFaults else { return [] }
        var faults: [(item: Int, reason: [UInt8])] = []
        var item = 0
        chunk.forEachEvent(in: items) { _, record in
            if let reason = self.form.fault(of: record) { faults.append((item, reason)) }
            item += 1
        }
        return faults
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        var request = self.options.request
        var bytes = body
        if self.form.hasParts, let end = body.firstIndex(of: UInt8(ascii: "\n")) {
            for (name, value) in self.form.headers(of: Array(body[..<end])) { request.add(header: name, value) }
            bytes = Array(body[(end + 1)...])
        }
        bytes = self.options.compression.apply(to: bytes, &request)
        guard let client = self.clients.first(where: { !$0.isBusy }) else {
            preconditionFailure("more batches on their way than connections")
        }
        let answer = Excerpt(byteCountMax: self.form.answerByteCountMax)
        let (options, form) = (self.options, self.form)
        client.send(request, body: bytes, onBody: { answer.take($0) }) { result in
            switch result {
            case .failure(let failure): completion(.again(reason: failure.reason))
            case .success(let head):
                if (200..<300).contains(head.status), form.answerByteCountMax > 0 {
                    return completion(answer.bytes.withUnsafeBytes { form.result(of: $0) } ?? .delivered)
                }
                completion(Self.result(head.status, options.logsAnswers ? ": " + answer.text : ""))
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
    private static let textByteCountMax = 300
    private let byteCountMax: Int
    private(set) var bytes: [UInt8] = []

    /// `byteCountMax`: bytes to keep, where more are wanted than a message has.
    init(byteCountMax: Int = 0) { self.byteCountMax = max(Self.textByteCountMax, byteCountMax) }

    func take(_ piece: UnsafeRawBufferPointer) {
        let room = self.byteCountMax - self.bytes.count
        if room > 0 { self.bytes.append(contentsOf: piece.prefix(room)) }
    }

    var text: String {
        let lines = String(decoding: self.bytes.prefix(Self.textByteCountMax), as: UTF8.self).split(separator: "\n")
        return lines.joined(separator: " ")
    }
}
