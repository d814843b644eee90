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
    ///
    /// Anchors are the starts of units in `zone`; after `calendar:` months and years, days and weeks are those of the
    /// calendar there, and not of 30, 365, 1 and 7 times 24 hours.
    public static func moment(_ text: String, now: Timestamp, zone: TimeZoneRules = .utc) -> Timestamp? {
        if let milliseconds = Int64(text) { return Timestamp(milliseconds: milliseconds) }
        var rest = Substring(text.lowercased())
        let isCalendar = rest.hasPrefix("calendar:")
        if isCalendar { rest = rest.dropFirst("calendar:".count) }
        let base = rest.prefix { $0 != "@" }
        var moment = now.nanoseconds
        if base != "now" && !base.isEmpty {
            guard let earlier = Self.earlier(moment, by: String(base), isCalendar ? zone : nil) else { return nil }
            moment = earlier
        }
        rest = rest.dropFirst(base.count)
        guard !rest.isEmpty else { return Timestamp(nanoseconds: moment) }
        rest = rest.dropFirst()
        let unit = rest.prefix { $0.isLetter }
        guard let length = Self.units[String(unit)] else { return nil }
        moment = Self.floor(moment, unit: String(unit), nanoseconds: length * Self.nanosecondsPerMillisecond, zone)
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

    /// Whether a text has an anchor or calendar units, which live queries and spans may not have.
    public static func isAnchored(_ text: String) -> Bool {
        text.contains("@") || text.lowercased().hasPrefix("calendar:")
    }

    /// A moment earlier by a length of time; units of the calendar of `calendar`, if it is given.
    private static func earlier(_ moment: Int64, by text: String, _ calendar: TimeZoneRules?) -> Int64? {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        if let calendar, let count = Int(number.isEmpty ? "1" : number), count < 1_000_000,
            let length = Self.units[String(unit)],
            length >= 86_400_000
        {
            return Self.earlier(moment, count, unit: String(unit), calendar)
        }
        guard let span = Self.span(text) else { return nil }
        let (difference, overflow) = moment.subtractingReportingOverflow(span)
        return overflow ? .min : difference
    }

    private static func earlier(_ moment: Int64, _ count: Int, unit: String, _ zone: TimeZoneRules) -> Int64? {
        var civil = zone.civilTime(at: Timestamp(nanoseconds: moment))
        let months =
            unit.hasPrefix("mon") ? count : unit.hasPrefix("q") ? 3 * count : unit.hasPrefix("y") ? 12 * count : 0
        if months > 0 {
            let month = civil.year * 12 + civil.month - 1 - months
            civil.year = month / 12
            civil.month = month % 12 + 1
            civil.day = min(civil.day, CivilTime.daysInMonth(year: civil.year, month: civil.month))
        } else {
            let days = unit.hasPrefix("w") ? 7 * count : count
            let day = CivilTime.day(year: civil.year, month: civil.month, day: civil.day) - days
            (civil.year, civil.month, civil.day) = CivilTime.date(ofDay: day)
        }
        return zone.timestamp(of: civil)?.nanoseconds
    }

    /// Start of the unit of a zone that holds the moment; weeks begin on Monday.
    private static func floor(_ moment: Int64, unit: String, nanoseconds: Int64, _ zone: TimeZoneRules) -> Int64 {
        func floored(_ value: Int64, by step: Int64) -> Int64 {
            let remainder = value % step
            return value - (remainder < 0 ? remainder + step : remainder)
        }
        var civil = zone.civilTime(at: Timestamp(nanoseconds: moment))
        let day = CivilTime.day(year: civil.year, month: civil.month, day: civil.day)
        switch unit.first {
        case "d": break
        case "w": (civil.year, civil.month, civil.day) = CivilTime.date(ofDay: day - (civil.weekday - 1))
        case "q": (civil.month, civil.day) = ((civil.month - 1) / 3 * 3 + 1, 1)
        case "y": (civil.month, civil.day) = (1, 1)
        case "m" where unit.hasPrefix("mon"): civil.day = 1
        default:
            // Clocks differ by whole minutes, hours of a zone may begin at half past those of UTC.
            let offset = Int64(zone.offset(at: Timestamp(nanoseconds: moment)).seconds) * 1_000_000_000
            return floored(moment + offset, by: nanoseconds) - offset
        }
        (civil.hour, civil.minute, civil.second, civil.nanosecond) = (0, 0, 0, 0)
        return zone.timestamp(of: civil)?.nanoseconds ?? moment
    }
}
