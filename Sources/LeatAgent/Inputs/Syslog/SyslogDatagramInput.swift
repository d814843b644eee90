internal import Glibc
internal import LeatCore

/// `[INPUT] syslog` over UDP or a datagram socket of the file system.
final class SyslogDatagramInput: Input {
    /// Where messages come in.
    enum Address {
        case port(host: String, Int)
        case path(String, permissions: mode_t)
    }

    /// The longest datagram that there is.
    private static let datagramByteCountMax = 65_536
    /// Datagrams that are read before other descriptors have their turn.
    private static let datagramsPerTurn = 256

    private let tag: RouteTag
    private let address: Address
    /// Size in bytes of what the system holds for us; `nil`: its own choice.
    private let heldByteCount: Int?
    private let records: SyslogRecords
    private let addressKey: String?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var descriptor: Int32 = -1

    /// The port that is listened on, if there is one.
    private(set) var port = 0

    init(
        tag: RouteTag,
        address: Address,
        heldByteCount: Int?,
        records: SyslogRecords,
        addressKey: String?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop
    ) {
        self.tag = tag
        self.address = address
        self.heldByteCount = heldByteCount
        self.records = records
        self.addressKey = addressKey
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    func start() throws(InputError) {
        switch self.address {
        case .port(let host, let port):
            (self.descriptor, self.port) = try ListeningSocket.openDatagram(host: host, port: port)
        case .path(let path, let permissions):
            self.descriptor = try ListeningSocket.open(path: path, permissions: permissions, isDatagram: true)
        }
        if let heldByteCount {
            var size = Int32(clamping: heldByteCount)
            setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: .read) { [weak self] _ in
                guard let self else { return }
                guard self.sink.hasRoom(for: self.counters) else {
                    self.counters.isPaused = true
                    return self.loop.change(self.descriptor, to: [])
                }
                self.readDatagrams(countMax: Self.datagramsPerTurn)
            }
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        if self.descriptor >= 0 { self.loop.change(self.descriptor, to: .read) }
    }

    func stop() {
        guard self.descriptor >= 0 else { return }
        // What the system has taken already is not lost.
        self.readDatagrams(countMax: .max)
        self.loop.unwatch(self.descriptor)
        _ = close(self.descriptor)
        self.descriptor = -1
        if case .path(let path, _) = self.address { unlink(path) }
    }

    private func readDatagrams(countMax: Int) {
        var events = EventList()
        let now = self.loop.time.now()
        withUnsafeTemporaryAllocation(byteCount: Self.datagramByteCountMax, alignment: 8) { buffer in
            var left = countMax
            while left > 0 {
                var peer = sockaddr_storage()
                var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
                let count = withUnsafeMutablePointer(to: &peer) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(self.descriptor, buffer.baseAddress, buffer.count, 0, $0, &size)
                    }
                }
                guard count >= 0 else { return }
                left -= 1
                self.counters.readBytes += UInt64(count)
                let tail = self.addressKey == nil ? [] : SocketPeer(peer).recordTail(self.addressKey)
                let message = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                self.records.append(SyslogFraming.withoutEnd(message), now: now, tail: tail, to: &events)
            }
        }
        self.sink.accept(events, tag: self.tag, from: self.counters)
    }
}
