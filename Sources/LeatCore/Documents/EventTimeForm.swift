/// A way to write the time of an event from which the same text can be made again.
public enum EventTimeForm: UInt8, Hashable, Sendable, CaseIterable {
    /// `"2023-11-14T22:13:20Z"`, and with three, six or nine digits of a fraction.
    case seconds = 3
    case milliseconds = 4
    case microseconds = 5
    case nanoseconds = 6
    /// Milliseconds since 1970 as a number.
    case epochMilliseconds = 7
    /// Seconds since 1970 as a number.
    case epochSeconds = 8

    /// The form in which `text` says just `timestamp`; `nil` when it is another, and must be kept.
    public init?(_ text: UnsafeRawBufferPointer, kind: JSONKind, saying timestamp: Timestamp) {
        let form: EventTimeForm? =
            switch (kind, text.count) {
            case (.string, 20): .seconds
            case (.string, 24): .milliseconds
            case (.string, 27): .microseconds
            case (.string, 30): .nanoseconds
            case (.number, 12...14): .epochMilliseconds
            case (.number, 8...11): .epochSeconds
            default: nil
            }
        guard let form else { return nil }
        var written: [UInt8] = []
        written.reserveCapacity(32)
        form.append(timestamp, to: &written)
        let isSame = written.withUnsafeBytes { written in
            (kind == .string ? written.slice(1..<written.count - 1) : written).isEqual(to: text)
        }
        // A form that cuts digits off writes the same text for other moments; the row has the moment itself.
        guard isSame else { return nil }
        self = form
    }

    /// Appends a moment in this form, as JSON: texts in quotes.
    public func append(_ timestamp: Timestamp, to bytes: inout [UInt8]) {
        switch self {
        case .epochMilliseconds: bytes += String(timestamp.milliseconds).utf8
        case .epochSeconds: bytes += String(timestamp.seconds).utf8
        case .seconds, .milliseconds, .microseconds, .nanoseconds:
            bytes.append(UInt8(ascii: "\""))
            TimestampWriter.append(timestamp, precision: self.precision, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private var precision: TimePrecision {
        switch self {
        case .milliseconds: .milliseconds
        case .microseconds: .microseconds
        case .nanoseconds: .nanoseconds
        default: .seconds
        }
    }
}
