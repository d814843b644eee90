internal import LeatCore
internal import LeatParsing

/// Turns syslog messages into records: by the configured parser, else by the two standards.
struct SyslogRecords {
    /// The parser that was configured and exists.
    var parser: LineParser?
    /// Member that gets the whole message.
    var rawKey: String?
    /// The zone of times without one.
    var zone = TimeZoneRules.utc

    /// Appends an event per message; one in no known form stands under `log` as it is.
    func append(_ message: UnsafeRawBufferPointer, now: Timestamp, tail: [UInt8], to events: inout EventList) {
        guard !message.isEmpty else { return }
        let start = events.openStart
        var time = now
        var isParsed = false
        if let parser {
            if case .parsed(let found) = parser.parse(message, now: now, into: &events.bytes, from: start) {
                time = found ?? now
                isParsed = true
            }
        } else if let parts = SyslogMessage(message, now: now, zone: self.zone) {
            time = parts.timestamp ?? now
            self.append(parts, message, start, &events.bytes)
            isParsed = true
        }
        if !isParsed { events.bytes.appendMember("log", text: message, start: start) }
        if let rawKey { events.bytes.appendMember(rawKey, text: message, start: start) }
        events.bytes += events.bytes.count == start ? Array(tail.dropFirst()) : tail
        events.endEvent(time: time.nanoseconds)
    }

    /// The members that Fluent Bit's parsers of these forms give.
    private func append(_ parts: SyslogMessage, _ text: UnsafeRawBufferPointer, _ start: Int, _ bytes: inout [UInt8]) {
        if let priority = parts.priority { bytes.appendMember("pri", text: String(priority).utf8, start: start) }
        let named = [("host", parts.host), ("ident", parts.app), ("pid", parts.process), ("msgid", parts.messageID)]
        for case (let name, let range?) in named {
            bytes.appendMember(name, text: text.slice(range), start: start)
        }
        if let first = parts.parameters.first, let last = parts.parameters.last {
            // From the bracket before the first element's name to the one behind the last value's quote.
            let range = (first.element.lowerBound - 1)..<min(text.count, last.value.upperBound + 2)
            bytes.appendMember("extradata", text: text.slice(range), start: start)
        }
        bytes.appendMember("message", text: text.slice(parts.message), start: start)
    }
}
