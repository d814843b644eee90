internal import LeatCore

/// What inputs share to which clients connect: where they listen, and the pause while the buffer is full.
final class Reception {
    let counters: InputCounters
    unowned let sink: any InputSink
    let loop: EventLoop
    private let options: StreamServer.Options
    private let tls: TLSServer?
    private var server: StreamServer?

    init(
        _ options: StreamServer.Options,
        tls: TLSServer?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop
    ) {
        self.options = options
        self.tls = tls
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    /// The port that is listened on.
    var port: Int { self.server?.port ?? 0 }

    /// Begins to listen; `serve` gets each connection.
    func open(_ serve: @escaping (ServerConnection) -> Void) throws(InputError) {
        self.server = try StreamServer(self.options, tls: self.tls, loop: self.loop, opened: serve)
    }

    func close() { self.server?.close() }

    /// Reads on after the buffer had been full.
    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.server?.resume()
    }

    /// Hands what arrives on a connection to `take`; nothing more is read while the buffer is full.
    func receive(
        from connection: ServerConnection,
        _ take: @escaping (UnsafeRawBufferPointer, ServerConnection) -> Void
    ) {
        connection.received = { [weak self, weak connection] bytes in
            guard let self, let connection else { return }
            self.counters.readBytes += UInt64(bytes.count)
            take(bytes, connection)
            guard !self.sink.hasRoom(for: self.counters) else { return }
            self.counters.isPaused = true
            connection.pause()
        }
    }

    /// Hands events on, if there are any.
    func accept(_ events: EventList, tag: RouteTag) { self.sink.accept(events, tag: tag, from: self.counters) }
}

/// An input to which clients connect.
protocol ConnectionInput: Input {
    var reception: Reception { get }

    /// Takes what arrives on a new connection.
    func serve(_ connection: ServerConnection)
}

extension ConnectionInput {
    /// The port that is listened on.
    var port: Int { self.reception.port }

    func start() throws(InputError) {
        try self.reception.open { [weak self] in self?.serve($0) }
    }

    func resume() { self.reception.resume() }

    func stop() { self.reception.close() }
}
