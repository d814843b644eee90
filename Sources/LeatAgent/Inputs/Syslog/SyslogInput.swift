internal import LeatCore

/// `[INPUT] syslog` over TCP or a stream socket of the file system.
final class SyslogInput: ConnectionInput {
    let reception: Reception
    private let tag: RouteTag
    private let records: SyslogRecords
    private let framing: SyslogFraming
    private let addressKey: String?

    init(
        tag: RouteTag,
        records: SyslogRecords,
        framing: SyslogFraming,
        addressKey: String?,
        reception: Reception
    ) {
        self.tag = tag
        self.records = records
        self.framing = framing
        self.addressKey = addressKey
        self.reception = reception
    }

    func serve(_ connection: ServerConnection) {
        var framing = self.framing
        let tail = connection.peer.recordTail(self.addressKey)
        self.reception.receive(from: connection) { [weak self] bytes, _ in
            self?.hand(tail) { framing.take(bytes, $0) }
        }
        connection.ended = { [weak self] in self?.hand(tail) { framing.finish($0) } }
    }

    /// Hands on the messages that `find` finds.
    private func hand(_ tail: [UInt8], _ find: ((UnsafeRawBufferPointer) -> Void) -> Void) {
        var events = EventList()
        let now = self.reception.loop.time.now()
        find { self.records.append($0, now: now, tail: tail, to: &events) }
        self.reception.accept(events, tag: self.tag)
    }
}
