import Foundation

/// A bulk endpoint that counts documents and answers as Elasticsearch does; one thread per connection.
final class BulkSink: @unchecked Sendable {
    // Sound as Sendable: `lock` guards the count, everything else is set once.
    let port: Int
    private let listener: Int32
    private let lock = NSLock()
    private var documents = 0

    var documentCount: Int { self.lock.withLock { self.documents } }

    init() throws {
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socketNumber = self.listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socketNumber, $0, length) == 0 && listen(socketNumber, 64) == 0
                    && getsockname(socketNumber, $0, &length) == 0
            }
        }
        guard isBound else { throw BenchFailure("the sink cannot listen") }
        self.port = Int(in_port_t(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let connection = accept(self.listener, nil, nil), connection >= 0 {
                Thread.detachNewThread {
                    var requests = SinkRequests(connection: connection)
                    while let documents = requests.next() {
                        self.lock.withLock { self.documents += documents }
                        guard requests.answer(documents) else { break }
                    }
                    close(connection)
                }
            }
        }
    }

    /// Stops listening; open connections end with their clients.
    func stop() { shutdown(self.listener, Int32(SHUT_RDWR)) }
}

/// The requests of one connection, read only as far as counting needs.
private struct SinkRequests {
    let connection: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var start = 0
    private var end = 0

    init(connection: Int32) { self.connection = connection }

    private mutating func fill() -> Bool {
        if self.start == self.end {
            self.start = 0
            self.end = 0
        }
        let used = self.end
        let count = self.buffer.withUnsafeMutableBytes { bytes in
            recv(self.connection, bytes.baseAddress?.advanced(by: used), bytes.count - used, 0)
        }
        self.end += max(count, 0)
        return count > 0
    }

    /// Number of documents of the next request; `nil` when the client is gone.
    mutating func next() -> Int? {
        guard var left = self.readContentLength() else { return nil }
        var newlines = 0
        while left > 0 {
            if self.start == self.end, !self.fill() { return nil }
            let taken = min(left, self.end - self.start)
            for index in self.start..<self.start + taken where self.buffer[index] == 10 { newlines += 1 }
            self.start += taken
            left -= taken
        }
        return newlines / 2
    }

    private mutating func readContentLength() -> Int? {
        let border: [UInt8] = [13, 10, 13, 10]
        while true {
            if let range = self.buffer[self.start..<self.end].firstRange(of: border) {
                let head = String(decoding: self.buffer[self.start..<range.lowerBound], as: UTF8.self).lowercased()
                self.start = range.upperBound
                return head.firstMatch(of: /content-length:\s*(\d+)/).flatMap { Int($0.output.1) } ?? 0
            }
            guard self.fill() else { return nil }
        }
    }

    /// Says that everything was stored; whether the client took the answer.
    func answer(_ documents: Int) -> Bool {
        let items = Array(repeating: "{\"create\":{\"status\":201}}", count: documents).joined(separator: ",")
        let body = "{\"took\":1,\"errors\":false,\"items\":[\(items)]}"
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let bytes = Array((head + body).utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(self.connection, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
