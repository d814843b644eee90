import Glibc
import LeatCore
import LeatTesting
import Synchronization

@testable import LeatServer

/// A server in this process, on a port of the system's choice, with a data folder of its own.
final class TestServer: Sendable {
    let port: Int
    private let program: ServerProgram
    private let task: Task<Void, any Error>

    private init(port: Int, program: ServerProgram, task: Task<Void, any Error>) {
        self.port = port
        self.program = program
        self.task = task
    }

    /// Runs `body` beside a server, and stops it.
    static func with<Result: Sendable>(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        return try await Self.with(folder: folder, change, body)
    }

    /// Runs `body` beside a server over the data in a folder, and stops it.
    static func with<Result: Sendable>(
        folder: TemporaryFolder,
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.dataPath = folder.path("data")
        configuration.logLevel = .error
        change(&configuration)
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let program = ServerProgram(configuration) { continuation.yield($0) }
        let task = Task {
            defer { continuation.finish() }
            try await program.run(stopsOnSignals: false)
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            try await task.value
            throw TestFailure("the server gave no port")
        }
        let server = TestServer(port: port, program: program, task: task)
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    private func stop() async throws {
        await self.program.stop()
        try await self.task.value
    }

    /// Sends one request on a connection of its own.
    func send(
        _ method: String,
        _ path: String,
        _ body: [UInt8]? = nil,
        headers: [String: String] = [:]
    ) async throws -> TestAnswer {
        let port = self.port
        return try await onThread {
            let connection = try TestConnection(port: port)
            return try connection.send(method, path, body: body, headers: headers)
        }
    }

    /// Sends one request with a body of text.
    func send(
        _ method: String,
        _ path: String,
        _ body: String,
        headers: [String: String] = [:]
    ) async throws -> TestAnswer {
        try await self.send(method, path, Array(body.utf8), headers: headers)
    }

    /// The rows of a query, as JSON.
    func query(_ query: String, repository: String = "default") async throws -> [JSONValue] {
        let body = JSONValue.object([.init("queryString", .string(query)), .init("start", "all")])
        let answer = try await self.send("POST", "/api/v1/repositories/\(repository)/query", body.bytes)
        guard answer.status == 200 else { throw TestFailure("\(answer.status): \(answer.text)") }
        return try answer.lines.map { try JSONValue(parsing: $0) }
    }
}

/// What a server answered.
struct TestAnswer: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]

    var text: String { String(decoding: self.body, as: UTF8.self) }
    var lines: [String] { self.text.split(separator: "\n").map(String.init) }
    var json: JSONValue? {
        do { return try JSONValue(self.body) } catch { return nil }
    }
}

/// A plain HTTP/1.1 connection over a socket, which blocks its thread.
final class TestConnection {
    private let socket: Int32
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        self.socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var limit = timeval(tv_sec: 20, tv_usec: 0)
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
    func finishSending() { shutdown(self.socket, Int32(SHUT_WR)) }

    func write(_ bytes: [UInt8]) throws {
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

    func write(_ text: String) throws { try self.write(Array(text.utf8)) }

    func send(
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
    func answer(isHead: Bool = false) throws -> TestAnswer {
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

    /// Reads the head of an answer.
    func head() throws -> (status: Int, headers: [String: String]) {
        let first = try self.line().split(separator: " ")
        var headers: [String: String] = [:]
        while true {
            let line = try self.line()
            if line.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimming() : ""
        }
        return (Int(first.count > 1 ? first[1] : "") ?? 0, headers)
    }

    /// Reads one chunk of a streamed answer; `nil` after the last.
    func chunk() throws -> [UInt8]? {
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

    private func take(_ count: Int) throws -> [UInt8] {
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
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs blocking code on a thread of its own, so that the server's tasks find theirs.
func onThread<Success: Sendable>(_ body: @escaping @Sendable () throws -> Success) async throws -> Success {
    try await withCheckedThrowingContinuation { continuation in
        _ = WorkerThread(name: "client") { continuation.resume(with: Result(catching: body)) }
    }
}
