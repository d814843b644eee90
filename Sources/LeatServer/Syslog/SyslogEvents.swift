internal import LeatCore

/// Makes events of syslog messages.
///
/// The text is always the whole message as it came. Unless a parser does that later, its parts become the fields
/// `priority`, `facility`, `severity`, `host`, `app`, `pid`, `msgid`, `message` and, of structured data, `ELEMENT.NAME`.
/// A message that is no syslog is stored all the same.
struct SyslogEvents: Sendable {
    /// The zone of dates without one.
    let zone: TimeZoneRules
    /// Whether a parser takes the text apart.
    let hasParser: Bool

    private static let severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]

    /// The event of a message.
    ///
    /// - Parameters:
    ///   - bytes: The message without its frame.
    ///   - sender: The address it came from.
    ///   - isCut: Whether the message was longer than a message may be.
    ///   - now: The present, for dates without a year.
    /// - Returns: The event; of what is no syslog with its text alone.
    func event(_ bytes: UnsafeRawBufferPointer, sender: String?, isCut: Bool, now: Timestamp) -> EventWriter.Event {
        var event = EventWriter.Event(text: String(decoding: bytes, as: UTF8.self))
        if let sender { event.fields.append(("sender", sender)) }
        if isCut { event.fields.append(("@truncated", "true")) }
        guard !self.hasParser, let message = SyslogMessage(bytes, now: now, zone: self.zone) else { return event }
        event.time = message.timestamp
        func add(_ name: String, _ range: Range<Int>?) {
            guard let range, !range.isEmpty else { return }
            event.fields.append((name, String(decoding: bytes[range], as: UTF8.self)))
        }
        if let priority = message.priority {
            event.fields.append(("priority", String(priority)))
            event.fields.append(("facility", Self.facilities[priority / 8]))
            event.fields.append(("severity", Self.severities[priority % 8]))
        }
        add("host", message.host)
        add("app", message.app)
        add("pid", message.process)
        add("msgid", message.messageID)
        for parameter in message.parameters {
            let name =
                String(decoding: bytes[parameter.element], as: UTF8.self) + "."
                + String(decoding: bytes[parameter.name], as: UTF8.self)
            let value = String(decoding: bytes[parameter.value], as: UTF8.self)
            event.fields.append((name, parameter.hasEscapes ? Self.unescaped(value) : value))
        }
        add("message", message.message)
        return event
    }

    /// The value of a parameter without the backslashes before quotes, backslashes and closing brackets.
    private static func unescaped(_ value: String) -> String {
        var result = ""
        var isEscaped = false
        for scalar in value.unicodeScalars {
            if isEscaped {
                if scalar != "\"", scalar != "\\", scalar != "]" { result.unicodeScalars.append("\\") }
                result.unicodeScalars.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return isEscaped ? result + "\\" : result
    }
}
