/// A syslog message taken apart, as slices of its text: RFC 5424, and the older form that RFC 3164 describes.
///
///     <34>1 2003-10-11T22:14:15.003Z host app 8710 ID47 [ex@32473 class="high"] message       RFC 5424
///     <34>Oct 11 22:14:15 host app[8710]: message                                             RFC 3164
///
/// Ranges count from the first byte of the message; `nil` where a part is missing or given as `-`.
public struct SyslogMessage: Sendable {
    /// A parameter of structured data.
    public struct Parameter: Hashable, Sendable {
        /// The element's name, such as `ex@32473`.
        public let element: Range<Int>
        public let name: Range<Int>
        public let value: Range<Int>
        /// Whether the value has backslashes before quotes, backslashes or closing brackets.
        public let hasEscapes: Bool
    }

    /// Elements and parameters beyond this many are left in the text.
    public static let parameterCountMax = 256

    /// Facility times 8 plus severity, 0 to 191; `nil` when the message has none.
    public let priority: Int?
    public let isRFC5424: Bool
    public let timestamp: Timestamp?
    public let host: Range<Int>?
    public let app: Range<Int>?
    public let process: Range<Int>?
    public let messageID: Range<Int>?
    public let parameters: [Parameter]
    public let message: Range<Int>

    /// 0 (kernel) to 23 (local7).
    public var facility: Int? { self.priority.map { $0 / 8 } }

    /// 0 (emergency) to 7 (debug).
    public var severity: Int? { self.priority.map { $0 % 8 } }

    /// Takes a message apart; `nil` when it is neither form: no priority, and no date at its start.
    ///
    /// - Parameters:
    ///   - bytes: The message without its framing.
    ///   - now: The present, for dates without a year.
    ///   - zone: The zone of dates without one.
    public init?(_ bytes: UnsafeRawBufferPointer, now: Timestamp, zone: TimeZoneRules = .utc) {
        var reader = SyslogReader(bytes: bytes)
        let priority = reader.priority()
        if priority != nil, reader.skip("1 ") {
            self.init(structured: &reader, priority: priority)
        } else {
            self.init(traditional: &reader, priority: priority, now: now, zone: zone)
        }
    }

    private init(structured reader: inout SyslogReader, priority: Int?) {
        self.priority = priority
        self.isRFC5424 = true
        self.timestamp = reader.token().flatMap { TimestampParser.parseISO(reader.bytes.slice($0)) }
        self.host = reader.token()
        self.app = reader.token()
        self.process = reader.token()
        self.messageID = reader.token()
        self.parameters = reader.structuredData(atMost: Self.parameterCountMax)
        _ = reader.skip(" ")
        // The mark that says that the text is UTF-8 is not part of it.
        _ = reader.skip("\u{FEFF}")
        self.message = reader.rest
    }

    private init?(traditional reader: inout SyslogReader, priority: Int?, now: Timestamp, zone: TimeZoneRules) {
        self.priority = priority
        self.isRFC5424 = false
        self.timestamp = reader.date(now: now, zone: zone)
        guard priority != nil || self.timestamp != nil else { return nil }
        self.messageID = nil
        self.parameters = []
        self.host = self.timestamp == nil ? nil : reader.host()
        let tag = reader.tag()
        self.app = tag?.app
        self.process = tag?.process
        self.message = reader.rest
    }
}

/// Reads the parts of a syslog message one after the other.
private struct SyslogReader {
    let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var rest: Range<Int> { self.at..<self.bytes.count }

    mutating func skip(_ text: StaticString) -> Bool {
        let end = self.at + text.utf8CodeUnitCount
        guard end <= self.bytes.count, self.bytes.slice(self.at..<end).isEqual(to: text) else { return false }
        self.at = end
        return true
    }

    /// `<0>` to `<191>`.
    mutating func priority() -> Int? {
        guard self.bytes.count >= 3, self.bytes[0] == UInt8(ascii: "<") else { return nil }
        for count in 1...3 {
            guard let value = digits(self.bytes, 1, count), count + 1 < self.bytes.count else { return nil }
            if self.bytes[count + 1] == UInt8(ascii: ">") {
                guard value <= 191 else { return nil }
                self.at = count + 2
                return value
            }
        }
        return nil
    }

