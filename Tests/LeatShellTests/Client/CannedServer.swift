import Glibc
import LeatCore
import Synchronization

/// A tiny HTTP server for tests: each request gets the bytes that the test's handler gives, then the connection closes,
/// unless the handler keeps it for `push`.
final class CannedServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var headers: String
        var body: String
    }

    enum Answer: Sendable {
        case reply(status: Int, body: String)
        /// A stream that stays open; lines come by `push`.
        case stream(String)
        /// These bytes, head included.
        case raw(String)
        /// The connection is closed without an answer.
        case nothing
    }

    let port: Int
    private let listener: Int32
    private let streams = Mutex<[Int32]>([])
    private let seen = Mutex<[Request]>([])
    private let handler: @Sendable (Request) -> Answer

    init(_ handler: @escaping @Sendable (Request) -> Answer) {
        self.handler = handler
        signal(SIGPIPE, SIG_IGN)
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        _ = fcntl(self.listener, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.listener
        self.port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(descriptor, address, length)
                _ = listen(descriptor, 16)
                _ = getsockname(descriptor, address, &length)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        _ = WorkerThread(name: "canned-server") { self.accept() }
    }

    /// A server that gives these answers one after the other, and the last of them from then on.
    convenience init(answering answers: Answer...) {
        let count = Mutex(0)
        self.init { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return answers[min(number, answers.count) - 1]
        }
    }

    var url: String { "http://127.0.0.1:\(self.port)" }
    var requests: [Request] { self.seen.withLock { $0 } }
    var streamCount: Int { self.streams.withLock { $0.count } }

    /// Ends the server; its thread closes the listener, or another server could get its number meanwhile.
    func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
        self.dropStreams()
    }

    /// Sends a line to all open streams.
    func push(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        self.streams.withLock { streams in
            for stream in streams { _ = write(stream, bytes, bytes.count) }
        }
    }

    /// Closes all open streams.
    func dropStreams() {
        self.streams.withLock { streams in
            for stream in streams { Self.end(stream) }
            streams = []
        }
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(self.listener, nil, nil)
            guard connection >= 0 else {
                close(self.listener)
                return
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            self.serve(connection)
        }
    }

    private func serve(_ connection: Int32) {
        guard let request = Self.read(connection) else {
            close(connection)
            return
        }
        self.seen.withLock { $0.append(request) }
        switch self.handler(request) {
        case .nothing: Self.end(connection)
        case .reply(let status, let body):
            Self.send(connection, Self.head(status, "Content-Length: \(body.utf8.count)\r\n") + body)
            Self.end(connection)
        case .raw(let text):
            Self.send(connection, text)
            Self.end(connection)
        case .stream(let body):
            Self.send(connection, Self.head(200) + body)
            self.streams.withLock { $0.append(connection) }
        }
    }

    /// Closes a connection even if a program that was started meanwhile has inherited it.
    private static func end(_ connection: Int32) {
        shutdown(connection, Int32(SHUT_RDWR))
        close(connection)
    }

    private static func head(_ status: Int, _ length: String = "") -> String {
        "HTTP/1.1 \(status) Canned\r\nContent-Type: application/x-ndjson\r\n\(length)Connection: close\r\n\r\n"
    }

    private static func send(_ connection: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            written += count
        }
    }

    private static func read(_ connection: Int32) -> Request? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(connection, &buffer, buffer.count)
            if count <= 0 { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let head = String(text[..<end.lowerBound])
            let length = head.split(separator: "\r\n").compactMap { line -> Int? in
                line.lowercased().hasPrefix("content-length:") ? Int(line.dropFirst(15).filter(\.isNumber)) : nil
            }.first
            let body = String(text[end.upperBound...])
            if body.utf8.count < length ?? 0 { continue }
            let words = head.split(separator: " ", maxSplits: 2)
            guard words.count == 3 else { return nil }
            return Request(method: String(words[0]), path: String(words[1]), headers: head, body: body)
        }
    }
}
