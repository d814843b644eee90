internal import LeatCore

/// A moment as users give it to `--start`, `--end` and `--since`.
enum Moment {
    /// Units of relative times in nanoseconds; a month is 30 days and a year 365.
    private static let units: [String: Int64] = {
        let second: Int64 = 1_000_000_000
        let groups: [([String], Int64)] = [
            (["ms", "millis", "millisecond", "milliseconds"], second / 1_000),
            (["s", "sec", "secs", "second", "seconds"], second),
            (["m", "min", "mins", "minute", "minutes"], 60 * second),
            (["h", "hr", "hrs", "hour", "hours"], 3_600 * second),
            (["d", "day", "days"], 86_400 * second),
            (["w", "week", "weeks"], 7 * 86_400 * second),
            (["mon", "month", "months"], 30 * 86_400 * second),
            (["y", "year", "years"], 365 * 86_400 * second),
        ]
        return Dictionary(uniqueKeysWithValues: groups.flatMap { names, unit in names.map { ($0, unit) } })
    }()

    /// The moment that `text` names; `nil` when it names none.
    static func read(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        if let length = Self.length(text) {
            let (result, overflow) = now.nanoseconds.subtractingReportingOverflow(length)
            return overflow ? nil : Timestamp(nanoseconds: result)
        }
        return TimestampParser.parse(text)
    }

    /// The moment as a server takes it: relative as it is, anything else in milliseconds since 1970.
    static func forServer(_ text: String) -> String {
        let now = SystemTime().now()
        if text == "now" || Self.length(text) != nil { return text }
        guard let moment = Self.read(text, now: now) else {
            // The server knows more forms of relative times, such as `1d@d`.
            return text
        }
        return String(moment.milliseconds)
    }

    /// A length of time such as `24h`, `5 minutes`, `1.5h`, in nanoseconds.
    static func length(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let count = Double(digits), let nanoseconds = Self.units[unit.lowercased()] else { return nil }
        let length = count * Double(nanoseconds)
        return length < 9.2e18 ? Int64(length) : nil
    }
}
