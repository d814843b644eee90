internal import LeatCore

/// A moment that a query computes with.
///
/// It reaches further than `Timestamp`, which ends in 2262: a field may hold any time that a calendar can name.
struct Moment: Hashable, Sendable {
    /// Whole seconds since 1970, rounded down.
    let seconds: Int64
    /// 0...999,999,999.
    let nanosecond: Int

    /// The seconds whose milliseconds fit 64 bits: some 292 million years.
    private static let secondsMax = Int64.max / 1000 - 1

    init(_ timestamp: Timestamp) {
        self.seconds = timestamp.seconds
        self.nanosecond = Int(timestamp.nanoseconds - timestamp.seconds * 1_000_000_000)
    }

    /// `nil` beyond the years that can be named.
    init?(seconds: Int64, nanosecond: Int = 0) {
        guard (-Self.secondsMax...Self.secondsMax).contains(seconds) else { return nil }
        self.seconds = seconds
        self.nanosecond = nanosecond
    }

    /// The moment that a count of units after 1970 is, of which a second has 1, 1,000, 1,000,000 or 1,000,000,000.
    ///
    /// Of fractions as many digits count as a double has for today's times, the sixth of a second.
    init?(_ number: Double, perSecond units: Int64) {
        let whole = number.rounded(.down)
        guard let count = Int64(exactly: whole) else { return nil }
        let nanosecondsPerUnit = 1_000_000_000 / units
        let fraction = ((number - whole) * Double(nanosecondsPerUnit)).rounded()
        self.init(count, perSecond: units, nanoseconds: Self.rounded(Int(fraction)))
    }

    private static func rounded(_ nanoseconds: Int) -> Int { (nanoseconds + 500) / 1000 * 1000 }

    /// The moment `count` units and some nanoseconds, less than a second, after 1970.
    init?(_ count: Int64, perSecond units: Int64, nanoseconds: Int = 0) {
        var (seconds, rest) = count.quotientAndRemainder(dividingBy: units)
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + units) }
        var nanosecond = Int(rest * (1_000_000_000 / units)) + nanoseconds
        if nanosecond >= 1_000_000_000 { (seconds, nanosecond) = (seconds + 1, nanosecond - 1_000_000_000) }
        self.init(seconds: seconds, nanosecond: nanosecond)
    }

    /// Whole milliseconds since 1970, rounded down.
    var milliseconds: Int64 { self.seconds * 1000 + Int64(self.nanosecond / 1_000_000) }

    /// The nanoseconds within the millisecond, 0...999,999: what `@timestamp.nanos` holds.
    var nanosecondOfMillisecond: Int { self.nanosecond % 1_000_000 }

    /// What clocks of a zone show.
    func civilTime(in zone: TimeZoneRules) -> CivilTime {
        self.civilTime(offset: zone.offset(at: self.seconds).seconds)
    }

    /// What clocks show `offset` seconds east of UTC.
    func civilTime(offset: Int) -> CivilTime {
        let local = self.seconds + Int64(offset)
        var (day, second) = local.quotientAndRemainder(dividingBy: 86_400)
        if second < 0 { (day, second) = (day - 1, second + 86_400) }
        let date = CivilTime.date(ofDay: Int(day))
        return CivilTime(
            year: date.year,
            month: date.month,
            day: date.day,
            hour: Int(second) / 3600,
            minute: Int(second) / 60 % 60,
            second: Int(second) % 60,
            nanosecond: self.nanosecond
        )
    }
}
