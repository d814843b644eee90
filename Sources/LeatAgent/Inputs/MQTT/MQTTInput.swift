internal import LeatCore

/// `[INPUT] mqtt`: takes what MQTT clients publish, and acknowledges what is on stable storage.
final class MQTTInput: Input {
    struct Options {
        /// Field that gets the message; `nil`: it is the record.
        var payloadKey: String?
        var packetByteCountMax = 4 << 20
    }

    private let tag: RouteTag
    private let options: Options
    private let server: StreamServer.Options
    private let tls: TLSServer?
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    private var listener: StreamServer?

    /// What has arrived on a connection.
    private final class Client {
        var session: MQTTSession

        init(_ session: MQTTSession) { self.session = session }
    }

    init(
        tag: RouteTag,
        options: Options,
        server: StreamServer.Options,
        tls: TLSServer?,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        log: AgentLog
    ) {
        self.tag = tag
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
        let client = Client(
            MQTTSession(payloadKey: self.options.payloadKey, byteCountMax: self.options.packetByteCountMax)
        )
        connection.received = { [weak self, weak connection] bytes in
            guard let self, let connection else { return }
            self.counters.readBytes += UInt64(bytes.count)
            self.perform(client.session.take(bytes, now: self.loop.time.now()), on: connection)
            if !self.sink.hasRoom(for: self.counters) {
                self.counters.isPaused = true
                connection.pause()
            }
        }
    }

    private func perform(_ actions: [MQTTSession.Action], on connection: ServerConnection) {
        var events = EventList()
        var answers: [UInt8] = []
        var closes = false
        for action in actions {
            switch action {
            case .accept(let event, let answer):
                events.append(contentsOf: event)
                answers += answer
            case .send(let bytes): answers += bytes
            case .close(let answer, let reason):
                answers += answer
                closes = true
                guard let reason else { continue }
                self.log.once("\(connection.peer.address): \(reason); the connection is closed", .warning)
            }
        }
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
        if !answers.isEmpty {
            // What was accepted before is on stable storage by then, and so all answers stay in their order.
            connection.send(answers, whenDurableIn: self.sink, closes: closes)
        } else if closes {
            connection.closeWhenSent()
        }
    }
}
