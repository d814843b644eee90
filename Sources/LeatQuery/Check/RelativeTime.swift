public import LeatCore

/// Lengths of time and moments as queries write them: `5m`, `1 hour`, `now`, `7d`, `1d@d`.
public enum RelativeTime {
    private static let nanosecondsPerMillisecond: Int64 = 1_000_000

    /// Milliseconds of each unit name; months, quarters and years are 30, 90 and 365 days.
    private static let units: [String: Int64] = {
        var units: [String: Int64] = [:]
        let second: Int64 = 1000
        let day = 86_400 * second
        let table: [(String, Int64)] = [
            ("ms millis millisecond milliseconds", 1),
            ("s sec secs second seconds", second),
            ("m min mins minute minutes", 60 * second),
            ("h hr hrs hour hours", 3600 * second),
            ("d day days", day),
            ("w week weeks", 7 * day),
            ("mon month months", 30 * day),
            ("q qtr qtrs quarter quarters", 90 * day),
            ("y yr yrs year years", 365 * day),
        ]
        for (names, length) in table {
            for name in names.split(separator: " ") { units[String(name)] = length }
        }
        return units
    }()

    /// The nanoseconds of a length of time such as `5m`, `1h30m` or `2 weeks`; `nil` when the text is none, or does not fit.
    public static func span(_ text: String) -> Int64? {
        var rest = Substring(text.lowercased())
        var total: Double = 0
        var count = 0
        while true {
            rest = rest.drop { $0 == " " }
            if rest.isEmpty { break }
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            guard let length = Self.units[String(unit)] else { return nil }
            rest = rest.dropFirst(unit.count)
            total += number * Double(length)
            count += 1
        }
        let nanoseconds = total * Double(Self.nanosecondsPerMillisecond)
        guard count > 0, nanoseconds < 9.2e18 else { return nil }
        return Int64(nanoseconds)
    }

    /// The moment that a text names, seen from `now`: epoch milliseconds, `now`, `7d`, or with anchors `1d@d+12h`.
    public static func moment(_ text: String, now: Timestamp) -> Timestamp? {
        if let milliseconds = Int64(text) { return Timestamp(milliseconds: milliseconds) }
        var rest = Substring(text.lowercased())
        if rest.hasPrefix("calendar:") { rest = rest.dropFirst("calendar:".count) }
        let base = rest.prefix { $0 != "@" }
        var moment = now.nanoseconds
        if base != "now" && !base.isEmpty {
            guard let span = Self.span(String(base)) else { return nil }
            let (difference, overflow) = moment.subtractingReportingOverflow(span)
            moment = overflow ? .min : difference
        }
        rest = rest.dropFirst(base.count)
        guard !rest.isEmpty else { return Timestamp(nanoseconds: moment) }
        rest = rest.dropFirst()
        let unit = rest.prefix { $0.isLetter }
        guard let length = Self.units[String(unit)] else { return nil }
        moment = Self.floor(moment, unit: String(unit), nanoseconds: length * Self.nanosecondsPerMillisecond)
        rest = rest.dropFirst(unit.count)
        while let sign = rest.first {
            guard sign == "+" || sign == "-" else { return nil }
            rest = rest.dropFirst()
            let offset = rest.prefix { $0 != "+" && $0 != "-" }
            guard let span = Self.span(String(offset)) else { return nil }
            moment = sign == "+" ? moment &+ span : moment &- span
            rest = rest.dropFirst(offset.count)
        }
        return Timestamp(nanoseconds: moment)
    }

    /// Start of the unit that holds the moment, in UTC; weeks begin on Monday.
    private static func floor(_ moment: Int64, unit: String, nanoseconds: Int64) -> Int64 {
        func floored(_ value: Int64, by step: Int64) -> Int64 {
            let remainder = value % step
            return value - (remainder < 0 ? remainder + step : remainder)
        }
        let day: Int64 = 86_400_000_000_000
        switch unit.first {
        case "w":
            // 1970-01-01 was a Thursday, three days after a Monday.
            return floored(moment + 3 * day, by: 7 * day) - 3 * day
        case "q", "y",
            "m" where unit.hasPrefix("mon"):
            let date = CivilTime.date(ofDay: Int(floored(moment, by: day) / day))
            let month = unit.first == "y" ? 1 : unit.first == "q" ? (date.month - 1) / 3 * 3 + 1 : date.month
            return Int64(CivilTime.day(year: date.year, month: month, day: 1)) * day
        default: return floored(moment, by: nanoseconds)
        }
    }
}
