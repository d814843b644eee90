internal import LeatCore
internal import LeatParsing

/// The server's side of one connection of MQTT 3.1.1, for clients that publish: what to do with its bytes.
///
/// There are no sessions beyond a connection: a client that comes back sends again what was not acknowledged. Nothing can
/// be subscribed to.
struct MQTTSession {
    /// What there is to do.
    enum Action {
        /// Events to take; the answer goes once they are on stable storage.
        case accept(EventList, answer: [UInt8])
        case send([UInt8])
        /// Nothing more on this connection makes sense; `reason` is `nil` when the client says goodbye.
        case close(answer: [UInt8], reason: String?)
    }

    /// Versions 3.1 and 3.1.1, which differ in nothing that matters here.
    private static let acceptedLevels: [UInt8] = [3, 4]

    private let payloadKey: String?
    private let byteCountMax: Int
    private var input: [UInt8] = []
    private var isConnected = false
    private var isClosed = false
    /// Identifiers of messages of quality 2 that were taken, until the client releases them.
    private var held: Set<UInt16> = []

    /// `byteCountMax`: the longest packet.
    init(payloadKey: String?, byteCountMax: Int) {
        self.payloadKey = payloadKey
        self.byteCountMax = byteCountMax
    }

    /// Takes bytes that arrived; what to do about them, in order.
    mutating func take(_ bytes: UnsafeRawBufferPointer, now: Timestamp) -> [Action] {
        guard !self.isClosed else { return [] }
        self.input.append(contentsOf: bytes)
        var actions: [Action] = []
        var used = 0
        ByteSlice(self.input).withUnsafeBytes { all in
            do throws(MQTTPacket.Failure) {
                // Another protocol would let us wait for the rest of its first packet.
                if !self.isConnected, let first = all.first, first >> 4 != MQTTPacket.Kind.connect.rawValue {
                    throw .malformed("the client did not begin with CONNECT")
                }
                while !self.isClosed,
                    let packet = try MQTTPacket.read(all, at: used, byteCountMax: self.byteCountMax)
                {
                    used = packet.contents.upperBound
                    if let action = try self.action(for: packet, all, now) { actions.append(action) }
                }
            } catch {
                self.isClosed = true
                actions.append(.close(answer: [], reason: error.text))
            }
        }
        self.input.removeFirst(used)
        return actions
    }

    private mutating func action(
        for packet: MQTTPacket,
        _ bytes: UnsafeRawBufferPointer,
        _ now: Timestamp
    ) throws(MQTTPacket.Failure) -> Action? {
        var fields = MQTTFields(bytes, packet.contents)
        switch packet.kind {
        case .connect: return try self.connect(&fields)
        case .publish: return try self.publish(packet.flags, &fields, now)
        case .publishRelease:
            let id = try fields.number()
            self.held.remove(id)
            return .send(MQTTPacket.bytes(.publishComplete, id.bigEndianBytes))
        case .subscribe: return try Self.refuseSubscription(&fields)
        case .unsubscribe: return .send(MQTTPacket.bytes(.unsubscribeAck, try fields.number().bigEndianBytes))
        case .pingRequest: return .send(MQTTPacket.bytes(.pingResponse))
        case .disconnect:
            self.isClosed = true
            return .close(answer: [], reason: nil)
        case .publishAck, .publishReceived, .publishComplete: return nil
        case .connectAck, .subscribeAck, .unsubscribeAck, .pingResponse:
            throw .malformed("a packet that only servers send")
        }
    }

    /// Answers CONNECT; who the client is does not matter.
    private mutating func connect(_ fields: inout MQTTFields) throws(MQTTPacket.Failure) -> Action {
        guard !self.isConnected else { throw .malformed("a second CONNECT") }
        let name = String(decoding: try fields.text(), as: UTF8.self)
        let level = try fields.byte()
        guard name == "MQTT" || name == "MQIsdp" else { throw .malformed("a protocol '\(name.prefix(20))'") }
        guard Self.acceptedLevels.contains(level) else {
            self.isClosed = true
            // Return code 1: unacceptable protocol version.
            let answer = MQTTPacket.bytes(.connectAck, [0, 1])
            return .close(answer: answer, reason: "the client wants version \(level) of MQTT; 4 (3.1.1) is spoken")
        }
        self.isConnected = true
        return .send(MQTTPacket.bytes(.connectAck, [0, 0]))
    }

    private mutating func publish(
        _ flags: UInt8,
        _ fields: inout MQTTFields,
        _ now: Timestamp
    ) throws(MQTTPacket.Failure) -> Action? {
        let quality = flags >> 1 & 3
        guard quality < 3 else { throw .malformed("a quality of service 3") }
        let topic = try fields.text()
        guard quality > 0 else { return .accept(self.events(topic, fields.rest(), now), answer: []) }
        let id = try fields.number()
        let answer = MQTTPacket.bytes(quality == 1 ? .publishAck : .publishReceived, id.bigEndianBytes)
        // A message of quality 2 that comes again before it was released is the same one.
        if quality == 2, !self.held.insert(id).inserted { return .accept(EventList(), answer: answer) }
        return .accept(self.events(topic, fields.rest(), now), answer: answer)
    }

    /// A message as an event: its topic, then the members of its object, or the text that it is instead.
    private func events(
        _ topic: UnsafeRawBufferPointer,
        _ message: UnsafeRawBufferPointer,
        _ now: Timestamp
    ) -> EventList {
        var events = EventList()
        events.bytes.appendMember("topic", text: topic, start: 0)
        if let object = Self.object(message) {
            if let payloadKey {
                events.bytes.appendMember(payloadKey, json: String(decoding: object, as: UTF8.self), start: 0)
            } else if object.count > 2 {
                events.bytes.append(UInt8(ascii: ","))
                events.bytes.append(contentsOf: object[1..<(object.count - 1)])
                RepeatedMembers.remove(in: &events.bytes, from: 0)
            }
        } else {
            events.bytes.appendMember(self.payloadKey ?? "log", text: message, start: 0)
        }
        events.endEvent(time: now.nanoseconds)
        return events
    }

    /// The message as an object without white space; `nil` when it is anything else.
    private static func object(_ message: UnsafeRawBufferPointer) -> [UInt8]? {
        let text = message.trimmed
        guard text.first == UInt8(ascii: "{") else { return nil }
        do throws(JSONError) {
            return try JSONCompact.compacted(text)
        } catch {
            return nil
        }
    }

    /// Each topic of SUBSCRIBE is answered with a failure, so that the client need not wait for messages.
    private static func refuseSubscription(_ fields: inout MQTTFields) throws(MQTTPacket.Failure) -> Action {
        var answer = try fields.number().bigEndianBytes
        while !fields.isAtEnd {
            _ = try fields.text()
            _ = try fields.byte()
            answer.append(0x80)
        }
        guard answer.count < 0x80 else { throw .malformed("a subscription of too many topics") }
        return .send(MQTTPacket.bytes(.subscribeAck, answer))
    }
}

extension MQTTPacket.Failure {
    /// The failure in words.
    var text: String {
        switch self {
        case .malformed(let reason): reason
        case .tooLong(let byteCount): "a packet of \(byteCount) bytes, more than buffer_size"
        }
    }
}

extension UInt16 {
    fileprivate var bigEndianBytes: [UInt8] { [UInt8(self >> 8), UInt8(self & 0xFF)] }
}
