/// The parts of a date and time found so far in a text, and what they amount to.
struct TimeReading {
    private var year: Int?
    private var yearOfCentury: Int?
    private var century: Int?
    private var month: Int?
    private var day: Int?
    private var dayOfYear: Int?
    private var hour: Int?
    private var hour12: Int?
    private var isAfternoon: Bool?
    private var minute: Int?
    private var second: Int?
    private var nanosecond: Int?
    /// Seconds east of UTC, or a zone with a name.
    private var offset: Int?
    private var zone: TimeZoneRules?
    private var epoch: Timestamp?

    /// Reads the elements one after the other; `false` when the text has another form.
    mutating func read(
        _ elements: ArraySlice<TimePattern.Element>,
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int
    ) -> Bool {
        for element in elements {
            if !self.read(element, bytes, &at) { return false }
        }
        return true
    }

    private mutating func read(_ element: TimePattern.Element, _ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool
    {
        switch element {
        case .literal(let text):
            guard bytes.count - at >= text.count else { return false }
            for (offset, byte) in text.enumerated() where bytes[at + offset] != byte { return false }
            at += text.count
            return true
        case .space:
            while at < bytes.count, bytes[at] == 0x20 || bytes[at] &- 9 < 5 { at += 1 }
            return true
        case .number(let part, let least, let most, let padded):
            return self.readNumber(part, least, most, padded, bytes, &at)
        case .monthName:
            guard let index = Self.name(TimeNames.months, bytes, &at) else { return false }
            self.month = index + 1
            return true
        case .weekdayName: return Self.name(TimeNames.weekdays, bytes, &at) != nil
        case .dayHalf: return self.readDayHalf(bytes, &at)
        case .fraction(let most):
            let limit = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, at + most)])
            // Fluent Bit's %L reads any number of digits.
            self.nanosecond = readFraction(most == 9 ? bytes : limit, &at)
            return self.nanosecond != nil
        case .offset, .zoneName: return self.readZone(bytes, &at)
        case .epoch(let nanoseconds): return self.readEpoch(nanoseconds, bytes, &at)
        case .optional(let inner):
            var attempt = self
            var end = at
            if attempt.read(inner[...], bytes, &end) {
                self = attempt
                at = end
            }
            return true
        }
    }

    private mutating func readNumber(
        _ part: TimePattern.Part,
        _ least: Int,
        _ most: Int,
        _ padded: Bool,
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int
    ) -> Bool {
        var left = most
        while padded, left > 1, at < bytes.count, bytes[at] == 0x20 {
            at += 1
            left -= 1
        }
        let start = at
        var value = 0
        while at < bytes.count, at - start < left, bytes[at] &- 0x30 < 10 {
            value = value * 10 + Int(bytes[at] &- 0x30)
            at += 1
        }
        guard at - start >= min(least, left) else { return false }
        switch part {
        case .year: self.year = value
        case .yearOfCentury: self.yearOfCentury = value
        case .century: self.century = value
        case .month: self.month = value
        case .day: self.day = value
        case .dayOfYear: self.dayOfYear = value
        case .hour: self.hour = value
        case .hour12:
            guard (1...12).contains(value) else { return false }
            self.hour12 = value
        case .minute: self.minute = value
        case .second: self.second = value
        case .ignored: break
        }
        return true
    }

    /// The index of the name, in full or of three letters, at `at`, whatever its case.
    private static func name(_ names: [StaticString], _ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
        for (index, name) in names.enumerated() {
            let length = name.utf8CodeUnitCount
            guard bytes.count - at >= 3 else { return nil }
            var matching = 0
            while matching < length, at + matching < bytes.count,
                bytes[at + matching] | 0x20 == name.utf8Start[matching] | 0x20
            { matching += 1 }
            guard matching >= 3 else { continue }
            at += matching == length ? length : 3
            return index
        }
        return nil
    }

    private mutating func readDayHalf(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        guard bytes.count - at >= 2, bytes[at + 1] | 0x20 == UInt8(ascii: "m") else { return false }
        switch bytes[at] | 0x20 {
        case UInt8(ascii: "a"): self.isAfternoon = false
        case UInt8(ascii: "p"): self.isAfternoon = true
        default: return false
        }
        at += 2
        return true
    }

    private mutating func readZone(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        let start = at
        while at < bytes.count, Self.isZoneLetter(bytes[at]) { at += 1 }
        let word = bytes.slice(start..<at)
        if word.count > 1 {
            if let hours = TimeNames.offset(of: word.text) {
                self.offset = hours * 3600
                return true
            }
            if let zone = TimeZoneRules.named(word.text) {
                self.zone = zone
                return true
            }
        }
        at = start
        guard let seconds = TimeZoneRules.readOffset(bytes, &at) else { return false }
        self.offset = seconds
        return true
    }

    private static func isZoneLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "_")
    }

    private mutating func readEpoch(_ unit: Int64, _ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let start = at
        var whole: Int64 = 0
        while at < bytes.count, bytes[at] &- 0x30 < 10, at - start < 19 {
            let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, outside) = product.addingReportingOverflow(Int64(bytes[at] &- 0x30))
            if overflow || outside { return false }
            whole = sum
            at += 1
        }
        guard at > start else { return false }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        if overflow { return false }
        self.epoch = Timestamp(nanoseconds: isNegative ? -product : product)
        return true
    }

    // MARK: what it amounts to

    /// The moment; `nil` when the parts contradict the calendar, or it is out of range.
    func timestamp(now: Timestamp, zone defaultZone: TimeZoneRules) -> Timestamp? {
        if let epoch = self.epoch {
            let (sum, overflow) = epoch.nanoseconds.addingReportingOverflow(Int64(self.nanosecond ?? 0))
            return overflow ? nil : Timestamp(nanoseconds: sum)
        }
        guard self.needsToday else {
            var civil = CivilTime(year: self.fullYear ?? 1970)
            self.setTime(of: &civil)
            return self.setDate(of: &civil) && civil.isValid ? self.timestamp(of: civil, defaultZone) : nil
        }
        let zone = self.offset.map { TimeZoneRules.fixed($0) } ?? self.zone ?? defaultZone
        var civil = zone.civilTime(at: now)
        self.setTime(of: &civil)
        guard self.setDate(of: &civil) else { return nil }
        let hasDate = self.month != nil || self.day != nil || self.dayOfYear != nil
        if !hasDate { return civil.isValid ? zone.timestamp(of: civil) : nil }
        if civil.isValid, let result = zone.timestamp(of: civil), result.nanoseconds <= Self.latest(now) {
            return result
        }
        // Written last year; so was a 29 February that this year does not have.
        civil.year -= 1
        return civil.isValid ? zone.timestamp(of: civil) : nil
    }

    /// Whether the text lacks the year, which today's date then gives.
    private var needsToday: Bool { self.fullYear == nil }

    private func timestamp(of civil: CivilTime, _ defaultZone: TimeZoneRules) -> Timestamp? {
        if let offset = self.offset { return civil.timestamp(offset: offset) }
        return (self.zone ?? defaultZone).timestamp(of: civil)
    }

    private func setTime(of civil: inout CivilTime) {
        civil.hour = self.hour ?? 0
        if let hour12 = self.hour12 { civil.hour = hour12 % 12 + (self.isAfternoon ?? false ? 12 : 0) }
        civil.minute = self.minute ?? 0
        civil.second = self.second ?? 0
        civil.nanosecond = self.nanosecond ?? 0
    }

    /// Eight days from now: clocks of senders are wrong by days, not by months.
    private static func latest(_ now: Timestamp) -> Int64 {
        let (sum, overflow) = now.nanoseconds.addingReportingOverflow(8 * 86_400_000_000_000)
        return overflow ? .max : sum
    }

    private func setDate(of civil: inout CivilTime) -> Bool {
        let year = self.fullYear
        if let year { civil.year = year }
        if let dayOfYear = self.dayOfYear {
            guard (1...366).contains(dayOfYear), (1...9999).contains(civil.year) else { return false }
            let date = CivilTime.date(ofDay: CivilTime.day(year: civil.year, month: 1, day: 1) + dayOfYear - 1)
            (civil.month, civil.day) = (date.month, date.day)
            return date.year == civil.year
        }
        if self.month != nil || self.day != nil || year != nil {
            civil.month = self.month ?? (year != nil ? 1 : civil.month)
            civil.day = self.day ?? 1
        }
        return true
    }

    private var fullYear: Int? {
        if let year = self.year { return year }
        guard let yearOfCentury = self.yearOfCentury else { return nil }
        if let century = self.century { return century * 100 + yearOfCentury }
        // POSIX: 69...99 are of the twentieth century.
        return yearOfCentury + (yearOfCentury < 69 ? 2000 : 1900)
    }
}

/// English names of months and weekdays, and zones that mail has always abbreviated.
enum TimeNames {
    static let months: [StaticString] = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// From Monday.
    static let weekdays: [StaticString] = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]

    /// Hours east of UTC, RFC 822 section 5.1.
    static func offset(of abbreviation: String) -> Int? {
        switch abbreviation {
        case "EST": -5
        case "EDT": -4
        case "CST": -6
        case "CDT": -5
        case "MST": -7
        case "MDT": -6
        case "PST": -8
        case "PDT": -7
        default: nil
        }
    }
}
