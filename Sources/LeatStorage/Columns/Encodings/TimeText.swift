internal import LeatCore

/// Times as logs write them, kept as the distance to the event's own time: mostly nothing.
struct TimeText: Hashable {
    enum Layout: UInt8 {
        /// `2025-11-20T03:00:00`, with `T` or a blank.
        case iso = 0
        /// `20/Nov/2025:03:00:00`.
        case accessLog = 1
    }

    var layout: Layout
    /// Between date and time.
    var separator: UInt8
    /// Digits of the fraction, with a point before them if there are any.
    var fractionDigitCount: Int
    /// What follows the time, such as `Z` or ` +0000`.
    var suffix: [UInt8]

    /// Nanoseconds of the last digit.
    var unit: Int64 { Self.powersOfTen[9 - self.fractionDigitCount] }

    private static let powersOfTen: [Int64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
    private static let suffixByteCountMax = 8

    /// The form of a time; `nil` when the text is none.
    init?(of text: UnsafeRawBufferPointer) {
        guard text.count >= 19 else { return nil }
        var index: Int
        if text[2] == UInt8(ascii: "/") {
            guard text.count >= 20 else { return nil }
            self.layout = .accessLog
            self.separator = text[11]
            index = 20
        } else {
            self.layout = .iso
            self.separator = text[10]
            index = 19
        }
        self.fractionDigitCount = 0
        if index < text.count, text[index] == UInt8(ascii: ".") {
            var end = index + 1
            while end < text.count, text[end] &- UInt8(ascii: "0") <= 9 { end += 1 }
            guard (1...9).contains(end - index - 1) else { return nil }
            self.fractionDigitCount = end - index - 1
            index = end
        }
        guard text.count - index <= Self.suffixByteCountMax else { return nil }
        self.suffix = Array(text[index...])
        guard self.value(of: text) != nil else { return nil }
    }

    init(layout: Layout, separator: UInt8, fractionDigitCount: Int, suffix: [UInt8]) {
        self.layout = layout
        self.separator = separator
        self.fractionDigitCount = fractionDigitCount
        self.suffix = suffix
    }

    /// Units since 1970 of a text of this form, the zone taken as part of the form; `nil` for any other text.
    func value(of text: UnsafeRawBufferPointer) -> Int64? {
        let timeStart = self.layout == .iso ? 11 : 12
        let fractionStart = timeStart + 8
        let fractionCount = self.fractionDigitCount == 0 ? 0 : self.fractionDigitCount + 1
        let end = fractionStart + fractionCount
        guard text.count == end + self.suffix.count, text[timeStart - 1] == self.separator else { return nil }
        for (index, byte) in self.suffix.enumerated() where text[end + index] != byte { return nil }
        guard let day = self.day(of: text),
            let hour = Self.digits(text, timeStart, 2), hour < 24, text[timeStart + 2] == UInt8(ascii: ":"),
            let minute = Self.digits(text, timeStart + 3, 2), minute < 60, text[timeStart + 5] == UInt8(ascii: ":"),
            let second = Self.digits(text, timeStart + 6, 2), second < 60
        else { return nil }
        let seconds = day * 86_400 + hour * 3_600 + minute * 60 + second
        if fractionCount == 0 { return seconds }
        guard text[fractionStart] == UInt8(ascii: "."),
            let fraction = Self.digits(text, fractionStart + 1, self.fractionDigitCount)
        else { return nil }
        let (scaled, overflows) = seconds.multipliedReportingOverflow(by: Self.powersOfTen[self.fractionDigitCount])
        return overflows || scaled > .max - fraction ? nil : scaled + fraction
    }

    /// Days since 1970 of the date.
    private func day(of text: UnsafeRawBufferPointer) -> Int64? {
        let date: (year: Int64?, month: Int64?, day: Int64?)
        if self.layout == .iso {
            guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-") else { return nil }
            date = (Self.digits(text, 0, 4), Self.digits(text, 5, 2), Self.digits(text, 8, 2))
        } else {
            guard text[2] == UInt8(ascii: "/"), text[6] == UInt8(ascii: "/") else { return nil }
            let month = (0..<12).first { index in (0..<3).allSatisfy { text[3 + $0] == Self.months[index * 3 + $0] } }
            date = (Self.digits(text, 7, 4), month.map { Int64($0 + 1) }, Self.digits(text, 0, 2))
        }
        guard let year = date.year, let month = date.month, let day = date.day,
            (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let days = CivilDay.days(year: year, month: month, day: day)
        // A day that its month does not have would come back as another one.
        let back = CivilDay.date(days: days)
        return back.month == month && back.day == day ? days : nil
    }

    @inline(__always)
    private static func digits(_ text: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for index in start..<start + count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    /// Appends the text of a number of units since 1970.
    func append(_ value: Int64, to bytes: inout TextAssembler) {
        let scale = Self.powersOfTen[self.fractionDigitCount]
        let seconds = Self.floor(value, scale)
        let days = Self.floor(seconds, 86_400)
        let date = CivilDay.date(days: days)
        if self.layout == .iso {
            bytes.append(padded: date.year, digitCount: 4)
            bytes.append(byte: UInt8(ascii: "-"))
            bytes.append(padded: date.month, digitCount: 2)
            bytes.append(byte: UInt8(ascii: "-"))
            bytes.append(padded: date.day, digitCount: 2)
        } else {
            bytes.append(padded: date.day, digitCount: 2)
            bytes.append(byte: UInt8(ascii: "/"))
            for index in 0..<3 { bytes.append(byte: Self.months[(Int(date.month) - 1) * 3 + index]) }
            bytes.append(byte: UInt8(ascii: "/"))
            bytes.append(padded: date.year, digitCount: 4)
        }
        bytes.append(byte: self.separator)
        let second = seconds - days * 86_400
        bytes.append(padded: second / 3_600, digitCount: 2)
        bytes.append(byte: UInt8(ascii: ":"))
        bytes.append(padded: second / 60 % 60, digitCount: 2)
        bytes.append(byte: UInt8(ascii: ":"))
        bytes.append(padded: second % 60, digitCount: 2)
        if self.fractionDigitCount > 0 {
            bytes.append(byte: UInt8(ascii: "."))
            bytes.append(padded: value - seconds * scale, digitCount: self.fractionDigitCount)
        }
        self.suffix.withUnsafeBytes { bytes.append($0) }
    }

    static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// Dates of the Gregorian calendar; the algorithms are Howard Hinnant's (`days_from_civil`, `civil_from_days`).
enum CivilDay {
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = TimeText.floor(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = TimeText.floor(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let real = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (real <= 2 ? 1 : 0), real, day)
    }
}

extension TextAssembler {
    mutating func append(byte: UInt8) { withUnsafeBytes(of: byte) { self.append($0) } }
}
