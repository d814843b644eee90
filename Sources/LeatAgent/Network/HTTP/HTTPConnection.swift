internal import Glibc
internal import LeatCore
internal import LeatParsing

/// A server to send requests to.
struct Endpoint: Hashable, Sendable {
    var host: String
    var port: Int
    var connectTimeout = Duration.seconds(10)
    /// Longest wait for an answer to begin, and while a request is sent for the server to take more of it.
    var responseTimeout = Duration.seconds(60)
    /// Longest silence within an answer; `nil`: as long as the wait for its beginning.
    var readIdleTimeout: Duration?
    /// How long an idle connection stays open.
    var idleTimeout = Duration.seconds(30)
    var keepsAlive = true
    /// Requests after which a connection is closed; `nil`: any number.
    var requestCountMax: Int?
    /// Local address of connections.
    var sourceAddress: String?
    /// A socket of the file system instead of host and port.
    var path: String?
    /// What stands between.
    var proxy: Proxy?

    /// `host:port`, for messages; the path of a socket.
    var authority: String {
        if let path { return path }
        return "\(self.bracketedHost):\(self.port)"
    }

    /// What the `Host` header says: the port only where it is not the scheme's own, since servers compare and sign it so.
    func hostHeader(isEncrypted: Bool) -> String {
        self.path == nil && self.port == (isEncrypted ? 443 : 80) ? self.bracketedHost : self.authority
    }

    private var bracketedHost: String { self.host.contains(":") ? "[\(self.host)]" : self.host }
}

/// A request without its body.
struct HTTPRequest {
    var method = "POST"
    var path = "/"
    var headers: [(name: String, value: String)] = []
    /// How the request is signed on its way out; `nil`: not.
    var signature: SignatureV4?

    private static let ownHeaders: Set<String> = ["User-Agent", "Content-Type"]

    /// Adds a header that the user wants; it takes the place of ours.
    mutating func add(header name: String, _ value: String) {
        self.headers.removeAll { Self.ownHeaders.contains($0.name) && $0.name.equalsIgnoringCase(name) }
        self.headers.append((name, value))
    }
}

/// A request that got no answer, or none that could be read.
struct HTTPFailure: Error, Hashable, Sendable {
    let reason: String
    /// Whether the server may have acted on the request.
    let wasSent: Bool
}

/// One connection to a server, which sends one request at a time and is kept open between them.
final class HTTPConnection {
    private enum Phase { case closed, connecting, idle, busy }

    /// A response read in pieces of this size.
    private static let readByteCount = 64 << 10

    private let endpoint: Endpoint
    private let connector: Connector
    /// A proxy that gets the requests themselves, since they are not encrypted.
    private let readingProxy: Proxy?
    private let isEncrypted: Bool
    private let loop: EventLoop

    private var phase = Phase.closed
    private var descriptor: Int32 = -1
    private var stream: (any ByteStream)?
    private var head: [UInt8] = []
    private var body: [UInt8] = []
    private var sentCount = 0
    private var hasConnected = false
    /// Requests on the open connection.
    private var requestCount = 0
    private var isReused = false
    private var mayRetry = false
    private var parser = HTTPResponseParser()
    private var onBody: (UnsafeRawBufferPointer) -> Void = { _ in }
    private var completion: ((Result<HTTPResponseParser.Head, HTTPFailure>) -> Void)?
    private var timer: TimerQueue.ID?
    private var lastProgress: UInt64 = 0

    init(endpoint: Endpoint, tls: TLSClient?, loop: EventLoop) {
        self.endpoint = endpoint
        self.connector = Connector(endpoint: endpoint, tls: tls, loop: loop)
        self.readingProxy = tls == nil ? endpoint.proxy : nil
        self.isEncrypted = tls != nil
        self.loop = loop
    }

    deinit { if self.descriptor >= 0 { _ = Glibc.close(self.descriptor) } }