    /// A word and the space after it; `nil` for `-`.
    mutating func token() -> Range<Int>? {
        let start = self.at
        let end = self.bytes.firstIndex(ofByte: 0x20, from: start) ?? self.bytes.count
        self.at = min(end + 1, self.bytes.count)
        let isNil = end == start + 1 && self.bytes[start] == UInt8(ascii: "-")
        return isNil || end == start ? nil : start..<end
    }

    // MARK: structured data

    mutating func structuredData(atMost limit: Int) -> [SyslogMessage.Parameter] {
        var parameters: [SyslogMessage.Parameter] = []
        if self.skip("-") { return parameters }
        while self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: "["), parameters.count < limit {
            let before = self.at
            guard self.element(&parameters) else {
                // Not closed: it is text.
                self.at = before
                break
            }
        }
        return parameters
    }

    private mutating func element(_ parameters: inout [SyslogMessage.Parameter]) -> Bool {
        let start = self.at + 1
        var end = start
        while end < self.bytes.count, self.bytes[end] != 0x20, self.bytes[end] != UInt8(ascii: "]") { end += 1 }
        let element = start..<end
        self.at = end
        while self.skip(" ") {
            guard let equals = self.bytes.firstIndex(ofByte: UInt8(ascii: "="), from: self.at),
                equals + 1 < self.bytes.count, self.bytes[equals + 1] == UInt8(ascii: "\"")
            else { return false }
            let name = self.at..<equals
            var hasEscapes = false
            var close = equals + 2
            while close < self.bytes.count, self.bytes[close] != UInt8(ascii: "\"") {
                if self.bytes[close] == UInt8(ascii: "\\") {
                    hasEscapes = true
                    close += 1
                }
                close += 1
            }
            guard close < self.bytes.count else { return false }
            parameters.append(
                SyslogMessage.Parameter(element: element, name: name, value: equals + 2..<close, hasEscapes: hasEscapes)
            )
            self.at = close + 1
        }
        return self.skip("]")
    }

    // MARK: the older form

    /// `Oct 11 22:14:15`, also with a year or a fraction, or an ISO 8601 date, and the space after it.
    mutating func date(now: Timestamp, zone: TimeZoneRules) -> Timestamp? {
        let rest = self.bytes.slice(self.rest)
        let word = rest.slice(0..<(rest.firstIndex(ofByte: 0x20) ?? rest.count))
        if word.count >= 19, let timestamp = TimestampParser.parseISO(word, zone: zone) {
            self.at = min(self.at + word.count + 1, self.bytes.count)
            return timestamp
        }
        for pattern in Self.datePatterns {
            guard let (timestamp, end) = pattern.parsePrefix(rest, now: now, zone: zone) else { continue }
            self.at += end
            _ = self.skip(":")
            _ = self.skip(" ")
            return timestamp
        }
        return nil
    }

    private static let datePatterns: [TimePattern] = ["%b %e %H:%M:%S.%L", "%b %e %H:%M:%S", "%b %e %Y %H:%M:%S"]
        .map { text in
            do throws(TimePatternError) {
                return try TimePattern(strptime: text)
            } catch {
                preconditionFailure("a built-in time format is wrong: \(error)")
            }
        }

    /// A host name, unless the word is a tag already (`app:` or `app[1]:`).
    mutating func host() -> Range<Int>? {
        let start = self.at
        guard let end = self.bytes.firstIndex(ofByte: 0x20, from: start), end > start else { return nil }
        let last = self.bytes[end - 1]
        if last == UInt8(ascii: ":") || last == UInt8(ascii: "]") { return nil }
        self.at = end + 1
        return start..<end
    }

    /// `app:`, `app[8710]:` and the space after it; nothing else is a tag.
    mutating func tag() -> (app: Range<Int>, process: Range<Int>?)? {
        let start = self.at
        var end = start
        while end < self.bytes.count, end - start < 64, Self.isTagByte(self.bytes[end]) { end += 1 }
        guard end > start, end < self.bytes.count else { return nil }
        let app = start..<end
        var process: Range<Int>?
        if self.bytes[end] == UInt8(ascii: "[") {
            guard let close = self.bytes.firstIndex(ofByte: UInt8(ascii: "]"), from: end), close - end < 64 else {
                return nil
            }
            process = end + 1..<close
            end = close + 1
        }
        guard end < self.bytes.count, self.bytes[end] == UInt8(ascii: ":") else { return nil }
        self.at = end + 1
        _ = self.skip(" ")
        return (app, process)
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "[") && byte != UInt8(ascii: ":")
    }
}
