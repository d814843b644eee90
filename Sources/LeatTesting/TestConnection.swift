internal import Glibc
public import LeatCore

/// What a server answered.
public struct TestAnswer: Sendable {
    public let status: Int
    /// Names in lower case.
    public let headers: [String: String]
    public let body: [UInt8]

    /// The body as text.
    public var text: String { String(decoding: self.body, as: UTF8.self) }
    /// The lines of the body, without empty ones.
    public var lines: [String] { self.text.split(separator: "\n").map(String.init) }
    /// The body as JSON; `nil` when it is none.
    public var json: JSONValue? {
        do { return try self.body.withUnsafeBytes { try JSONValue($0) } } catch { return nil }
    }
}

/// A plain HTTP/1.1 connection over a socket, which blocks its thread.
public final class TestConnection {
    private let socket: Int32
    private var buffer: [UInt8] = []

    /// Connects to a port of this machine.
    public init(port: Int) throws {
        self.socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(self.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestFailure("cannot connect: \(errno)") }
    }

    deinit { close(self.socket) }

    /// Closes the side that sends.
    public func finishSending() { shutdown(self.socket, Int32(SHUT_WR)) }

    /// Sends bytes.
    public func write(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    self.socket,
                    $0.baseAddress.map { $0 + start },
                    bytes.count - start,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw TestFailure("cannot send: \(errno)") }
            start += count
        }
    }

    /// Sends a text.
    public func write(_ text: String) throws { try self.write(Array(text.utf8)) }

    /// Sends a request and reads its answer.
    public func send(
        _ method: String,
        _ path: String,
        body: [UInt8]? = nil,
        headers: [String: String] = [:]
    ) throws -> TestAnswer {
        var head = "\(method) \(path) HTTP/1.1\r\n"
        var headers = headers
        if headers["Host"] == nil { headers["Host"] = "127.0.0.1:9200" }
        if let body { headers["Content-Length"] = "\(body.count)" }
        for (name, value) in headers where !value.isEmpty { head += "\(name): \(value)\r\n" }
        try self.write(Array((head + "\r\n").utf8) + (body ?? []))
        return try self.answer(isHead: method == "HEAD")
    }

    /// Reads one answer.
    public func answer(isHead: Bool = false) throws -> TestAnswer {
        let (status, headers) = try self.head()
        if isHead || status == 204 || status < 200 { return TestAnswer(status: status, headers: headers, body: []) }
        if headers["transfer-encoding"] == "chunked" {
            var body: [UInt8] = []
            while let chunk = try self.chunk() { body += chunk }
            return TestAnswer(status: status, headers: headers, body: body)
        }
        let count = Int(headers["content-length"] ?? "0") ?? 0
        return TestAnswer(status: status, headers: headers, body: try self.take(count))
    }

    /// Reads answers until the other side has closed the connection.
    ///
    /// - Throws: When it stays open.
    public func answersUntilClosed() throws -> [TestAnswer] {
        var answers: [TestAnswer] = []
        while true {
            do {
                answers.append(try self.answer())
            } catch {
                var byte: UInt8 = 0
                let count = recv(self.socket, &byte, 1, Int32(MSG_DONTWAIT))
                if count == 0 || count < 0 && errno != EAGAIN && errno != EWOULDBLOCK { return answers }
                throw TestFailure("the connection is still open")
            }
        }
    }

    /// Reads the head of an answer.
    public func head() throws -> (status: Int, headers: [String: String]) {
        let first = try self.line().split(separator: " ")
        var headers: [String: String] = [:]
        while true {
            let line = try self.line()
            if line.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        return (Int(first.count > 1 ? first[1] : "") ?? 0, headers)
    }

    /// Reads one chunk of a streamed answer; `nil` after the last.
    public func chunk() throws -> [UInt8]? {
        let count = Int(try self.line(), radix: 16) ?? 0
        let bytes = try self.take(count)
        _ = try self.line()
        return count == 0 ? nil : bytes
    }

    private func line() throws -> String {
        while true {
            if let end = self.buffer.firstIndex(of: 0x0A) {
                let line = self.buffer[..<end]
                self.buffer.removeFirst(end + 1)
                return String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
            }
            try self.fill()
        }
    }

    /// Reads as many bytes.
    public func take(_ count: Int) throws -> [UInt8] {
        while self.buffer.count < count { try self.fill() }
        defer { self.buffer.removeFirst(count) }
        return Array(self.buffer.prefix(count))
    }

    private func fill() throws {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.socket, &piece, piece.count, 0)
        guard count > 0 else { throw TestFailure("the connection ended: \(count < 0 ? errno : 0)") }
        self.buffer += piece[..<count]
    }
}

/// Something that a test cannot go on without.
public struct TestFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
