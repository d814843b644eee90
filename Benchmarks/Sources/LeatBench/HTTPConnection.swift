import Foundation

/// One kept-alive HTTP/1.1 connection over a blocking socket: enough to time a server, nothing more.
final class HTTPConnection {
    private let socketNumber: Int32
    private let port: Int
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var filled = 0
    private var consumed = 0

    init(port: Int) throws {
        self.port = port
        self.socketNumber = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.socketNumber, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchFailure("cannot connect to 127.0.0.1:\(port)") }
        var on: Int32 = 1
        setsockopt(self.socketNumber, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(self.socketNumber) }

    /// Sends a request and returns status and body of the answer, of which about `keptByteCount` bytes are kept.
    func send(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        keepsBody: Bool = true,
        keptByteCount: Int = .max
    ) throws -> (status: Int, body: Data, byteCount: Int) {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(self.port)\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += "\r\n"
        try Array(head.utf8).withUnsafeBytes { try self.write($0) }
        try self.write(body)
        return try self.readAnswer(keptByteCount: keepsBody ? keptByteCount : 0)
    }

    /// The rows, a line each, that leat gives to a request of its query endpoint.
    func ask(_ request: [String: Any]) throws -> Data {
        let answer = try JSONSerialization.data(withJSONObject: request).withUnsafeBytes {
            try self.send(
                "POST",
                "/api/v1/repositories/default/query",
                headers: ["Content-Type": "application/json", "Accept": "application/x-ndjson"],
                body: $0
            )
        }
        guard answer.status == 200 else {
            throw BenchFailure("\(request["queryString"] ?? ""): \(answer.status)")
        }
        return answer.body
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.send(self.socketNumber, start, rest.count, 0)
            guard count > 0 else { throw BenchFailure("connection lost while sending") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func fill() throws {
        if self.consumed == self.filled {
            self.consumed = 0
            self.filled = 0
        }
        let count = self.buffer.withUnsafeMutableBytes {
            recv(self.socketNumber, $0.baseAddress?.advanced(by: self.filled), $0.count - self.filled, 0)
        }
        guard count > 0 else { throw BenchFailure("connection closed before the answer ended") }
        self.filled += count
    }

    private func readLine() throws -> String {
        var line: [UInt8] = []
        while true {
            if self.consumed == self.filled { try self.fill() }
            let byte = self.buffer[self.consumed]
            self.consumed += 1
            if byte == 10 { break }
            if byte != 13 { line.append(byte) }
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads exactly `count` bytes and hands them on piece by piece.
    private func read(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        var left = count
        while left > 0 {
            if self.consumed == self.filled { try self.fill() }
            let piece = self.consumed..<self.consumed + min(left, self.filled - self.consumed)
            self.buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[piece])) }
            self.consumed = piece.upperBound
            left -= piece.count
        }
    }

    private func readAnswer(keptByteCount: Int) throws -> (status: Int, body: Data, byteCount: Int) {
        let statusLine = try self.readLine().split(separator: " ")
        guard statusLine.count > 1, let status = Int(statusLine[1]) else { throw BenchFailure("no HTTP answer") }
        var headers: [String: String] = [:]
        while case let line = try self.readLine(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        var data = Data()
        var byteCount = 0
        let take = { (piece: UnsafeRawBufferPointer) in
            byteCount += piece.count
            if data.count < keptByteCount, let start = piece.baseAddress {
                data.append(start.assumingMemoryBound(to: UInt8.self), count: piece.count)
            }
        }
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            while let size = Int(try self.readLine().prefix { $0 != ";" }, radix: 16), size > 0 {
                try self.read(size, take)
                _ = try self.readLine()
            }
            _ = try self.readLine()
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            try self.read(length, take)
        }
        return (status, data, byteCount)
    }
}
