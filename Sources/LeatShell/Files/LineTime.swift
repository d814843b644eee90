internal import LeatCore

/// Reads the times that stand in log lines: ISO 8601, epoch numbers, and the forms of access logs and syslog.
///
/// All results are nanoseconds since 1970 UTC; a time without a zone is UTC.
enum LineTime {
    /// Years all of whose moments have nanoseconds in 64 bits.
    private static let years = 1678...Int64(2261)

    /// The ISO 8601 time that begins `bytes` (`2026-11-20T12:00:00.25Z`, a space instead of `T`, a comma instead of the
    /// point, any zone or none), and its length; `nil` when there is none.
    ///
    /// Slashes instead of the dashes count too: nginx's error log and Go's programs write them.
    static func iso(_ bytes: UnsafeRawBufferPointer) -> (nanoseconds: Int64, byteCount: Int)? {
        guard bytes.count >= 19, let year = Self.digits(bytes, 0, 4),
            bytes[4] == UInt8(ascii: "-") || bytes[4] == UInt8(ascii: "/"),
            let month = Self.digits(bytes, 5, 2), bytes[7] == bytes[4], let day = Self.digits(bytes, 8, 2),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == 0x20 || bytes[10] == UInt8(ascii: "t"),
            let seconds = Self.timeOfDay(bytes, at: 11), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var index = 19
        let fraction = Self.fraction(bytes, &index)
        let offset = Self.zone(bytes, &index)
        let days = Self.days(year: year, month: month, day: day)
        guard Self.years.contains(year) else { return nil }
        return ((days * 86_400 + seconds - offset) * 1_000_000_000 + fraction, index)
    }

    /// The time between brackets of an access log: `10/Oct/2000:13:55:36 -0700`.
    static func accessLog(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard bytes.count >= 20, let day = Self.digits(bytes, 0, 2), bytes[2] == UInt8(ascii: "/"),
            let month = Self.month(bytes, at: 3), bytes[6] == UInt8(ascii: "/"), let year = Self.digits(bytes, 7, 4),
            bytes[11] == UInt8(ascii: ":"), let seconds = Self.timeOfDay(bytes, at: 12), Self.years.contains(year)
        else { return nil }
        var index = 20
        if index < bytes.count, bytes[index] == 0x20 { index += 1 }
        let offset = Self.zone(bytes, &index)
        return (Self.days(year: year, month: month, day: day) * 86_400 + seconds - offset) * 1_000_000_000
    }

    /// The time that begins an old syslog line, `Oct  9 22:33:20`, in the year that brings it closest before `now`.
    static func syslog(_ bytes: UnsafeRawBufferPointer, now: Int64) -> Int64? {
        guard bytes.count >= 15, let month = Self.month(bytes, at: 0), bytes[3] == 0x20, bytes[6] == 0x20,
            let day = bytes[4] == 0x20 ? Self.digits(bytes, 5, 1) : Self.digits(bytes, 4, 2), (1...31).contains(day),
            let seconds = Self.timeOfDay(bytes, at: 7)
        else { return nil }
        return Self.time(month: month, day: day, seconds: seconds, closestBefore: now)
    }

    /// The time that begins a line of klog, `I1120 22:33:20.123456`, in the year that brings it closest before `now`.
    static func klog(_ bytes: UnsafeRawBufferPointer, now: Int64) -> Int64? {
        guard bytes.count >= 14, "IWEF".utf8.contains(bytes[0]), let month = Self.digits(bytes, 1, 2),
            let day = Self.digits(bytes, 3, 2), bytes[5] == 0x20, let seconds = Self.timeOfDay(bytes, at: 6),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var index = 14
        let fraction = Self.fraction(bytes, &index)
        return Self.time(month: month, day: day, seconds: seconds, closestBefore: now) + fraction
    }

    private static func time(month: Int64, day: Int64, seconds: Int64, closestBefore now: Int64) -> Int64 {
        let year = Self.year(ofDay: now / 86_400_000_000_000)
        let time = (Self.days(year: year, month: month, day: day) * 86_400 + seconds) * 1_000_000_000
        // A day in the future can only be of the year before; one day of grace is for zones.
        guard time > now + 86_400_000_000_000 else { return time }
        return (Self.days(year: year - 1, month: month, day: day) * 86_400 + seconds) * 1_000_000_000
    }

    /// `HH:MM:SS` in seconds.
    private static func timeOfDay(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int64? {
        guard bytes.count >= start + 8, let hour = Self.digits(bytes, start, 2), hour < 24,
            bytes[start + 2] == UInt8(ascii: ":"), let minute = Self.digits(bytes, start + 3, 2), minute < 60,
            bytes[start + 5] == UInt8(ascii: ":"), let second = Self.digits(bytes, start + 6, 2), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    private static func fraction(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int64 {
        guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ","),
            Self.digits(bytes, index + 1, 1) != nil
        else { return 0 }
        index += 1
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while index < bytes.count, let digit = Self.digits(bytes, index, 1) {
            value += digit * unit
            unit /= 10
            index += 1
        }
        return value
    }

    /// `Z`, `+02:00`, `+0200`, `+02` in seconds east of UTC; nothing is UTC.
    private static func zone(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int64 {
        guard index < bytes.count else { return 0 }
        if bytes[index] == UInt8(ascii: "Z") || bytes[index] == UInt8(ascii: "z") {
            index += 1
            return 0
        }
        let isWest = bytes[index] == UInt8(ascii: "-")
        guard isWest || bytes[index] == UInt8(ascii: "+"), let hours = Self.digits(bytes, index + 1, 2) else {
            return 0
        }
        index += 3
        var minutes: Int64 = 0
        let hasColon = index < bytes.count && bytes[index] == UInt8(ascii: ":")
        if let value = Self.digits(bytes, index + (hasColon ? 1 : 0), 2) {
            minutes = value
            index += hasColon ? 3 : 2
        }
        let offset = hours * 3_600 + minutes * 60
        return isWest ? -offset : offset
    }

    @inline(__always)
    private static func digits(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int64? {
        guard start + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for index in start..<(start + count) {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        .map { Array($0.utf8) }

    private static func month(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int64? {
        guard start + 3 <= bytes.count else { return nil }
        let name = bytes.slice(start..<(start + 3))
        let found = Self.months.firstIndex { month in
            month[0] == name[0] | 0x20 && month[1] == name[1] | 0x20 && month[2] == name[2] | 0x20
        }
        return found.map { Int64($0 + 1) }
    }

    /// Days since 1970-01-01 (Hinnant: chrono-compatible low-level date algorithms, `days_from_civil`).
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func year(ofDay day: Int64) -> Int64 {
        var year = 1970 + day / 366
        while Self.days(year: year + 1, month: 1, day: 1) <= day { year += 1 }
        return year
    }
}
