internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// A request that arrived.
struct ReceivedRequest {
    var method = ""
    /// The path without its query.
    var path = ""
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Whether the other side is on this machine.
    var isLocal = false
}

/// An answer.
struct Answer {
    var status = 200
    var contentType = "application/json"
    var body: [UInt8] = []

    /// An answer of text.
    static func text(_ text: String, status: Int = 200, contentType: String = "text/plain") -> Answer {
        Answer(status: status, contentType: contentType, body: Array(text.utf8))
    }

    /// An answer of JSON text.
    static func json(_ text: String, status: Int = 200) -> Answer { Answer(status: status, body: Array(text.utf8)) }
}

/// A small HTTP/1.1 server on the loop: one request per connection, answered at once.
final class HTTPListener {
    private static let connectionCountMax = 64
    private static let headByteCountMax = 16 << 10

    private let loop: EventLoop
    private let bodyByteCountMax: Int
    private let handler: (ReceivedRequest) -> Answer
    private var descriptor: Int32 = -1
    private var connections: [Int32: Connection] = [:]

    /// The port that is listened on.
    private(set) var port = 0

    /// One connection and what has arrived on it.
    private final class Connection {
        let descriptor: Int32
        let isLocal: Bool
        var input: [UInt8] = []
        var output: [UInt8] = []
        var timer: TimerQueue.ID?

        init(descriptor: Int32, isLocal: Bool) {
            self.descriptor = descriptor
            self.isLocal = isLocal
        }
    }

    init(
        loop: EventLoop,
        host: String,
        port: Int,
        bodyByteCountMax: Int = 1 << 20,
        handler: @escaping (ReceivedRequest) -> Answer
    ) throws(InputError) {
        self.loop = loop
        self.bodyByteCountMax = bodyByteCountMax
        self.handler = handler
        (self.descriptor, self.port) = try ListeningSocket.open(host: host, port: port)
        do throws(FileSystemError) {
            try loop.watch(self.descriptor, for: .read) { [weak self] _ in self?.accept() }
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    /// Ends all connections and listens no more.
    func close() {
        for connection in Array(self.connections.values) { self.drop(connection) }
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func accept() {
        while true {
            let descriptor = leat_accept(self.descriptor)
            if descriptor < 0 { return }
            if self.connections.count >= Self.connectionCountMax {
                _ = Glibc.close(descriptor)
                continue
            }
            let connection = Connection(descriptor: descriptor, isLocal: ListeningSocket.isPeerLocal(descriptor))
            self.connections[descriptor] = connection
            connection.timer = self.loop.schedule(after: .seconds(30)) { [weak self] in self?.drop(connection) }
            do throws(FileSystemError) {
                try self.loop.watch(descriptor, for: .read) { [weak self] in self?.ready(connection, $0) }
            } catch {
                self.drop(connection)
            }
        }
    }

    private func drop(_ connection: Connection) {
        guard self.connections.removeValue(forKey: connection.descriptor) != nil else { return }
        if let timer = connection.timer { self.loop.cancel(timer) }
        self.loop.unwatch(connection.descriptor)
        _ = Glibc.close(connection.descriptor)
    }

    private func ready(_ connection: Connection, _ readiness: EventLoop.Readiness) {
        if !connection.output.isEmpty { return self.write(connection) }
        var isClosed = false
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            while true {
                let count = recv(connection.descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 {
                    connection.input.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else {
                    isClosed = count == 0 || (errno != EAGAIN && errno != EINTR)
                    return
                }
                if connection.input.count > Self.headByteCountMax + self.bodyByteCountMax { return }
            }
        }
        switch self.parse(connection) {
        case .waiting: if isClosed { self.drop(connection) }
        case .broken(let status): self.answer(connection, .json("{\"error\":\"bad request\"}", status: status))
        case .request(let request): self.answer(connection, self.handler(request))
        }
    }

    private enum Parsed {
        case waiting
        case broken(Int)
        case request(ReceivedRequest)
    }

    private func parse(_ connection: Connection) -> Parsed {
        let end = Array("\r\n\r\n".utf8)
        let found = connection.input.withUnsafeBytes { input in
            end.withUnsafeBytes { ByteSearch.find($0, in: input) }
        }
        guard let headEnd = found else {
            return connection.input.count > Self.headByteCountMax ? .broken(431) : .waiting
        }
        let lines = String(decoding: connection.input[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3, first[2].hasPrefix("HTTP/1.") else { return .broken(400) }
        var request = ReceivedRequest()
        request.method = String(first[0])
        request.path = String(first[1].prefix { $0 != "?" })
        request.isLocal = connection.isLocal
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            request.headers[line[..<colon].lowercased()] = String(value)
        }
        let length = request.headers["content-length"].map { Int($0) ?? -1 } ?? 0
        if length < 0 { return .broken(400) }
        if length > self.bodyByteCountMax { return .broken(413) }
        guard connection.input.count >= headEnd + 4 + length else { return .waiting }
        request.body = Array(connection.input[(headEnd + 4)..<(headEnd + 4 + length)])
        return .request(request)
    }

    private func answer(_ connection: Connection, _ answer: Answer) {
        let head =
            "HTTP/1.1 \(answer.status) \(Self.reason(answer.status))\r\nContent-Type: \(answer.contentType)\r\n"
            + "Content-Length: \(answer.body.count)\r\nConnection: close\r\n\r\n"
        connection.output = Array(head.utf8) + answer.body
        self.write(connection)
    }

    private func write(_ connection: Connection) {
        while !connection.output.isEmpty {
            let count = connection.output.withUnsafeBytes {
                send(connection.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EAGAIN { return self.loop.change(connection.descriptor, to: .write) }
                return self.drop(connection)
            }
            connection.output.removeFirst(count)
        }
        self.drop(connection)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200..<300: "OK"
        case 404: "Not Found"
        case 403: "Forbidden"
        case 405: "Method Not Allowed"
        case 500...: "Internal Server Error"
        default: "Bad Request"
        }
    }
}

/// Sockets that wait for connections.
enum ListeningSocket {
    /// Listens on an address, port 0 for one that the system chooses; the descriptor and the port.
    static func open(host: String, port: Int) throws(InputError) -> (descriptor: Int32, port: Int) {
        let place = "\(host):\(port)"
        guard case .success(let addresses) = Resolver.lookUp(host, port: port, isNumeric: false),
            let address = addresses.first
        else { throw InputError(description: "cannot listen on \(place): no such address") }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, type, 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let isBound = address.withPointer { bind(descriptor, $0, $1) } == 0
        guard descriptor >= 0, isBound, listen(descriptor, 128) == 0 else {
            let reason = PlainStream.reason(errno)
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
            throw InputError(description: "cannot listen on \(place): \(reason)")
        }
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &bound) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        // The port lies behind the family, in network order, for both kinds of address.
        let number = withUnsafeBytes(of: &bound) { Int($0[2]) << 8 | Int($0[3]) }
        return (descriptor, number)
    }

    /// Whether the other side of a connection is this machine.
    static func isPeerLocal(_ descriptor: Int32) -> Bool {
        var peer = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
        }
        guard result == 0 else { return false }
        let family = Int32(peer.ss_family)
        return withUnsafeBytes(of: &peer) { bytes in
            if family == AF_INET { return bytes[4] == 127 }
            let loopback = [UInt8](repeating: 0, count: 15) + [1]
            let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127]
            return bytes[8..<24].elementsEqual(loopback) || bytes[8..<21].elementsEqual(mapped)
        }
    }
}
