internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// Takes connections of other programs, over TCP or a socket of the file system, encrypted or not.
final class StreamServer {
    /// Where to listen, and what is allowed.
    struct Options {
        var host = "0.0.0.0"
        var port = 0
        var backlog = 128
        /// A socket of the file system instead of an address.
        var path: String?
        var permissions: mode_t = 0o644
        /// Further connections wait in the system's queue.
        var connectionCountMax = 1_024
        /// A connection on which nothing happens for so long is closed; `nil`: never.
        var idleTimeout: Duration?
        /// A connection whose handshake takes longer is closed, so that nobody can use all of them up by saying nothing.
        var acceptTimeout = Duration.seconds(10)
    }

    let loop: EventLoop
    let options: Options
    private let tls: TLSServer?
    private let opened: (ServerConnection) -> Void
    private var descriptor: Int32 = -1
    private var connections: [Int32: ServerConnection] = [:]
    private var isAccepting = true

    /// The port that is listened on; 0 for a path.
    private(set) var port = 0

    /// Listens; `opened` is called for each connection and sets what happens on it.
    init(
        _ options: Options,
        tls: TLSServer? = nil,
        loop: EventLoop,
        opened: @escaping (ServerConnection) -> Void
    ) throws(InputError) {
        self.options = options
        self.tls = tls
        self.loop = loop
        self.opened = opened
        if let path = options.path {
            self.descriptor = try ListeningSocket.open(path: path, permissions: options.permissions, isDatagram: false)
        } else {
            (self.descriptor, self.port) = try ListeningSocket.open(
                host: options.host,
                port: options.port,
                backlog: options.backlog
            )
        }
        do throws(FileSystemError) {
            try loop.watch(self.descriptor, for: .read) { [weak self] _ in self?.accept() }
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    /// Goes on reading from connections that were paused.
    func resume() { for connection in Array(self.connections.values) { connection.resume() } }

    /// Ends all connections and listens no more.
    func close() {
        for connection in Array(self.connections.values) { connection.close() }
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
        if let path = self.options.path { unlink(path) }
    }

    private func accept() {
        while self.descriptor >= 0 {
            guard self.connections.count < self.options.connectionCountMax else {
                self.isAccepting = false
                return self.loop.change(self.descriptor, to: [])
            }
            let descriptor = leat_accept(self.descriptor)
            if descriptor < 0 { return }
            let stream: any ByteStream
            switch self.tls?.accept(descriptor: descriptor) {
            case nil: stream = PlainStream(descriptor: descriptor)
            case .success(let encrypted): stream = encrypted
            case .failure:
                _ = Glibc.close(descriptor)
                continue
            }
            let connection = ServerConnection(descriptor: descriptor, stream: stream, server: self)
            self.connections[descriptor] = connection
            self.opened(connection)
            connection.resume()
        }
    }

    /// A connection has ended; there is room for another.
    fileprivate func forget(_ descriptor: Int32) {
        self.connections[descriptor] = nil
        guard !self.isAccepting, self.descriptor >= 0 else { return }
        self.isAccepting = true
        self.loop.change(self.descriptor, to: .read)
    }
}

/// A connection that another program has opened.
final class ServerConnection {
    private static let readByteCount = 64 << 10
    /// Pieces that are read before other descriptors have their turn.
    private static let readCountMax = 16
    /// While so much waits to be sent, nothing is read.
    private static let outputByteCountMax = 1 << 20

    let peer: SocketPeer

    /// Called with what has arrived; the bytes are valid only during the call.
    var received: (UnsafeRawBufferPointer) -> Void = { _ in }

    /// Called once, when nothing more will arrive.
    var ended: () -> Void = {}

    /// Answers that are still to be sent; while there are any, the connection outlives the other side's end.
    var pendingAnswerCount = 0 { didSet { if self.pendingAnswerCount == 0 { self.closeIfDone() } } }

    private let descriptor: Int32
    private var stream: (any ByteStream)?
    private weak var server: StreamServer?
    private let loop: EventLoop
    private var output: [UInt8] = []
    private var sentCount = 0
    /// Whether encryption must read before anything can be written.
    private var writeNeedsInput = false
    private var isWatched = false
    private var isPaused = true
    private var isAtEnd = false
    private var closesWhenSent = false
    private var idleTimer: TimerQueue.ID?
    private var acceptTimer: TimerQueue.ID?
    private var isActive = false

    fileprivate init(descriptor: Int32, stream: any ByteStream, server: StreamServer) {
        self.descriptor = descriptor
        self.stream = stream
        self.server = server
        self.loop = server.loop
        self.peer = SocketPeer(of: descriptor)
        self.planIdleTimer()
        if !stream.isEstablished { self.planAcceptTimer(server.options.acceptTimeout) }
    }

    /// Reads no more until `resume`; the other side waits.
    func pause() {
        self.isPaused = true
        self.watch()
    }

    /// Goes on reading.
    func resume() {
        guard self.isPaused, self.stream != nil else { return }
        self.isPaused = false
        self.watch()
        // What the encryption holds already wakes nobody.
        self.loop.enqueue { [weak self] in self?.read() }
    }

    /// Sends bytes as soon as there is room.
    func send(_ bytes: [UInt8]) {
        guard self.stream != nil else { return }
        self.output += bytes
        self.write()
    }

    /// Ends the connection once everything is sent.
    func closeWhenSent() {
        self.closesWhenSent = true
        self.closeIfDone()
    }

    /// Ends the connection now.
    func close() {
        guard let stream = self.stream else { return }
        self.stream = nil
        if let idleTimer { self.loop.cancel(idleTimer) }
        if let acceptTimer { self.loop.cancel(acceptTimer) }
        self.noteEnd()
        stream.shutDown()
        self.unwatch()
        _ = Glibc.close(self.descriptor)
        self.server?.forget(self.descriptor)
        self.received = { _ in }
        self.ended = {}
    }

    // MARK: reading

    private func ready(_ readiness: EventLoop.Readiness) {
        if readiness.isWritable, self.sentCount < self.output.count { self.write() }
        if readiness.isReadable { self.read() }
    }

    private func read() {
        guard self.stream != nil, !self.isPaused, !self.isAtEnd else { return }
        guard self.output.count - self.sentCount < Self.outputByteCountMax else { return }
        withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 16) { buffer in
            for _ in 0..<Self.readCountMax {
                guard let stream = self.stream, !self.isPaused, !self.isAtEnd else { return }
                switch stream.read(into: buffer) {
                case .bytes(let count):
                    self.isActive = true
                    self.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .waitForRead:
                    if self.writeNeedsInput { self.write() }
                    return
                case .waitForWrite: return self.watch(forWriting: true)
                case .closed: return self.didEnd()
                case .failed: return self.close()
                }
            }
            self.loop.enqueue { [weak self] in self?.read() }
        }
    }

    private func didEnd() {
        self.noteEnd()
        self.watch()
        self.closeIfDone()
    }

    private func noteEnd() {
        guard !self.isAtEnd else { return }
        self.isAtEnd = true
        self.ended()
    }

    // MARK: writing

    private func write() {
        self.writeNeedsInput = false
        while self.sentCount < self.output.count, let stream = self.stream {
            let result = self.output.withUnsafeBytes { stream.write($0.slice(self.sentCount..<$0.count)) }
            switch result {
            case .bytes(let count):
                self.sentCount += count
                self.isActive = true
            case .waitForWrite: return self.watch()
            case .waitForRead:
                self.writeNeedsInput = true
                return self.watch()
            case .closed, .failed: return self.close()
            }
        }
        let hadMuch = self.sentCount >= Self.outputByteCountMax
        self.output.removeAll(keepingCapacity: self.output.capacity <= 65_536)
        self.sentCount = 0
        if hadMuch { self.loop.enqueue { [weak self] in self?.read() } }
        self.watch()
        self.closeIfDone()
    }

    private func closeIfDone() {
        let isSent = self.sentCount == self.output.count
        guard isSent, self.closesWhenSent || (self.isAtEnd && self.pendingAnswerCount == 0) else { return }
        // Not from within a callback of the connection.
        self.loop.enqueue { [weak self] in self?.close() }
    }

    // MARK: the loop

    /// Waits for what there is to wait for; for nothing, the system must not wake the loop with a dead connection.
    private func watch(forWriting: Bool = false) {
        guard self.stream != nil else { return }
        var interest: EventLoop.Interest = []
        let waiting = self.output.count - self.sentCount
        if !self.isPaused, !self.isAtEnd, waiting < Self.outputByteCountMax { interest.insert(.read) }
        if (waiting > 0 && !self.writeNeedsInput) || forWriting { interest.insert(.write) }
        if interest.isEmpty { return self.unwatch() }
        if self.isWatched { return self.loop.change(self.descriptor, to: interest) }
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: interest) { [weak self] in self?.ready($0) }
            self.isWatched = true
        } catch {
            self.loop.enqueue { [weak self] in self?.close() }
        }
    }

    private func unwatch() {
        if self.isWatched { self.loop.unwatch(self.descriptor) }
        self.isWatched = false
    }

    private func planAcceptTimer(_ timeout: Duration) {
        self.acceptTimer = self.loop.schedule(after: timeout) { [weak self] in
            guard let self else { return }
            self.acceptTimer = nil
            guard self.stream?.isEstablished == false else { return }
            // While we do not read, the other side cannot go on.
            if self.isPaused { self.planAcceptTimer(timeout) } else { self.close() }
        }
    }

    private func planIdleTimer() {
        guard let timeout = self.server?.options.idleTimeout else { return }
        self.isActive = false
        self.idleTimer = self.loop.schedule(after: timeout) { [weak self] in
            guard let self else { return }
            self.idleTimer = nil
            // A pause is ours, not the other side's.
            if self.isActive || self.isPaused || self.pendingAnswerCount > 0 { return self.planIdleTimer() }
            self.close()
        }
    }
}
