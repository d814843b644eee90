internal import LeatCore

/// Takes an HTTP/1.1 response apart as it arrives; its size does not matter, since the body is only passed on.
struct HTTPResponseParser {
    /// What is known once the head has arrived.
    struct Head: Hashable, Sendable {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        /// Whether the connection may serve another request.
        var keepsAlive = true
    }

    /// A response that is not HTTP, with the reason.
    struct Malformed: Error { let reason: String }

    private enum Phase {
        case head
        case body(left: UInt64)
        case bodyUntilClose
        case chunkSize
        case chunk(left: UInt64)
        case chunkEnd
        case trailer
        case done
    }

    private static let lineByteCountMax = 64 << 10

    private var phase = Phase.head
    private var line: [UInt8] = []
    private var isFirstLine = true
    private let isHeadRequest: Bool

    private(set) var head = Head()

    /// `isHeadRequest`: the response has no body whatever its head says.
    init(isHeadRequest: Bool = false) { self.isHeadRequest = isHeadRequest }

    var isDone: Bool { if case .done = self.phase { true } else { false } }

    /// Whether the head has arrived.
    var hasHead: Bool { if case .head = self.phase { false } else { true } }

    /// Takes bytes that arrived, and calls `body` with those of the response's body.
    ///
    /// The number of bytes used: fewer than given only when the response is done.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer,
        body: (UnsafeRawBufferPointer) -> Void
    ) throws(Malformed) -> Int {
        var offset = 0
        while offset < bytes.count {
            switch self.phase {
            case .done: return offset
            case .body(let left), .chunk(let left):
                let count = Int(min(left, UInt64(bytes.count - offset)))
                body(bytes.slice(offset..<(offset + count)))
                offset += count
                self.didRead(count, of: left)
            case .bodyUntilClose:
                body(bytes.slice(offset..<bytes.count))
                offset = bytes.count
            case .head, .chunkSize, .chunkEnd, .trailer:
                let end = bytes.firstIndex(ofByte: UInt8(ascii: "\n"), from: offset)
                self.line.append(contentsOf: bytes.slice(offset..<(end ?? bytes.count)))
                if self.line.count > Self.lineByteCountMax { throw Malformed(reason: "a line of the head is too long") }
                offset = end.map { $0 + 1 } ?? bytes.count
                if end != nil { try self.takeLine() }
            }
        }
        return offset
    }

    /// The other side closed the connection.
    mutating func close() throws(Malformed) {
        switch self.phase {
        case .bodyUntilClose: self.phase = .done
        case .done: return
        default: throw Malformed(reason: "the connection was closed in the middle of a response")
        }
    }

    private mutating func didRead(_ count: Int, of left: UInt64) {
        let rest = left - UInt64(count)
        if case .chunk = self.phase {
            self.phase = rest == 0 ? .chunkEnd : .chunk(left: rest)
        } else {
            self.phase = rest == 0 ? .done : .body(left: rest)
        }
    }

    private mutating func takeLine() throws(Malformed) {
        if self.line.last == UInt8(ascii: "\r") { self.line.removeLast() }
        let text = String(decoding: self.line, as: UTF8.self)
        self.line.removeAll(keepingCapacity: true)
        switch self.phase {
        case .head: try self.takeHeadLine(text)
        case .chunkSize:
            // Some servers put white space around it.
            let digits = text.drop { $0 == " " || $0 == "\t" }.prefix { $0.isHexDigit }
            guard let size = UInt64(digits, radix: 16) else { throw Malformed(reason: "'\(text)' is no chunk size") }
            self.phase = size == 0 ? .trailer : .chunk(left: size)
        case .chunkEnd: self.phase = .chunkSize
        case .trailer: if text.isEmpty { self.phase = .done }
        default: preconditionFailure("a line in \(self.phase)")
        }
    }

    private mutating func takeHeadLine(_ text: String) throws(Malformed) {
        if self.isFirstLine {
            let parts = text.split(separator: " ", maxSplits: 2)
            guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
                throw Malformed(reason: "'\(text.prefix(60))' is no HTTP response")
            }
            self.head = Head(status: status)
            self.head.keepsAlive = parts[0] != "HTTP/1.0"
            self.isFirstLine = false
        } else if text.isEmpty {
            self.isFirstLine = true
            // 100 Continue and its like precede the response proper.
            if self.head.status >= 200 { self.beginBody() }
        } else if let colon = text.firstIndex(of: ":") {
            let name = text[..<colon].lowercased()
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            self.head.headers[name] = String(value)
        }
    }

    private mutating func beginBody() {
        let connection = self.head.headers["connection"]?.lowercased()
        if connection == "close" { self.head.keepsAlive = false }
        if connection == "keep-alive" { self.head.keepsAlive = true }
        if self.isHeadRequest || self.head.status == 204 || self.head.status == 304 {
            self.phase = .done
        } else if self.head.headers["transfer-encoding"]?.lowercased().contains("chunked") == true {
            self.phase = .chunkSize
        } else if let text = self.head.headers["content-length"], let count = UInt64(text) {
            self.phase = count == 0 ? .done : .body(left: count)
        } else {
            self.phase = .bodyUntilClose
            self.head.keepsAlive = false
        }
    }
}
