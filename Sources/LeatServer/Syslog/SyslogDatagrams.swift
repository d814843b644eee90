internal import Glibc
internal import LeatCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// Listens for syslog over UDP, where one datagram is one message and nobody can be told to wait.
struct SyslogDatagrams: Service {
    let address: ListenAddress
    let sink: StreamSink
    let events: SyslogEvents
    let logger: Logger
    let ports: ListeningPorts

    /// Listens until the server stops.
    func run() async throws {
        let queue = DatagramQueue()
        let channel: any Channel
        do {
            channel = try await PredecessorPatience.run { error in
                (error as? IOError)?.errnoCode == EADDRINUSE
            } _: {
                try await self.bind(queue)
            }
        } catch {
            throw ListenFailure(address: self.address, cause: error)
        }
        let port = channel.localAddress?.port ?? self.address.port
        self.logger.info("listening", metadata: ["listener": "\(self.sink.name)", "port": "\(port)"])
        self.ports.report(self.sink.name, at: ListenAddress(host: self.address.host, port: port))
        await withGracefulShutdownHandler {
            for await datagrams in queue.reads {
                do {
                    try await self.store(datagrams)
                } catch {
                    self.logger.error("datagrams were lost", metadata: ["error": "\(error)"])
                    self.sink.metrics.streamFault(self.sink.name, "datagrams_lost", count: datagrams.count)
                }
                queue.release(datagrams)
            }
        } onGracefulShutdown: {
            channel.close(promise: nil)
        }
    }

    private func store(_ datagrams: [Datagram]) async throws {
        var writer = self.sink.writer()
        let now = self.sink.time.now()
        var byteCount = 0
        var refused: [String] = []
        for datagram in datagrams {
            byteCount += datagram.bytes.count
            datagram.bytes.withUnsafeBytes { bytes in
                var end = bytes.count
                while end > 0, bytes[end - 1] == 0x0A || bytes[end - 1] == 0 || bytes[end - 1] == 0x0D { end -= 1 }
                guard end > 0 else { return }
                let message = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                refused += self.events.add(message, sender: datagram.sender, isCut: false, now: now, to: &writer)
            }
        }
        try await self.sink.store(&writer, byteCount: byteCount, refused: refused)
    }

    private func bind(_ queue: DatagramQueue) async throws -> any Channel {
        let sink = self.sink
        return try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: numericCast(ServerLimits.datagramSocketByteCount))
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelOption(.maxMessagesPerRead, value: ServerLimits.datagramsPerRead)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramCollector(queue) { sink.metrics.streamFault(sink.name, "datagrams_lost", count: $0) }
                    )
                }
            }
            .bind(host: self.address.host, port: self.address.port)
            .get()
    }
}

/// One message.
struct Datagram: Sendable {
    let sender: String?
    let bytes: [UInt8]
}

/// Datagrams that wait to be stored: all of one read of the socket together, bounded by their bytes.
final class DatagramQueue: Sendable {
    /// What waits, until the socket is closed.
    let reads: AsyncStream<[Datagram]>
    private let continuation: AsyncStream<[Datagram]>.Continuation
    private let waitingByteCount = Atomic<Int>(0)

    init() { (self.reads, self.continuation) = AsyncStream<[Datagram]>.makeStream(bufferingPolicy: .unbounded) }

    /// Adds datagrams; whether there was room for them.
    func add(_ datagrams: [Datagram]) -> Bool {
        let byteCount = Self.byteCount(datagrams)
        let total = self.waitingByteCount.add(byteCount, ordering: .relaxed).newValue
        guard total <= ServerLimits.waitingDatagramByteCount else {
            self.waitingByteCount.subtract(byteCount, ordering: .relaxed)
            return false
        }
        self.continuation.yield(datagrams)
        return true
    }

    /// Datagrams are stored: there is room for others.
    func release(_ datagrams: [Datagram]) {
        self.waitingByteCount.subtract(Self.byteCount(datagrams), ordering: .relaxed)
    }

    func finish() { self.continuation.finish() }

    /// Bytes and the cost of keeping each datagram.
    private static func byteCount(_ datagrams: [Datagram]) -> Int { datagrams.reduce(0) { $0 + $1.bytes.count + 64 } }
}

/// Hands on the datagrams of each read together; when too many wait, further datagrams are lost, and counted.
private final class DatagramCollector: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let queue: DatagramQueue
    private let onLoss: (Int) -> Void
    private var datagrams: [Datagram] = []

    init(_ queue: DatagramQueue, onLoss: @escaping (Int) -> Void) {
        self.queue = queue
        self.onLoss = onLoss
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = self.unwrapInboundIn(data)
        self.datagrams.append(
            Datagram(sender: envelope.remoteAddress.ipAddress, bytes: Array(envelope.data.readableBytesView))
        )
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !self.datagrams.isEmpty, !self.queue.add(self.datagrams) { self.onLoss(self.datagrams.count) }
        self.datagrams.removeAll(keepingCapacity: true)
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.queue.finish()
        context.fireChannelInactive()
    }
}
