internal import LeatCore
internal import LeatStorage

/// Heroku's logplex drain: octet-counted syslog in the body of a request; `humio-api.md` section 2.
extension IngestEndpoints {
    /// `<count> <prio>1 time host app process - text`, one after the other.
    ///
    /// The text is what follows ` - `. A frame that is sent again has the header `Logplex-Frame-Id` again.
    func logplex(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let frame = incoming.call.header("logplex-frame-id")
        var framing = SyslogFraming(byteCountMax: self.limits.eventByteCountMax)
        var events: [EventWriter.Event] = []
        let add: (UnsafeRawBufferPointer, Bool) -> Void = { message, isCut in
            var event = Self.logplexEvent(message)
            if isCut { event.fields.append(("@truncated", "true")) }
            if let frame { event.id = ByteSlice("\(frame).\(events.count)") }
            events.append(event)
        }
        incoming.body.withUnsafeBytes { framing.consume($0, add) }
        framing.finish(add)
        for event in events { try self.add(event, to: &writer, incoming) }
        try await self.store(&writer, incoming, .logplex)
        return Reply(204)
    }

    /// Six words, then the text; logplex sends no structured data, unlike RFC 5424.
    static func logplexEvent(_ message: UnsafeRawBufferPointer) -> EventWriter.Event {
        let words = message.split(separator: 0x20, maxSplits: 6, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 7, words[0].hasPrefix("<"), let end = words[0].firstIndex(of: ">"),
            let priority = Int(words[0][words[0].index(after: words[0].startIndex)..<end]),
            let time = TimestampParser.parse(words[1])
        else { return EventWriter.Event(text: String(decoding: message, as: UTF8.self)) }
        var event = EventWriter.Event(time: time, text: words[6])
        event.textIsMessage = true
        event.fields = [("priority", String(priority))]
        for (name, value) in zip(["host", "app", "pid", "msgid"], words[2...5]) where value != "-" {
            event.fields.append((name, value))
        }
        return event
    }
}