    /// Whether a request is on its way.
    var isBusy: Bool { self.completion != nil }

    /// Sends a request; `onBody` gets the response's body as it arrives, `completion` its head at the end.
    func send(
        _ request: HTTPRequest,
        body: [UInt8],
        onBody: @escaping (UnsafeRawBufferPointer) -> Void,
        completion: @escaping (Result<HTTPResponseParser.Head, HTTPFailure>) -> Void
    ) {
        precondition(self.completion == nil, "one request at a time")
        self.head = self.headBytes(request, body: body)
        self.body = body
        self.sentCount = 0
        self.parser = HTTPResponseParser(isHeadRequest: request.method == "HEAD")
        self.onBody = onBody
        self.completion = completion
        self.isReused = self.phase == .idle
        self.mayRetry = self.isReused
        self.noteProgress()
        if self.isReused {
            self.phase = .busy
            self.setTimer(self.endpoint.responseTimeout)
            self.write()
        } else {
            self.connect()
        }
    }

    /// Ends the connection; a running request fails.
    func close() {
        self.fail("the agent closed the connection")
        self.drop()
    }

    private func headBytes(_ request: HTTPRequest, body: [UInt8]) -> [UInt8] {
        let host = self.endpoint.hostHeader(isEncrypted: self.isEncrypted)
        let server = self.readingProxy == nil ? "" : "http://\(host)"
        var text = "\(request.method) \(server)\(request.path) HTTP/1.1\r\nHost: \(host)\r\n"
        text += self.readingProxy?.header ?? ""
        var headers = request.headers
        if let signature = request.signature {
            headers += signature.headers(for: request, host: host, body: body, now: self.loop.time.now())
        }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        text += "Content-Length: \(body.count)\r\n"
        text += self.endpoint.keepsAlive ? "\r\n" : "Connection: close\r\n\r\n"
        return Array(text.utf8)
    }

    private func noteProgress() { self.lastProgress = self.loop.time.monotonicNanoseconds() }
}

// MARK: - Connecting

extension HTTPConnection {
    private func connect() {
        self.phase = .connecting
        self.hasConnected = false
        self.requestCount = 0
        self.connector.start { [weak self] result in
            switch result {
            case .failure(let failure): self?.fail(failure.reason)
            case .success(let connected): self?.didConnect(connected)
            }
        }
    }

    private func didConnect(_ connected: Connector.Connected) {
        self.descriptor = connected.descriptor
        self.stream = connected.stream
        self.hasConnected = true
        self.phase = .busy
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: [.read, .write]) { [weak self] in self?.ready($0) }
        } catch {
            return self.fail("\(error)")
        }
        self.noteProgress()
        self.setTimer(self.endpoint.responseTimeout)
        self.write()
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        switch self.phase {
        case .closed, .connecting: return
        case .idle:
            // Nothing was asked: the server has closed, or speaks out of turn.
            self.drop()
        case .busy:
            if readiness.isReadable { self.read() }
            if self.phase == .busy, readiness.isWritable { self.write() }
        }
    }
}

// MARK: - Sending and receiving

extension HTTPConnection {
    private func write() {
        let total = self.head.count + self.body.count
        while self.sentCount < total, let stream = self.stream {
            let isHead = self.sentCount < self.head.count
            let offset = isHead ? self.sentCount : self.sentCount - self.head.count
            let result = (isHead ? self.head : self.body).withUnsafeBytes { stream.write($0.slice(offset..<$0.count)) }
            switch result {
            case .bytes(let count):
                self.sentCount += count
                self.noteProgress()
            case .waitForWrite: return self.loop.change(self.descriptor, to: [.read, .write])
            case .waitForRead: return self.loop.change(self.descriptor, to: .read)
            case .closed: return self.connectionLost("the server closed the connection")
            case .failed(let reason): return self.connectionLost(reason)
            }
        }
        self.loop.change(self.descriptor, to: .read)
    }

