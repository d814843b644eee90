internal import LeatCore

/// `[INPUT] forward`: takes events of Fluentd, Fluent Bit and their clients; acknowledges what is on stable storage.
final class ForwardInput: Input {
    struct Options {
        /// Instead of every sender's tag.
        var tag: String?
        /// Before every sender's tag; then `tag` does not count.
        var tagPrefix: String?
        var security = ForwardSecurity()
        var messageByteCountMax = 6 << 20
    }

    private let options: Options
    private let server: StreamServer.Options
    private let tls: TLSServer?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    private var listener: StreamServer?

    /// What has arrived on a connection.
    private final class Peer {
        var session: ForwardSession

        init(_ session: ForwardSession) { self.session = session }
    }

    init(
        _ options: Options,
        server: StreamServer.Options,
        tls: TLSServer?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        log: AgentLog
    ) {
        self.options = options
        self.server = server
        self.tls = tls
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.log = log
    }

    /// The port that is listened on.
    var port: Int { self.listener?.port ?? 0 }

    func start() throws(InputError) {
        self.listener = try StreamServer(self.server, tls: self.tls, loop: self.loop) { [weak self] in self?.serve($0) }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.listener?.resume()
    }

    func stop() { self.listener?.close() }

    private func serve(_ connection: ServerConnection) {
        let peer = Peer(ForwardSession(self.options.security, byteCountMax: self.options.messageByteCountMax))
        if let greeting = peer.session.greeting { connection.send(greeting) }
        connection.received = { [weak self, weak connection] bytes in
            guard let self, let connection else { return }
            self.counters.readBytes += UInt64(bytes.count)
            for action in peer.session.take(bytes, now: self.loop.time.now()) { self.perform(action, on: connection) }
            if !self.sink.hasRoom(for: self.counters) {
                self.counters.isPaused = true
                connection.pause()
            }
        }
    }

    private func perform(_ action: ForwardSession.Action, on connection: ServerConnection) {
        switch action {
        case .send(let bytes): connection.send(bytes)
        case .accept(let tag, let events, let chunk):
            if !events.isEmpty {
                let text = self.options.tagPrefix.map { $0 + tag } ?? self.options.tag ?? tag
                self.sink.accept(InputRead(tag: self.sink.routeTag(text), events: events), from: self.counters)
            }
            if let chunk { self.acknowledge(chunk, on: connection) }
        case .close(let answer, let reason):
            connection.send(answer)
            self.log.once("\(connection.peer.address): \(reason); the connection is closed", .warning)
            connection.closeWhenSent()
        }
    }

    private func acknowledge(_ chunk: String, on connection: ServerConnection) {
        var answer: [UInt8] = []
        MessagePackWriter.append(map: 1, to: &answer)
        MessagePackWriter.append(text: "ack", to: &answer)
        MessagePackWriter.append(text: chunk, to: &answer)
        connection.send(answer, whenDurableIn: self.sink)
    }
}
