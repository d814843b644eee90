internal import LeatCore
internal import LeatQuery

/// A moment as users give it to `--start`, `--end`, `--since` and `\range`; the server reads the same forms.
enum Moment {
    /// The moment that `text` names: epoch milliseconds, relative (`24h`, `now`, `1d@d`), or ISO 8601; `nil` when it names
    /// none.
    static func read(_ text: String, now: Timestamp) -> Timestamp? {
        if text.isEmpty { return nil }
        return RelativeTime.moment(text, now: now) ?? TimestampParser.parse(text)
    }

    /// The moment as a server takes it: relative as it is, anything else in milliseconds since 1970.
    static func forServer(_ text: String) -> String {
        let now = SystemTime().now()
        // The server has its own clock, and knows `all`.
        guard RelativeTime.moment(text, now: now) == nil, let moment = Self.read(text, now: now) else { return text }
        return String(moment.milliseconds)
    }

    /// What to say of a number that is a moment of 1970 and was most likely meant as seconds, or as a year; `nil` for all
    /// others.
    static func doubt(_ text: String) -> String? {
        guard let number = Int64(text), number > 0 else { return nil }
        let isYear = (1970...2100).contains(number)
        guard isYear || (9...10).contains(text.utf8.count) else { return nil }
        let moment = TimestampWriter.text(Timestamp(nanoseconds: number * 1_000_000), precision: .seconds)
        let advice = isYear ? "for the year write \(text)-01-01" : "for seconds write \(text)000"
        return "\(text) is in milliseconds, \(moment); \(advice)"
    }

    /// A length of time such as `24h`, `5 minutes`, `1.5h`, in nanoseconds.
    static func length(_ text: String) -> Int64? { RelativeTime.span(text) }
}