    private func read() {
        withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 16) { buffer in
            while self.phase == .busy, let stream = self.stream {
                switch stream.read(into: buffer) {
                case .bytes(let count):
                    self.noteProgress()
                    self.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .waitForRead:
                    if self.sentCount < self.head.count + self.body.count { self.write() }
                    return
                case .waitForWrite: return self.loop.change(self.descriptor, to: [.read, .write])
                case .closed: return self.didClose()
                case .failed(let reason): return self.connectionLost(reason)
                }
            }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        self.mayRetry = false
        do throws(HTTPResponseParser.Malformed) {
            _ = try self.parser.consume(bytes, body: self.onBody)
        } catch {
            return self.fail(error.reason)
        }
        if self.parser.isDone { return self.succeed() }
        // An answer that has begun may have another limit than its beginning.
        if let limit = self.endpoint.readIdleTimeout, self.parser.hasHead { self.setTimer(limit) }
    }

    private func didClose() {
        do throws(HTTPResponseParser.Malformed) {
            try self.parser.close()
            self.succeed()
        } catch {
            self.connectionLost(error.reason)
        }
    }

    /// A kept connection that the server had closed meanwhile is opened again, once and unseen.
    private func connectionLost(_ reason: String) {
        guard self.mayRetry else { return self.fail(reason) }
        self.mayRetry = false
        self.drop()
        self.sentCount = 0
        self.connect()
    }

    private func succeed() {
        let head = self.parser.head
        // A response before the whole request was sent leaves the connection in an unknown state.
        let isWhole = self.sentCount == self.head.count + self.body.count
        self.requestCount += 1
        let isWorn = self.endpoint.requestCountMax.map { self.requestCount >= $0 } ?? false
        if head.keepsAlive, self.endpoint.keepsAlive, isWhole, !isWorn {
            self.phase = .idle
            self.setTimer(self.endpoint.idleTimeout)
        } else {
            self.drop()
        }
        self.finish(.success(head))
    }

    private func fail(_ reason: String) {
        guard self.completion != nil else { return }
        let wasSent = self.hasConnected && self.sentCount > self.head.count
        self.drop()
        self.finish(.failure(HTTPFailure(reason: reason, wasSent: wasSent)))
    }

    private func finish(_ result: Result<HTTPResponseParser.Head, HTTPFailure>) {
        self.body = []
        self.onBody = { _ in }
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }

    private func drop() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        self.connector.cancel()
        self.stream?.shutDown()
        self.closeSocket()
        self.phase = .closed
    }

    private func closeSocket() {
        self.stream = nil
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func setTimer(_ delay: Duration) {
        if let timer { self.loop.cancel(timer) }
        self.timer = self.loop.schedule(after: delay) { [weak self] in self?.timeIsOver() }
    }

    private func timeIsOver() {
        self.timer = nil
        switch self.phase {
        case .closed, .connecting: return
        case .idle: self.drop()
        case .busy:
            // Slow is not silent: wait again from the last sign of life.
            let limit = self.silenceLimit
            let quiet = self.loop.time.monotonicNanoseconds() - self.lastProgress
            if quiet < limit.wholeNanoseconds {
                let rest = Duration.nanoseconds(Int64(limit.wholeNanoseconds - quiet))
                self.timer = self.loop.schedule(after: rest) { [weak self] in self?.timeIsOver() }
            } else if self.parser.hasHead {
                self.fail("read idle timeout reached: \(self.endpoint.authority) says nothing more for \(limit)")
            } else {
                self.fail("response timeout reached: no answer from \(self.endpoint.authority) within \(limit)")
            }
        }
    }

    /// How long the server may say nothing now.
    private var silenceLimit: Duration {
        self.parser.hasHead
            ? self.endpoint.readIdleTimeout ?? self.endpoint.responseTimeout : self.endpoint.responseTimeout
    }
}
