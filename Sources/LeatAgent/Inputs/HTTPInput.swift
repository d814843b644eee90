internal import LeatCore
internal import LeatParsing

/// `[INPUT] http`: takes records by POST; the answer says that they are on stable storage.
final class HTTPInput: Input {
    struct Options {
        /// The tag of requests to `/`.
        var tag = ""
        /// Where the path gives no tag: the record's member that does.
        var tagPath: FieldPath?
        var status = 201
        var headers: [(name: String, value: String)] = []
        /// Member that gets the sender's address.
        var addressKey: String?
        var answersHealth = false
        var bodyByteCountMax = 4 << 20
    }

    /// Requests whose senders wait for the disk.
    private static let waitingRequestCountMax = 4_096

    private let options: Options
    private let server: StreamServer.Options
    private let tls: TLSServer?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var listener: HTTPListener?
    private var waitingCount = 0

    init(
        _ options: Options,
        server: StreamServer.Options,
        tls: TLSServer?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop
    ) {
        self.options = options
        self.server = server
        self.tls = tls
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    /// The port that is listened on.
    var port: Int { self.listener?.port ?? 0 }

    func start() throws(InputError) {
        self.listener = try HTTPListener(
            self.server,
            tls: self.tls,
            loop: self.loop,
            bodyByteCountMax: self.options.bodyByteCountMax
        ) { [weak self] request, respond in
            guard let self else { return respond(.text("error: stopping\n", status: 503)) }
            self.take(request, respond)
        }
    }

    func resume() { self.counters.isPaused = false }

    func stop() { self.listener?.close() }

    private func take(_ request: ReceivedRequest, _ respond: @escaping (Answer) -> Void) {
        if self.options.answersHealth, request.method == "GET", request.path == "/health" {
            return respond(.json("{\"status\":\"ok\"}"))
        }
        guard request.method == "POST" else { return respond(.text("error: invalid HTTP method\n", status: 400)) }
        guard self.sink.hasRoom(for: self.counters), self.waitingCount < Self.waitingRequestCountMax else {
            self.counters.isPaused = true
            var answer = Answer.text("error: the buffer is full\n", status: 503)
            answer.headers = [("Retry-After", "1")]
            return respond(answer)
        }
        switch self.events(of: request) {
        case .failure(let refusal): respond(.text("error: \(refusal.reason)\n", status: refusal.status))
        case .success(let events):
            for (tag, list) in self.byTag(events, path: request.path) {
                self.sink.accept(InputRead(tag: tag, events: list), from: self.counters)
            }
            self.waitingCount += 1
            self.sink.whenDurable { [weak self] in
                self?.waitingCount -= 1
                respond(self?.success ?? Answer())
            }
        }
    }

    private var success: Answer { Answer(status: self.options.status, headers: self.options.headers) }

    // MARK: - Reading

    private struct Refusal: Error {
        let status: Int
        let reason: String
    }

    private func events(of request: ReceivedRequest) -> Result<EventList, Refusal> {
        let type = request.headers["content-type"]?.prefix { $0 != ";" }.lowercased() ?? ""
        let body: [UInt8]
        switch self.expanded(request) {
        case .success(let bytes): body = bytes
        case .failure(let refusal): return .failure(refusal)
        }
        self.counters.readBytes += UInt64(body.count)
        if body.isEmpty { return .failure(Refusal(status: 400, reason: "no payload found")) }
        let tail = self.options.addressKey.map { self.addressTail($0, request) } ?? []
        var events = EventList()
        let now = self.loop.time.now().nanoseconds
        switch type.filter({ $0 != " " }) {
        case "application/json", "application/x-ndjson", "application/json-lines":
            let isWhole = body.withUnsafeBytes { JSONRecords.append($0, tail: tail, time: now, to: &events) }
            return isWhole ? .success(events) : .failure(Refusal(status: 400, reason: "unable to process records"))
        case "application/x-www-form-urlencoded":
            FormText.append(body, to: &events.bytes)
            if events.bytes.isEmpty { return .failure(Refusal(status: 400, reason: "unable to process records")) }
            events.bytes += tail
            events.endEvent(time: now)
            return .success(events)
        case "": return .failure(Refusal(status: 400, reason: "header 'Content-Type' is not set"))
        default: return .failure(Refusal(status: 400, reason: "invalid 'Content-Type'"))
        }
    }

    /// The body without its compression.
    private func expanded(_ request: ReceivedRequest) -> Result<[UInt8], Refusal> {
        let limit = self.options.bodyByteCountMax
        do throws(CompressionError) {
            switch request.headers["content-encoding"]?.lowercased() {
            case nil, "identity", "": return .success(request.body)
            case "gzip": return .success(try Self.expand(request.body, .gzip, limit))
            case "deflate": return .success(try Self.expand(request.body, .zlib, limit))
            case "zstd": return .success(try Self.expandZstandard(request.body, limit))
            case let other?: return .failure(Refusal(status: 415, reason: "content encoding '\(other)' is not known"))
            }
        } catch {
            return .failure(Refusal(status: 400, reason: "the body cannot be expanded: \(error)"))
        }
    }

    private static func expand(
        _ body: [UInt8],
        _ wrapping: Deflate.Wrapping,
        _ limit: Int
    ) throws(CompressionError) -> [UInt8] {
        try ByteSlice(body).withUnsafeBytes { bytes throws(CompressionError) in
            try Deflate.expand(bytes, wrapping, byteCountMax: limit)
        }
    }

    private static func expandZstandard(_ body: [UInt8], _ limit: Int) throws(CompressionError) -> [UInt8] {
        try ByteSlice(body).withUnsafeBytes { bytes throws(CompressionError) in
            try Zstandard.expand(bytes, byteCountMax: limit)
        }
    }

    private func addressTail(_ key: String, _ request: ReceivedRequest) -> [UInt8] {
        let forwarded = request.headers["x-forwarded-for"]?.prefix { $0 != "," }
        let address = forwarded.map { $0.filter { $0 != " " } } ?? request.peer?.address ?? ""
        var bytes: [UInt8] = []
        bytes.appendMember(key, text: address.utf8, start: -1)
        return bytes
    }

    /// The events under their tags: of the path, else of the record, else of the input.
    private func byTag(_ events: EventList, path: String) -> [(tag: RouteTag, events: EventList)] {
        if path != "/" { return [(self.sink.routeTag(Self.tag(of: path)), events)] }
        guard let tagPath = self.options.tagPath else { return [(self.sink.routeTag(self.options.tag), events)] }
        var result: [(tag: RouteTag, events: EventList)] = []
        for index in 0..<events.count {
            events.withMembers(of: index) { members in
                var text: [UInt8] = []
                if let range = tagPath.find(in: members) {
                    RecordTemplate.appendText(of: members.slice(range), to: &text)
                }
                let tag = self.sink.routeTag(text.isEmpty ? self.options.tag : String(decoding: text, as: UTF8.self))
                if result.last?.tag !== tag { result.append((tag, EventList())) }
                result[result.count - 1].events.append(time: events.times[index], members: members)
            }
        }
        return result
    }

    /// `/app.log/x` as `app.log_x`.
    private static func tag(of path: String) -> String {
        String(
            decoding: path.utf8.dropFirst().map { byte in
                let isKept =
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
                return isKept ? byte : UInt8(ascii: "_")
            },
            as: UTF8.self
        )
    }
}

/// `application/x-www-form-urlencoded` as members of a record; all values are texts.
enum FormText {
    static func append(_ body: [UInt8], to record: inout [UInt8]) {
        let start = record.count
        for part in body.split(separator: UInt8(ascii: "&")) {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")), equals > part.startIndex else { continue }
            let name = String(decoding: Self.decoded(part[..<equals]), as: UTF8.self)
            record.appendMember(name, text: Self.decoded(part[(equals + 1)...]), start: start)
        }
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if byte == UInt8(ascii: "%"), index + 2 < text.endIndex,
                let value = UInt8(String(decoding: text[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(value)
                index += 3
                continue
            }
            result.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        return result
    }
}
