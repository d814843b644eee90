internal import Glibc
internal import LeatCore

/// A connection to a server over which both sides speak when they like.
final class StreamClient {
    private static let readByteCount = 64 << 10

    /// Called when the connection is open.
    var opened: () -> Void = {}
    /// Called with what has arrived; the bytes are valid only during the call.
    var received: (UnsafeRawBufferPointer) -> Void = { _ in }
    /// Called once everything that was given to `send` is with the system.
    var sent: () -> Void = {}
    /// Called when the connection ends, or does not come about; not after `close`.
    var failed: (_ reason: String) -> Void = { _ in }

    private let loop: EventLoop
    private let connector: Connector
    private var descriptor: Int32 = -1
    private var stream: (any ByteStream)?
    private var output: [UInt8] = []
    private var sentCount = 0
    /// Whether encryption must write before anything can be read.
    private var readNeedsRoom = false

    init(endpoint: Endpoint, tls: TLSClient?, loop: EventLoop) {
        self.loop = loop
        self.connector = Connector(endpoint: endpoint, tls: tls, loop: loop)
    }

    deinit { if self.descriptor >= 0 { _ = Glibc.close(self.descriptor) } }

    var isOpen: Bool { self.stream != nil }

    /// Connects.
    func open() {
        self.connector.start { [weak self] result in
            guard let self else { return }
            switch result {
            case .failure(let failure): self.fail(failure.reason)
            case .success(let connected):
                self.descriptor = connected.descriptor
                self.stream = connected.stream
                do throws(FileSystemError) {
                    try self.loop.watch(connected.descriptor, for: [.read, .write]) { [weak self] in self?.ready($0) }
                } catch {
                    return self.fail("\(error)")
                }
                self.opened()
                // An encrypted connection begins with the first read or write.
                self.read()
            }
        }
    }

    /// Sends bytes as soon as there is room.
    func send(_ bytes: [UInt8]) {
        self.output += bytes
        self.write()
    }

    /// Ends the connection.
    func close() {
        self.connector.cancel()
        self.stream?.shutDown()
        self.stream = nil
        self.output = []
        self.sentCount = 0
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func fail(_ reason: String) {
        self.close()
        self.failed(reason)
    }

    private func ready(_ readiness: EventLoop.Readiness) {
        if readiness.isReadable || self.readNeedsRoom { self.read() }
        if self.stream != nil, readiness.isWritable { self.write() }
    }

    private func read() {
        self.readNeedsRoom = false
        withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 16) { buffer in
            while let stream = self.stream {
                switch stream.read(into: buffer) {
                case .bytes(let count): self.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                case .waitForRead:
                    // What came may have been what encryption needed to go on writing.
                    if self.sentCount < self.output.count { self.write() }
                    return
                case .waitForWrite:
                    self.readNeedsRoom = true
                    return self.loop.change(self.descriptor, to: [.read, .write])
                case .closed: return self.fail("the server closed the connection")
                case .failed(let reason): return self.fail(reason)
                }
            }
        }
    }

    private func write() {
        guard let stream = self.stream else { return }
        // A handshake is under way even when there is nothing to send yet.
        while self.sentCount < self.output.count {
            let result = self.output.withUnsafeBytes { stream.write($0.slice(self.sentCount..<$0.count)) }
            switch result {
            case .bytes(let count): self.sentCount += count
            case .waitForWrite: return self.loop.change(self.descriptor, to: [.read, .write])
            case .waitForRead: return self.loop.change(self.descriptor, to: .read)
            case .closed: return self.fail("the server closed the connection")
            case .failed(let reason): return self.fail(reason)
            }
        }
        let hadBytes = !self.output.isEmpty
        self.output.removeAll(keepingCapacity: self.output.capacity <= 65_536)
        self.sentCount = 0
        self.loop.change(self.descriptor, to: .read)
        if hadBytes { self.sent() }
    }
}
