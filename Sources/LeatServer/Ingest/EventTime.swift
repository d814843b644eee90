internal import LeatCore

/// The time of an event as shippers write it: ISO 8601 with any fraction, or an epoch number.
enum EventTime {
    /// Nanoseconds since 1970; `nil` when the text is neither.
    static func nanoseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        TimestampParser.parse(text)?.nanoseconds
    }
}
