internal import LeatCore

/// `[OUTPUT] http`: posts events as JSON.
final class HTTPOutput: BatchSender {
    /// How events become a body.
    struct Form {
        /// What stands before, between and behind the events.
        enum Framing { case array, lines, stream }

        /// How the time is written.
        enum DateForm: String { case double, epoch, epoch_ms, iso8601, java_sql_timestamp }

        var framing = Framing.array
        /// `nil` for no time.
        var dateKey: String? = "date"
        var dateForm = DateForm.double
    }

    private let form: Form
    private let request: HTTPRequest
    private let compresses: Bool
    private let connections: [HTTPConnection]

    init(form: Form, request: HTTPRequest, compresses: Bool, connections: [HTTPConnection]) {
        self.form = form
        self.request = request
        self.compresses = compresses
        self.connections = connections
    }

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        let isArray = self.form.framing == .array
        if isArray { bytes.append(UInt8(ascii: "[")) }
        chunk.forEachEvent(in: items) { event, record in
            if isArray, bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            self.append(event, record, to: &bytes)
            if self.form.framing == .lines { bytes.append(UInt8(ascii: "\n")) }
        }
        if isArray { bytes.append(UInt8(ascii: "]")) }
        return bytes
    }

    private func append(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        let start = bytes.count
        if let key = self.form.dateKey { bytes.appendMember(key, json: self.date(event.time), start: start) }
        if !record.isEmpty, bytes.count > start { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: record)
        bytes.append(UInt8(ascii: "}"))
    }

    private func date(_ nanoseconds: Int64) -> String {
        let time = Timestamp(nanoseconds: nanoseconds)
        var fraction: [UInt8] = []
        TimeText.appendFraction(nanoseconds: nanoseconds, digitCount: 6, to: &fraction)
        let digits = String(decoding: fraction, as: UTF8.self)
        switch self.form.dateForm {
        case .double: return "\(time.seconds)\(digits)"
        case .epoch: return "\(time.seconds)"
        case .epoch_ms: return "\(time.milliseconds)"
        case .iso8601: return "\"\(TimestampWriter.text(time, precision: .microseconds))\""
        case .java_sql_timestamp:
            let text = TimestampWriter.text(time, precision: .microseconds).dropLast()
            return "\"\(text.split(separator: "T").joined(separator: " "))\""
        }
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        guard let connection = self.connections.first(where: { !$0.isBusy }) else {
            preconditionFailure("more batches on their way than connections")
        }
        var request = self.request
        var bytes = body
        if self.compresses {
            bytes = body.withUnsafeBytes { Deflate.gzip($0) }
            request.headers.append(("Content-Encoding", "gzip"))
        }
        let answer = Excerpt()
        connection.send(request, body: bytes, onBody: { answer.take($0) }) { result in
            switch result {
            case .failure(let failure): completion(.again(reason: failure.reason))
            case .success(let head): completion(Self.result(head.status, answer.text))
            }
        }
    }

    private static func result(_ status: Int, _ text: String) -> DeliveryResult {
        switch status {
        case 200..<300: .delivered
        case 408, 429, 500...: .again(reason: "the server answers \(status): \(text)")
        // Wrong credentials and paths are mended at the server or in the configuration, not in the events.
        case 401, 403, 404, 407: .again(reason: "the server answers \(status): \(text)")
        default: .refused(reason: OutputQueue.reasonText("http_\(status)", text))
        }
    }

    func close() {
        for connection in self.connections { connection.close() }
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
