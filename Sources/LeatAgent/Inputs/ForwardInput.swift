internal import LeatCore
internal import LeatParsing

/// `[INPUT] forward`: takes events of Fluentd, Fluent Bit and their clients; acknowledges what is on stable storage.
final class ForwardInput: ConnectionInput {
    struct Options {
        /// Instead of every sender's tag.
        var tag: String?
        /// Before every sender's tag; then `tag` does not count.
        var tagPrefix: String?
        var security = ForwardSecurity()
        var messageByteCountMax = 6 << 20
    }

    let reception: Reception
    private let options: Options
    private let log: AgentLog

    init(_ options: Options, reception: Reception, log: AgentLog) {
        self.options = options
        self.reception = reception
        self.log = log
    }

    func serve(_ connection: ServerConnection) {
        var session = ForwardSession(self.options.security, byteCountMax: self.options.messageByteCountMax)
        if let greeting = session.greeting { connection.send(greeting) }
        self.reception.receive(from: connection) { [weak self] bytes, connection in
            guard let self else { return }
            let actions = session.take(bytes, now: self.reception.loop.time.now())
            for action in actions { self.perform(action, on: connection) }
        }
    }

    private func perform(_ action: ForwardSession.Action, on connection: ServerConnection) {
        switch action {
        case .send(let bytes): connection.send(bytes)
        case .accept(let tag, let events, let chunk):
            if !events.isEmpty {
                let text = self.options.tagPrefix.map { $0 + tag } ?? self.options.tag ?? tag
                self.reception.accept(events, tag: self.reception.sink.routeTag(text))
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
        connection.send(answer, whenDurableIn: self.reception.sink)
    }
}
