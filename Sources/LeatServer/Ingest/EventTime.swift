internal import LeatCore

/// The time of an event as shippers write it: ISO 8601 with any fraction, or an epoch number.
///
/// 64 bits of nanoseconds end in the year 2262 and begin in 1677. A time beyond is held at the first day of the last or
/// first whole year, so that the event is there to be found; what was written stays in the field `originalField`.
struct EventTime: Hashable, Sendable {
    let nanoseconds: Int64
    /// Whether the event has another time, which cannot be told in nanoseconds.
    var isHeld = false

    /// The field of the time as it was written, of events whose time is held.
    static let originalField = "@timestamp.original"

    /// 2262-01-01T00:00:00Z.
    private static let last: Int64 = 9_214_646_400_000_000_000
    /// 1678-01-01T00:00:00Z.
    private static let first: Int64 = -9_214_560_000_000_000_000

    /// The time of a text; `nil` when it is neither ISO 8601 nor an epoch number.
    @inline(__always)
    init?(_ text: UnsafeRawBufferPointer) {
        // Fast path: nearly every event.
        if let time = TimestampParser.parse(text) {
            self.init(time)
        } else {
            self.init(beyond: text)
        }
    }

    init(_ moment: Timestamp) { self.nanoseconds = moment.nanoseconds }

    /// Seconds since 1970 with a fraction; larger numbers are milliseconds and the like, as `TimestampParser` tells.
    init?(epoch text: String) {
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            !text.dropFirst().contains("-"), let time = EventTime(text)
        else { return nil }
        self = time
    }

    /// The time of a text.
    init?(_ text: String) {
        var text = text
        guard let time = text.withUTF8({ EventTime(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    /// Slow path: a date that would be one in another year, or seconds with too many digits.
    private init?(beyond text: UnsafeRawBufferPointer) {
        guard (10...64).contains(text.count) else { return nil }
        if text[4] == UInt8(ascii: "-"), let year = Int(String(decoding: text[..<4], as: UTF8.self)) {
            let inLeapYear = Array("2000".utf8) + text[4...]
            guard inLeapYear.withUnsafeBytes({ TimestampParser.parse($0) }) != nil else { return nil }
            self.nanoseconds = year > 2_000 ? Self.last : Self.first
        } else {
            let seconds = Double(String(decoding: text, as: UTF8.self))
            guard let seconds, seconds.magnitude < 1e11 else { return nil }
            self.nanoseconds = seconds > 0 ? Self.last : Self.first
        }
        self.isHeld = true
    }
}
