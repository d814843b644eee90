internal import LeatCore
internal import LeatParsing
internal import LeatStorage
internal import NIOCore

/// Serves the forward protocol of Fluentd and Fluent Bit on one connection.
///
/// What was read is stored before more is read; a sender that gives a `chunk` gets it back once its entries are
/// durable. A chunk that is sent again is stored once: its id and the number of the entry are the event's `_id`.
struct ForwardConnection: Sendable {
    let sink: StreamSink
    /// `nil`: everybody may send.
    let key: Secret?
    /// Bytes of one message, before and after decompression.
    let messageByteCountMax: Int

    /// A sender that cannot be served.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// Serves a connection to its end.
    func serve(_ connection: StreamConnection) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var handshake = self.key.map { ForwardHandshake(key: $0) }
            if let handshake { try await outbound.write(ByteBuffer(bytes: handshake.hello)) }
            var waiting: [UInt8] = []
            var end = ForwardMessageEnd()
            for try await piece in inbound {
                waiting.append(contentsOf: piece.readableBytesView)
                var gathered = Gathered(writer: self.sink.writer())
                while let message = try self.first(of: &waiting, &end) {
                    guard let shaking = handshake else {
                        try self.add(message, to: &gathered)
                        continue
                    }
                    let (pong, refusal) = try Self.reading(message) { (bytes) throws(MessagePackReader.Failure) in
                        try shaking.answer(to: bytes)
                    }
                    try await outbound.write(ByteBuffer(bytes: pong))
                    if let refusal { throw Refusal(description: refusal) }
                    handshake = nil
                }
                try await self.sink.store(&gathered.writer, byteCount: piece.readableBytes, refused: gathered.refused)
                if !gathered.acks.isEmpty { try await outbound.write(ByteBuffer(bytes: gathered.acks)) }
                guard waiting.count <= self.messageByteCountMax else {
                    throw Refusal(description: "a message exceeds the limit of \(self.messageByteCountMax) bytes")
                }
            }
        }
    }

    /// What the messages of one piece hold.
    private struct Gathered {
        var writer: EventWriter
        var refused: [String] = []
        /// What is answered once the events are durable.
        var acks: [UInt8] = []
    }

    /// Takes the first message off; `nil` when it is not complete.
    private func first(of waiting: inout [UInt8], _ end: inout ForwardMessageEnd) throws -> [UInt8]? {
        guard !waiting.isEmpty else { return nil }
        let count = try Self.reading(waiting) { (bytes) throws(MessagePackReader.Failure) in
            try end.find(in: bytes)
        }
        guard let count else { return nil }
        end = ForwardMessageEnd()
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }

    private static func reading<Result>(
        _ bytes: [UInt8],
        _ read: (UnsafeRawBufferPointer) throws(MessagePackReader.Failure) -> Result
    ) throws(Refusal) -> Result {
        do {
            return try bytes.withUnsafeBufferPointer { (bytes) throws(MessagePackReader.Failure) in
                try read(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw Refusal(description: "what came is no message of the forward protocol: \(error)")
        }
    }

    /// Adds a message's entries; one that is no event by our limits is kept as text.
    private func add(_ bytes: [UInt8], to gathered: inout Gathered) throws {
        // A null is a heartbeat.
        if bytes == [0xC0] { return }
        let message = try Self.reading(bytes) { (bytes) throws(MessagePackReader.Failure) in
            try ForwardMessage(bytes, byteCountMax: self.messageByteCountMax)
        }
        for (number, entry) in message.entries.enumerated() {
            let id = message.chunk.map { ByteSlice("\($0).\(number)") }
            let document = Self.document(entry, message.tag)
            do throws(ItemFault) {
                try document.withUnsafeBufferPointer { (document) throws(ItemFault) in
                    try gathered.writer.add(document: UnsafeRawBufferPointer(document), id: id)
                }
            } catch {
                gathered.refused.append(error.type)
                try self.addText(of: entry, message.tag, id, error, to: &gathered)
            }
        }
        guard let chunk = message.chunk else { return }
        MessagePackWriter.append(map: 1, to: &gathered.acks)
        MessagePackWriter.append(text: "ack", to: &gathered.acks)
        MessagePackWriter.append(text: chunk, to: &gathered.acks)
    }

    private func addText(
        of entry: ForwardMessage.Entry,
        _ tag: String,
        _ id: ByteSlice?,
        _ fault: ItemFault,
        to gathered: inout Gathered
    ) throws {
        var event = EventWriter.Event(time: entry.time, text: String(decoding: entry.json, as: UTF8.self))
        event.fields = [("tag", tag), ("@error", "true"), ("@error_msg", fault.reason)]
        event.id = id
        do throws(ItemFault) {
            try gathered.writer.add(event)
        } catch {
            throw Refusal(description: "an entry cannot be stored: \(error.reason)")
        }
    }

    /// The record with the tag, unless it has one, and the entry's time, which counts whatever else the record says.
    private static func document(_ entry: ForwardMessage.Entry, _ tag: String) -> [UInt8] {
        var writer = JSONWriter(capacity: entry.json.count + 80)
        writer.beginObject()
        // Of equal keys the last one counts.
        writer.key("tag")
        writer.value(tag)
        var bytes = writer.bytes
        let inner = entry.json.dropFirst().dropLast()
        if !inner.isEmpty {
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: inner)
        }
        if let time = entry.time {
            bytes += Array(",\"@timestamp\":\"\(TimestampWriter.text(time, precision: .nanoseconds))\"".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
