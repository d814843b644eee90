/// A date and a time of day as a calendar and a clock on the wall show them, without a zone.
///
/// Proleptic Gregorian calendar; the arithmetic is Howard Hinnant's (“chrono-Compatible Low-Level Date Algorithms”).
public struct CivilTime: Hashable, Sendable {
    public var year: Int
    /// From 1 to 12.
    public var month: Int
    /// From 1 to 31.
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var nanosecond: Int

    public init(
        year: Int,
        month: Int = 1,
        day: Int = 1,
        hour: Int = 0,
        minute: Int = 0,
        second: Int = 0,
        nanosecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanosecond = nanosecond
    }

    /// What clocks show `offset` seconds east of UTC at a moment.
    public init(_ timestamp: Timestamp, offset: Int = 0) {
        let (seconds, nanosecond) = floorDivide(timestamp.nanoseconds, 1_000_000_000)
        let (days, secondOfDay) = floorDivide(seconds + Int64(offset), 86_400)
        let (year, month, day) = Self.date(ofDay: Int(days))
        self.init(
            year: year,
            month: month,
            day: day,
            hour: Int(secondOfDay) / 3600,
            minute: Int(secondOfDay) / 60 % 60,
            second: Int(secondOfDay) % 60,
            nanosecond: Int(nanosecond)
        )
    }

    /// Seconds from 1970-01-01T00:00:00 on the same wall.
    public var secondsSince1970: Int64 {
        Int64(Self.day(year: self.year, month: self.month, day: self.day)) * 86_400
            + Int64(self.hour * 3600 + self.minute * 60 + self.second)
    }

    /// The moment when clocks `offset` seconds east of UTC show this; `nil` outside of the range of `Timestamp`.
    public func timestamp(offset: Int = 0) -> Timestamp? {
        Timestamp(seconds: self.secondsSince1970 - Int64(offset), nanoseconds: Int64(self.nanosecond))
    }

    /// From 1 for Monday to 7 for Sunday.
    public var weekday: Int {
        let day = Self.day(year: self.year, month: self.month, day: self.day)
        // 1970-01-01 was a Thursday.
        return ((day + 3) % 7 + 7) % 7 + 1
    }

    /// From 1 to 366.
    public var dayOfYear: Int {
        Self.day(year: self.year, month: self.month, day: self.day) - Self.day(year: self.year, month: 1, day: 1) + 1
    }

    /// Number of the week after ISO 8601, and the year to which that week belongs.
    public var isoWeek: (year: Int, week: Int) {
        let day = Self.day(year: self.year, month: self.month, day: self.day)
        // A week belongs to the year of its Thursday.
        let thursday = day - self.weekday + 4
        let year = Self.date(ofDay: thursday).year
        return (year, (thursday - Self.day(year: year, month: 1, day: 1)) / 7 + 1)
    }

    /// Whether all parts are in their ranges; second 60 is, as leap seconds are written so.
    public var isValid: Bool {
        (1...12).contains(self.month) && self.day >= 1
            && self.day <= Self.daysInMonth(year: self.year, month: self.month)
            && (0...23).contains(self.hour) && (0...59).contains(self.minute) && (0...60).contains(self.second)
            && (0...999_999_999).contains(self.nanosecond)
    }

    /// From 28 to 31.
    public static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date.
    public static func day(year: Int, month: Int, day: Int) -> Int {
        // Years begin in March, so that the leap day is the last.
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date that is `number` days after 1970-01-01.
    public static func date(ofDay number: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Quotient rounded down, and the remainder, which is never negative.
@inline(__always)
func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

extension Timestamp {
    /// The moment `seconds` and `nanoseconds` (0...999,999,999) after 1970; `nil` outside of the range.
    public init?(seconds: Int64, nanoseconds: Int64) {
        // Before 1970 the product alone may be out of range although the sum is not.
        let borrowed = seconds < 0 && nanoseconds > 0
        let (product, overflow) = (borrowed ? seconds + 1 : seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, outside) = product.addingReportingOverflow(borrowed ? nanoseconds - 1_000_000_000 : nanoseconds)
        if overflow || outside { return nil }
        self.init(nanoseconds: sum)
    }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 { floorDivide(self.nanoseconds, 1_000_000_000).quotient }
}
