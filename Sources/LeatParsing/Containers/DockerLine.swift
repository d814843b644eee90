internal import Glibc

/// A line of docker's `json-file` driver, taken apart by position:
/// `{"log":"the application's own line\n","stream":"stdout","time":"2026-03-14T09:26:53.591793158Z"}`.
///
/// Docker writes the keys in this order, with `attrs` (an object) before `time` when labels are logged. Other orders
/// are read too, a little slower. The application's bytes stay as the contents of a JSON string, since the event that is
/// made of them is JSON again; `DockerLine.unescape` gives the plain bytes to those who need them.
public struct DockerLine: Sendable {
    /// Time of the line, nanoseconds since 1970 UTC.
    public let nanoseconds: Int64
    public let stream: LogStream
    /// Whether the application's line goes on in the next line of the same stream: its text has no newline at the end.
    public let isPartial: Bool
    /// The contents of the JSON string `log`, without quotes and without the escaped newline at its end.
    public let messageRange: Range<Int>
    /// The text of the time, without quotes.
    public let timeRange: Range<Int>
    /// The other members, each from its name's quote to the end of its value: the labels under `attrs`.
    public let otherRanges: [Range<Int>]

    /// Takes a line without its newline apart; `nil` when it is not an object with `log`, `stream` and `time`.
    public init?(_ line: UnsafeRawBufferPointer) {
        guard let members = DockerMembers(line) else { return nil }
        guard let log = members.log, let streamRange = members.stream, let timeRange = members.time,
            let stream = Self.stream(line[streamRange]),
            let time = ContainerTime.read(UnsafeRawBufferPointer(rebasing: line[timeRange.lowerBound...])),
            time.byteCount == timeRange.count
        else { return nil }
        let endsLine =
            log.count >= 2 && line[log.upperBound - 1] == UInt8(ascii: "n")
            && Self.isEscape(line, at: log.upperBound - 2, from: log.lowerBound)
        self.nanoseconds = time.nanoseconds
        self.stream = stream
        self.isPartial = !endsLine
        self.messageRange = log.lowerBound..<(endsLine ? log.upperBound - 2 : log.upperBound)
        self.timeRange = timeRange
        self.otherRanges = members.others
    }

    /// The contents of the JSON string that holds the application's line.
    @inlinable
    public func escapedMessage(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: line[self.messageRange])
    }

    /// The time as it was written.
    @inlinable
    public func timeText(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: line[self.timeRange])
    }

    private static func stream(_ name: Slice<UnsafeRawBufferPointer>) -> LogStream? {
        if name.elementsEqual("stdout".utf8) { return .stdout }
        return name.elementsEqual("stderr".utf8) ? .stderr : nil
    }

    /// Whether the backslash at `index` begins an escape, so that it is not itself escaped.
    private static func isEscape(_ bytes: UnsafeRawBufferPointer, at index: Int, from start: Int) -> Bool {
        var first = index
        while first >= start, bytes[first] == UInt8(ascii: "\\") { first -= 1 }
        return (index - first) % 2 == 1
    }
}

/// Where the values of a docker line lie; strings without their quotes.
private struct DockerMembers {
    var log: Range<Int>?
    var stream: Range<Int>?
    var time: Range<Int>?
    /// Whole members of other names.
    var others: [Range<Int>] = []

    init?(_ line: UnsafeRawBufferPointer) {
        var index = 0
        Self.skipSpace(line, &index)
        guard Self.take(line, UInt8(ascii: "{"), &index) else { return nil }
        while true {
            guard let key = Self.string(line, &index), Self.take(line, UInt8(ascii: ":"), &index) else { return nil }
            Self.skipSpace(line, &index)
            if index < line.count, line[index] == UInt8(ascii: "\"") {
                guard let value = Self.string(line, &index) else { return nil }
                if !self.keep(value, key: line[key]) { self.others.append(key.lowerBound - 1..<index) }
            } else {
                guard Self.skipValue(line, &index) else { return nil }
                self.others.append(key.lowerBound - 1..<index)
            }
            if Self.take(line, UInt8(ascii: ","), &index) { continue }
            guard Self.take(line, UInt8(ascii: "}"), &index) else { return nil }
            Self.skipSpace(line, &index)
            guard index == line.count else { return nil }
            return
        }
    }

    /// Whether the member is one of those that make the line.
    private mutating func keep(_ value: Range<Int>, key: Slice<UnsafeRawBufferPointer>) -> Bool {
        if key.elementsEqual("log".utf8) {
            self.log = value
        } else if key.elementsEqual("stream".utf8) {
            self.stream = value
        } else if key.elementsEqual("time".utf8) {
            self.time = value
        } else {
            return false
        }
        return true
    }

    /// The contents of the string that begins at `index`; moves behind its closing quote.
    private static func string(_ line: UnsafeRawBufferPointer, _ index: inout Int) -> Range<Int>? {
        guard Self.take(line, UInt8(ascii: "\""), &index), let base = line.baseAddress else { return nil }
        let start = index
        while index < line.count {
            guard let found = memchr(base + index, Int32(UInt8(ascii: "\"")), line.count - index) else { return nil }
            let quote = base.distance(to: UnsafeRawPointer(found))
            var first = quote - 1
            while first >= start, line[first] == UInt8(ascii: "\\") { first -= 1 }
            index = quote + 1
            if (quote - 1 - first) % 2 == 0 { return start..<quote }
        }
        return nil
    }

    /// Moves behind a value that is no string: the labels of `attrs`, a number, a literal.
    private static func skipValue(_ line: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
        var depth = 0
        while index < line.count {
            switch line[index] {
            case UInt8(ascii: "\""):
                guard Self.string(line, &index) != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
            case UInt8(ascii: ","):
                if depth == 0 { return true }
            default: break
            }
            index += 1
        }
        return false
    }

    private static func take(_ line: UnsafeRawBufferPointer, _ byte: UInt8, _ index: inout Int) -> Bool {
        Self.skipSpace(line, &index)
        guard index < line.count, line[index] == byte else { return false }
        index += 1
        return true
    }

    private static func skipSpace(_ line: UnsafeRawBufferPointer, _ index: inout Int) {
        while index < line.count, line[index] == UInt8(ascii: " ") || line[index] == UInt8(ascii: "\t") { index += 1 }
    }
}
