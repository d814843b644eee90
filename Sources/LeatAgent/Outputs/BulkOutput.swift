internal import LeatCore

/// `[OUTPUT] es` and `opensearch`: sends batches to the bulk API of a server.
///
/// With our server a batch is stored once however often it is sent, by its key in `X-Leat-Batch`. Other servers ignore
/// the header; `Generate_ID` is for them.
final class BulkOutput: BatchSender {
    private let format: BulkFormat
    private let request: HTTPRequest
    private let compression: RequestCompression
    private let connections: [HTTPClient]
    private let log: AgentLog
    private let tracesErrors: Bool
    private let tracesRequests: Bool
    /// Bytes of a request that are logged.
    private static let tracedByteCountMax = 32 << 10

    /// `connections`: one per batch that may be on its way.
    init(
        format: BulkFormat,
        request: HTTPRequest,
        compression: RequestCompression,
        connections: [HTTPClient],
        tracesErrors: Bool,
        tracesRequests: Bool,
        log: AgentLog
    ) {
        self.format = format
        self.request = request
        self.compression = compression
        self.connections = connections
        self.tracesErrors = tracesErrors
        self.tracesRequests = tracesRequests
        self.log = log
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] { self.format.body(of: chunk, items: items) }

    func unsendable(in chunk: LoadedChunk, items: [Range<Int>]) -> [(item: Int, reason: [UInt8])] {
        self.format.unsendable(in: chunk, items: items)
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        guard let connection = self.connections.first(where: { !$0.isBusy }) else {
            preconditionFailure("more batches on their way than connections")
        }
        var request = self.request
        let key = "\(batch.key.series.text)-\(batch.key.number)-\(batch.digest)"
        request.headers.append(("X-Leat-Batch", key))
        let bytes = self.compression.apply(to: body, &request)
        if self.tracesRequests {
            self.log.write(.info, String(decoding: body.prefix(Self.tracedByteCountMax), as: UTF8.self))
        }
        let answer = BulkAnswer()
        connection.send(request, body: bytes, onBody: { answer.take($0) }) { result in
            completion(answer.result(result, itemCount: batch.itemCount))
        }
    }

    func close() {
        for connection in self.connections { connection.close() }
    }
}

/// An answer while it arrives: the items, and the first bytes for messages.
private final class BulkAnswer {
    private static let excerptByteCountMax = 2_048

    private var reader = BulkResponseReader()
    private var excerpt: [UInt8] = []

    func take(_ bytes: UnsafeRawBufferPointer) {
        self.reader.consume(bytes)
        let room = Self.excerptByteCountMax - self.excerpt.count
        if room > 0 { self.excerpt.append(contentsOf: bytes.prefix(room)) }
    }

    func result(_ result: Result<HTTPResponseParser.Head, HTTPFailure>, itemCount: Int) -> DeliveryResult {
        switch result {
        case .failure(let failure): return .again(reason: failure.reason)
        case .success(let head):
            switch head.status {
            case 200..<300: return self.items(itemCount)
            case 400, 413, 422: return .refused(reason: self.reason(head.status))
            default: return .again(reason: "the server answers \(head.status): \(self.excerptText)")
            }
        }
    }

    private var excerptText: String {
        String(decoding: self.excerpt.prefix(200), as: UTF8.self).split(separator: "\n").joined(separator: " ")
    }

    /// The reason as JSON, whatever the server sent.
    private func reason(_ status: Int) -> [UInt8] {
        OutputQueue.reasonText("http_\(status)", String(decoding: self.excerpt, as: UTF8.self))
    }

    private func items(_ itemCount: Int) -> DeliveryResult {
        if self.reader.errors == false { return .delivered }
        guard self.reader.isComplete, !self.reader.isMalformed, self.reader.items.count == itemCount else {
            return .again(reason: "the server's answer is not whole: \(self.excerptText)")
        }
        var again: [Int] = []
        var rejected: [(item: Int, reason: [UInt8])] = []
        for (number, item) in self.reader.items.enumerated() {
            switch item.status {
            case 200..<300, 409: continue
            case 400..<429, 430..<500:
                let isWhole = item.reason.count < BulkResponseReader.reasonByteCountMax && !item.reason.isEmpty
                let cut = String(decoding: item.reason, as: UTF8.self)
                rejected.append((number, isWhole ? item.reason : OutputQueue.reasonText("status_\(item.status)", cut)))
            // Too much at the moment, a failure, or a number that says nothing about the event.
            default: again.append(number)
            }
        }
        return again.isEmpty && rejected.isEmpty ? .delivered : .partly(again: again, rejected: rejected)
    }
}
