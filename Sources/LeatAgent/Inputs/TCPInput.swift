internal import LeatCore

/// `[INPUT] tcp`: takes JSON or lines from any number of connections.
final class TCPInput: Input {
    private let tag: RouteTag
    private let options: StreamServer.Options
    private let tls: TLSServer?
    private let addressKey: String?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let makeReceiver: (_ recordTail: [UInt8]) -> LineReceiver
    private var server: StreamServer?

    /// What has arrived of a connection's lines.
    private final class Lines {
        var receiver: LineReceiver

        init(_ receiver: LineReceiver) { self.receiver = receiver }
    }

    /// `makeReceiver` makes what turns a connection's bytes into events, given the members that each gets.
    init(
        tag: RouteTag,
        options: StreamServer.Options,
        tls: TLSServer?,
        addressKey: String?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        makeReceiver: @escaping (_ recordTail: [UInt8]) -> LineReceiver
    ) {
        self.tag = tag
        self.options = options
        self.tls = tls
        self.addressKey = addressKey
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.makeReceiver = makeReceiver
    }

    /// The port that is listened on.
    var port: Int { self.server?.port ?? 0 }

    func start() throws(InputError) {
        self.server = try StreamServer(self.options, tls: self.tls, loop: self.loop) { [weak self] in self?.serve($0) }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.server?.resume()
    }

    func stop() { self.server?.close() }

    private func serve(_ connection: ServerConnection) {
        let tail = connection.peer.recordTail(self.addressKey)
        let lines = Lines(self.makeReceiver(tail))
        connection.received = { [weak self, weak connection] bytes in
            self?.take(bytes, lines)
            guard let self, !self.sink.hasRoom(for: self.counters) else { return }
            self.counters.isPaused = true
            connection?.pause()
        }
        connection.ended = { [weak self] in self?.finish(lines) }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ lines: Lines) {
        var events = EventList()
        lines.receiver.take(bytes, now: Moment(self.loop.time), to: &events)
        self.counters.readBytes += UInt64(bytes.count)
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
    }

    private func finish(_ lines: Lines) {
        var events = EventList()
        lines.receiver.finish(now: Moment(self.loop.time), to: &events)
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
    }
}

extension SocketPeer {
    /// The member that says who sent an event, behind a comma; nothing without a key or an address.
    func recordTail(_ key: String?) -> [UInt8] {
        guard let key, !self.address.isEmpty else { return [] }
        var bytes: [UInt8] = []
        bytes.appendMember(key, text: self.address.utf8, start: -1)
        return bytes
    }
}
