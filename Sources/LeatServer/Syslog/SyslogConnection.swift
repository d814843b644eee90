internal import LeatCore
internal import NIOCore

/// Serves syslog over TCP, with or without TLS: each piece that is read is stored before the next is.
struct SyslogConnection: Sendable {
    let sink: StreamSink
    let events: SyslogEvents

    /// Serves a connection to its end.
    func serve(_ connection: StreamConnection) async throws {
        let sender = connection.channel.remoteAddress?.ipAddress
        try await connection.executeThenClose { inbound, _ in
            var framing = SyslogFraming(byteCountMax: self.sink.limits.eventByteCountMax)
            for try await piece in inbound {
                var gathering = Gathering(self, sender)
                piece.withUnsafeReadableBytes { bytes in framing.consume(bytes) { gathering.add($0, isCut: $1) } }
                try await gathering.store(byteCount: piece.readableBytes)
            }
            var gathering = Gathering(self, sender)
            framing.finish { gathering.add($0, isCut: $1) }
            try await gathering.store(byteCount: 0)
        }
    }

    /// The events of one piece.
    private struct Gathering {
        private let connection: SyslogConnection
        private let sender: String?
        private let now: Timestamp
        private var writer: EventWriter
        private var refused: [String] = []

        init(_ connection: SyslogConnection, _ sender: String?) {
            self.connection = connection
            self.sender = sender
            self.now = connection.sink.time.now()
            self.writer = connection.sink.writer()
        }

        mutating func add(_ message: UnsafeRawBufferPointer, isCut: Bool) {
            self.refused += self.connection.events.add(
                message,
                sender: self.sender,
                isCut: isCut,
                now: self.now,
                to: &self.writer
            )
        }

        mutating func store(byteCount: Int) async throws {
            try await self.connection.sink.store(&self.writer, byteCount: byteCount, refused: self.refused)
        }
    }
}

extension SyslogEvents {
    /// Adds a message to the events; one with too many or too long fields is stored with its text alone.
    ///
    /// - Returns: Reasons of refusal, for the metrics.
    func add(
        _ message: UnsafeRawBufferPointer,
        sender: String?,
        isCut: Bool,
        now: Timestamp,
        to writer: inout EventWriter
    ) -> [String] {
        let event = self.event(message, sender: sender, isCut: isCut, now: now)
        do throws(ItemFault) {
            try writer.add(event)
            return []
        } catch {
            do throws(ItemFault) {
                try writer.add(
                    EventWriter.Event(time: event.time, text: event.text, fields: [("@error_msg", error.reason)])
                )
                return []
            } catch {
                return [error.type]
            }
        }
    }
}
