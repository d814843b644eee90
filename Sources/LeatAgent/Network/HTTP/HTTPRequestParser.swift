internal import LeatCore

/// A request that arrived.
struct ReceivedRequest {
    var method = ""
    /// The path without its query.
    var path = ""
    /// What stands behind the path's `?`.
    var query = ""
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Whether the connection may serve another request.
    var keepsAlive = true
    var peer: SocketPeer?

    /// Whether the other side is on this machine.
    var isLocal: Bool { self.peer?.isLocal == true }
}

/// Takes HTTP/1.1 requests apart as they arrive on a connection, one after the other.
struct HTTPRequestParser {
    /// What there is to do with the bytes so far.
    enum Outcome {
        /// More must arrive.
        case more
        /// The client waits for `100 Continue` before it sends the body.
        case sendContinue
        case request(ReceivedRequest)
        /// The request is refused with this status; nothing on the connection can be read any more.
        case refuse(Int)
    }

    private enum Phase {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
    }

    private static let headByteCountMax = 64 << 10

    /// Bytes that were read and are kept until more come; what senders put between chunks must not pile up.
    private static let consumedByteCountMax = 65_536
    private let bodyByteCountMax: Int
    private var phase = Phase.head
    private var input: [UInt8] = []
    private var offset = 0
    private var request = ReceivedRequest()

    init(bodyByteCountMax: Int) { self.bodyByteCountMax = bodyByteCountMax }

    /// Takes bytes that arrived; `next` says what they are.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if self.offset == self.input.count {
            self.input.removeAll(keepingCapacity: self.input.capacity <= 262_144)
            self.offset = 0
        } else if self.offset > Self.consumedByteCountMax {
            self.input.removeFirst(self.offset)
            self.offset = 0
        }
        self.input.append(contentsOf: bytes)
    }

    mutating func next() -> Outcome {
        while true {
            switch self.phase {
            case .head:
                guard let head = self.takeHead() else { return self.isHeadTooLong ? .refuse(431) : .more }
                if let outcome = self.begin(head) { return outcome }
            case .body(let left), .chunk(let left):
                let count = min(left, self.input.count - self.offset)
                self.request.body += self.input[self.offset..<self.offset + count]
                self.offset += count
                guard count == left else {
                    if case .body = self.phase {
                        self.phase = .body(left: left - count)
                    } else {
                        self.phase = .chunk(left: left - count)
                    }
                    return .more
                }
                if case .body = self.phase { return self.finish() }
                self.phase = .chunkEnd
            case .chunkEnd:
                guard self.takeLine() != nil else { return .more }
                self.phase = .chunkSize
            case .chunkSize:
                guard let line = self.takeLine() else { return self.isHeadTooLong ? .refuse(400) : .more }
                guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16) else { return .refuse(400) }
                if size > self.bodyByteCountMax - self.request.body.count { return .refuse(413) }
                self.phase = size == 0 ? .trailer : .chunk(left: size)
            case .trailer:
                guard let line = self.takeLine() else { return self.isHeadTooLong ? .refuse(400) : .more }
                if line.isEmpty { return self.finish() }
            }
        }
    }

    private var isHeadTooLong: Bool { self.input.count - self.offset > Self.headByteCountMax }

    /// The next line without its end; `nil` while it is not whole.
    private mutating func takeLine() -> String? {
        let found = self.input.withUnsafeBytes { $0.firstIndex(ofByte: UInt8(ascii: "\n"), from: self.offset) }
        guard let end = found else { return nil }
        var line = self.input[self.offset..<end]
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        self.offset = end + 1
        return String(decoding: line, as: UTF8.self)
    }

    /// The lines of a whole head.
    private mutating func takeHead() -> [Substring]? {
        // Some clients send an empty line behind a body.
        while self.offset < self.input.count, self.input[self.offset] == 0x0D || self.input[self.offset] == 0x0A {
            self.offset += 1
        }
        let end = Array("\r\n\r\n".utf8)
        let found = self.input.withUnsafeBytes { input in
            end.withUnsafeBytes { ByteSearch.find($0, in: input.slice(self.offset..<input.count)) }
        }
        guard let count = found else { return nil }
        let text = String(decoding: self.input[self.offset..<self.offset + count], as: UTF8.self)
        self.offset += count + end.count
        return text.split(separator: "\r\n")
    }

    /// Reads a head; `nil` to go on with the body.
    private mutating func begin(_ lines: [Substring]) -> Outcome? {
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3, first[2].hasPrefix("HTTP/1.") else { return .refuse(400) }
        self.request = ReceivedRequest(method: String(first[0]), path: String(first[1].prefix { $0 != "?" }))
        self.request.query = String(first[1].drop { $0 != "?" }.dropFirst())
        self.request.keepsAlive = first[2] != "HTTP/1.0"
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return .refuse(400) }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            self.request.headers[line[..<colon].lowercased()] = String(value)
        }
        let connection = self.request.headers["connection"]?.lowercased()
        if connection == "close" { self.request.keepsAlive = false }
        if connection == "keep-alive" { self.request.keepsAlive = true }
        if self.request.headers["transfer-encoding"]?.lowercased().contains("chunked") == true {
            self.phase = .chunkSize
        } else {
            let length = self.request.headers["content-length"].map { Int($0) ?? -1 } ?? 0
            if length < 0 { return .refuse(400) }
            if length > self.bodyByteCountMax { return .refuse(413) }
            if length == 0 { return self.finish() }
            self.phase = .body(left: length)
        }
        return self.request.headers["expect"]?.lowercased() == "100-continue" ? .sendContinue : nil
    }

    private mutating func finish() -> Outcome {
        self.phase = .head
        let request = self.request
        self.request = ReceivedRequest()
        return .request(request)
    }
}
