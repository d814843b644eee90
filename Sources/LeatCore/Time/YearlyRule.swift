/// Offsets that change on the same rule every year, as the `TZ` variable of POSIX says it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct YearlyRule: Hashable, Sendable {
    /// A day of the year and a time of that day.
    private enum Day: Hashable, Sendable {
        /// Month 1...12, week 1...5 (5 is the last), weekday 0 (Sunday)...6.
        case weekday(month: Int, week: Int, weekday: Int)
        /// 1...365, February 29 is never counted.
        case julian(Int)
        /// 0...365
        case zeroBased(Int)
    }

    private struct Change: Hashable, Sendable {
        var day: Day
        /// Seconds after midnight on the wall, maybe negative or beyond a day.
        var time: Int
    }

    private var standard: TimeZoneRules.Offset
    private var daylight: TimeZoneRules.Offset?
    private var begin = Change(day: .julian(1), time: 0)
    private var end = Change(day: .julian(1), time: 0)

    /// Reads a rule; `nil` when the text is none.
    init?(_ text: String) {
        var reader = Reader(bytes: Array(text.utf8))
        guard let name = reader.name(), let west = reader.time() else { return nil }
        self.standard = TimeZoneRules.Offset(seconds: -west, abbreviation: name)
        if reader.isAtEnd { return }
        guard let daylightName = reader.name() else { return nil }
        let east = reader.next == UInt8(ascii: ",") ? self.standard.seconds + 3600 : reader.time().map { -$0 }
        guard let east, let begin = reader.change(), let end = reader.change(), reader.isAtEnd else { return nil }
        self.daylight = TimeZoneRules.Offset(seconds: east, abbreviation: daylightName, isDaylightSaving: true)
        self.begin = begin
        self.end = end
    }

    /// The offset at a moment, in seconds since 1970.
    func offset(at seconds: Int64) -> TimeZoneRules.Offset {
        guard let daylight = self.daylight else { return self.standard }
        let day = Int(floorDivide(seconds + Int64(self.standard.seconds), 86_400).quotient)
        let year = CivilTime.date(ofDay: day).year
        let start = self.moment(self.begin, year) - Int64(self.standard.seconds)
        let stop = self.moment(self.end, year) - Int64(daylight.seconds)
        // In the south summer lasts over new year.
        let isSummer = start < stop ? seconds >= start && seconds < stop : seconds >= start || seconds < stop
        return isSummer ? daylight : self.standard
    }

    /// Seconds from 1970 to a change, on the wall.
    private func moment(_ change: Change, _ year: Int) -> Int64 {
        let day: Int
        switch change.day {
        case .julian(let number):
            let afterFebruary = number > 59 && CivilTime.daysInMonth(year: year, month: 2) == 29
            day = CivilTime.day(year: year, month: 1, day: 1) + number - (afterFebruary ? 0 : 1)
        case .zeroBased(let number):
            day = CivilTime.day(year: year, month: 1, day: 1) + number
        case .weekday(let month, let week, let weekday):
            let first = CivilTime.day(year: year, month: month, day: 1)
            // 1970-01-01 was a Thursday, which is 4.
            let firstWeekday = ((first + 4) % 7 + 7) % 7
            var date = 1 + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            while date > CivilTime.daysInMonth(year: year, month: month) { date -= 7 }
            day = first + date - 1
        }
        return Int64(day) * 86_400 + Int64(change.time)
    }

    /// Takes a rule's text apart.
    private struct Reader {
        let bytes: [UInt8]
        var at = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { self.at == self.bytes.count }
        var next: UInt8? { self.isAtEnd ? nil : self.bytes[self.at] }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard self.next == byte else { return false }
            self.at += 1
            return true
        }

        /// `CET` or `<+03>`.
        mutating func name() -> String? {
            let isQuoted = self.skip(UInt8(ascii: "<"))
            let start = self.at
            while let byte = self.next,
                isQuoted ? byte != UInt8(ascii: ">") : byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A
            {
                self.at += 1
            }
            let name = String(decoding: self.bytes[start..<self.at], as: UTF8.self)
            if isQuoted && !self.skip(UInt8(ascii: ">")) { return nil }
            return name.isEmpty ? nil : name
        }

        mutating func number() -> Int? {
            var value: Int?
            while let byte = self.next, byte &- 0x30 < 10, value ?? 0 < 10_000 {
                value = (value ?? 0) * 10 + Int(byte &- 0x30)
                self.at += 1
            }
            return value
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time() -> Int? {
            let isNegative = self.skip(UInt8(ascii: "-"))
            if !isNegative { _ = self.skip(UInt8(ascii: "+")) }
            guard let hours = self.number() else { return nil }
            var seconds = hours * 3600
            for unit in [60, 1] where self.skip(UInt8(ascii: ":")) {
                guard let part = self.number() else { return nil }
                seconds += part * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// `,M3.5.0/2` and the like.
        mutating func change() -> Change? {
            guard self.skip(UInt8(ascii: ",")), let day = self.day() else { return nil }
            guard self.skip(UInt8(ascii: "/")) else { return Change(day: day, time: 7200) }
            return self.time().map { Change(day: day, time: $0) }
        }

        private mutating func day() -> Day? {
            if self.skip(UInt8(ascii: "M")) {
                guard let month = self.number(), (1...12).contains(month), self.skip(UInt8(ascii: ".")),
                    let week = self.number(), (1...5).contains(week), self.skip(UInt8(ascii: ".")),
                    let weekday = self.number(), (0...6).contains(weekday)
                else { return nil }
                return .weekday(month: month, week: week, weekday: weekday)
            }
            if self.skip(UInt8(ascii: "J")) { return self.number().map { .julian(min(max($0, 1), 365)) } }
            return self.number().map { .zeroBased(min($0, 365)) }
        }
    }
}
