internal import LeatCore

/// `[INPUT] mqtt`: takes what MQTT clients publish, and acknowledges what is on stable storage.
final class MQTTInput: ConnectionInput {
    struct Options {
        /// Field that gets the message; `nil`: it is the record.
        var payloadKey: String?
        var packetByteCountMax = 4 << 20
    }

    let reception: Reception
    private let tag: RouteTag
    private let options: Options
    private let log: AgentLog

    init(_ options: Options, tag: RouteTag, reception: Reception, log: AgentLog) {
        self.options = options
        self.tag = tag
        self.reception = reception
        self.log = log
    }

    func serve(_ connection: ServerConnection) {
        var session = MQTTSession(
            payloadKey: self.options.payloadKey,
            byteCountMax: self.options.packetByteCountMax
        )
        self.reception.receive(from: connection) { [weak self] bytes, connection in
            guard let self else { return }
            self.perform(session.take(bytes, now: self.reception.loop.time.now()), on: connection)
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
        self.reception.accept(events, tag: self.tag)
        if !answers.isEmpty {
            // What was accepted before is on stable storage by then, and so all answers stay in their order.
            connection.send(answers, whenDurableIn: self.reception.sink, closes: closes)
        } else if closes {
            connection.closeWhenSent()
        }
    }
}
