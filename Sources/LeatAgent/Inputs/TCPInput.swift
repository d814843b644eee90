internal import LeatCore

/// `[INPUT] tcp`: takes JSON or lines from any number of connections.
final class TCPInput: ConnectionInput {
    let reception: Reception
    private let tag: RouteTag
    private let addressKey: String?
    private let makeReceiver: (_ recordTail: [UInt8]) -> LineReceiver

    /// `makeReceiver` makes what turns a connection's bytes into events, given the members that each gets.
    init(
        tag: RouteTag,
        addressKey: String?,
        reception: Reception,
        makeReceiver: @escaping (_ recordTail: [UInt8]) -> LineReceiver
    ) {
        self.tag = tag
        self.addressKey = addressKey
        self.reception = reception
        self.makeReceiver = makeReceiver
    }

    func serve(_ connection: ServerConnection) {
        var receiver = self.makeReceiver(connection.peer.recordTail(self.addressKey))
        self.reception.receive(from: connection) { [weak self] bytes, _ in
            self?.hand { receiver.take(bytes, now: $0, to: &$1) }
        }
        connection.ended = { [weak self] in self?.hand { receiver.finish(now: $0, to: &$1) } }
    }

    private func hand(_ make: (Moment, inout EventList) -> Void) {
        var events = EventList()
        make(Moment(self.reception.loop.time), &events)
        self.reception.accept(events, tag: self.tag)
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
