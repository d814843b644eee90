/// Reads a moment from text that says by its form what it is: ISO 8601 or RFC 3339, or a number since 1970.
public enum TimestampParser {
    /// ISO 8601 or an epoch number, whatever the text is.
    ///
    /// - Parameters:
    ///   - bytes: All of the text; nothing may follow or precede.
    ///   - zone: The zone of texts that name none.
    /// - Returns: `nil` when the text is neither, or outside of the range.
    public static func parse(_ bytes: UnsafeRawBufferPointer, zone: TimeZoneRules = .utc) -> Timestamp? {
        // `2023-…` and `20231114T…` against `1700000000`: a date has its dash or its T early.
        if bytes.count >= 10, bytes[4] == UInt8(ascii: "-") || bytes[8] == UInt8(ascii: "T") {
            return self.parseISO(bytes, zone: zone)
        }
        return self.parseEpoch(bytes)
    }

    /// ISO 8601 or an epoch number, as text.
    public static func parse(_ text: String, zone: TimeZoneRules = .utc) -> Timestamp? {
        var text = text
        return text.withUTF8 { self.parse(UnsafeRawBufferPointer($0), zone: zone) }
    }

    /// `2023-11-14`, `2023-11-14T22:13`, `2023-11-14 22:13:20.123456789+01:00` and the like, also `20231114T221320Z`.
    ///
    /// Between date and time stands `T`, `t`, `_` or a space, before the fraction a dot or a comma; the fraction may have
    /// any number of digits, of which nine count; the zone is `Z`, `+hh:mm`, `+hhmm`, `+hh`, `UTC`, `GMT` or nothing.
    public static func parseISO(_ bytes: UnsafeRawBufferPointer, zone: TimeZoneRules = .utc) -> Timestamp? {
        if let timestamp = self.parseUsual(bytes) { return timestamp }
        var at = 0
        guard let civil = self.readDateTime(bytes, &at) else { return nil }
        guard at < bytes.count else { return zone.timestamp(of: civil) }
        if bytes[at] == 0x20 { at += 1 }
        guard let offset = TimeZoneRules.readOffset(bytes, &at), at == bytes.count else { return nil }
        return civil.timestamp(offset: offset)
    }

    /// Fast path: `yyyy-mm-ddThh:mm:ss[.fraction]Z`, as nearly everybody writes it; `nil` when that does not fit.
    private static func parseUsual(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        guard bytes.count >= 20, bytes.count <= 30, let start = bytes.baseAddress,
            bytes[bytes.count - 1] == UInt8(ascii: "Z")
        else { return nil }
        // Two digits at a time; anything that is no digit leaves a mark in `wrong`.
        var wrong: UInt8 = 0
        func pair(_ at: Int) -> Int {
            let high = start.load(fromByteOffset: at, as: UInt8.self) &- 0x30
            let low = start.load(fromByteOffset: at &+ 1, as: UInt8.self) &- 0x30
            wrong |= (high > 9 ? 1 : 0) | (low > 9 ? 1 : 0)
            return Int(high) &* 10 &+ Int(low)
        }
        let year = pair(0) &* 100 &+ pair(2)
        let month = pair(5)
        let day = pair(8)
        let hour = pair(11)
        let minute = pair(14)
        let second = pair(17)
        wrong |= bytes[4] ^ 0x2D | bytes[7] ^ 0x2D | bytes[10] ^ 0x54 | bytes[13] ^ 0x3A | bytes[16] ^ 0x3A
        guard wrong == 0, month &- 1 < 12, month > 0, day > 0, day <= 28, hour < 24, minute < 60, second < 60,
            year > 1700, year < 2200
        else { return nil }
        var nanosecond = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count > 21 else { return nil }
            var scale = 1_000_000_000
            for at in 20..<bytes.count - 1 {
                let digit = bytes[at] &- 0x30
                if digit > 9 { return nil }
                scale /= 10
                nanosecond &+= Int(digit) &* scale
            }
        }
        let days = CivilTime.day(year: year, month: month, day: day)
        let seconds = ((days &* 24 &+ hour) &* 60 &+ minute) &* 60 &+ second
        return Timestamp(nanoseconds: Int64(seconds &* 1_000_000_000 &+ nanosecond))
    }

    private static func readDateTime(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> CivilTime? {
        guard bytes.count >= 8, let year = digits(bytes, 0, 4) else { return nil }
        let hasDashes = bytes[4] == UInt8(ascii: "-")
        let dash = hasDashes ? 1 : 0
        guard bytes.count >= 8 + 2 * dash, let month = digits(bytes, 4 + dash, 2),
            !hasDashes || bytes[7] == UInt8(ascii: "-"), let day = digits(bytes, 6 + 2 * dash, 2)
        else { return nil }
        var civil = CivilTime(year: year, month: month, day: day)
        at = 8 + 2 * dash
        if at < bytes.count {
            guard
                bytes[at] == UInt8(ascii: "T") || bytes[at] == 0x20 || bytes[at] == UInt8(ascii: "t")
                    || bytes[at] == UInt8(ascii: "_"), self.readTime(bytes, &at, &civil)
            else { return nil }
        }
        return civil.isValid ? civil : nil
    }

    /// `Thh:mm[:ss[.fraction]]`, the colons in all places or in none.
    private static func readTime(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ civil: inout CivilTime) -> Bool {
        guard let hour = digits(bytes, at + 1, 2) else { return false }
        let colon = at + 3 < bytes.count && bytes[at + 3] == UInt8(ascii: ":") ? 1 : 0
        guard let minute = digits(bytes, at + 3 + colon, 2) else { return false }
        civil.hour = hour
        civil.minute = minute
        at += 5 + colon
        guard at < bytes.count, colon == 0 || bytes[at] == UInt8(ascii: ":"),
            let second = digits(bytes, at + colon, 2)
        else { return true }
        civil.second = second
        at += 2 + colon
        guard at < bytes.count, bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: ",") else { return true }
        at += 1
        guard let nanosecond = readFraction(bytes, &at) else { return false }
        civil.nanosecond = nanosecond
        return true
    }

    /// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told by its size.
    ///
    /// Below 10¹¹ it is seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds. It may have a sign, a fraction, and an
    /// exponent (whose value then has a `Double`'s precision).
    public static func parseEpoch(_ bytes: UnsafeRawBufferPointer) -> Timestamp? {
        var at = 0
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { at = 1 }
        let first = at
        var whole: Int64 = 0
        while at < bytes.count, bytes[at] &- 0x30 < 10 {
            // Nineteen digits overflow only beyond the range of nanoseconds.
            guard at - first < 19 else { return nil }
            let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
            let (sum, outside) = product.addingReportingOverflow(Int64(bytes[at] &- 0x30))
            if overflow || outside { return nil }
            whole = sum
            at += 1
        }
        guard at > first else { return nil }
        var billionths = 0
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            guard let fraction = readFraction(bytes, &at) else { return nil }
            billionths = fraction
        }
        guard at == bytes.count else { return self.parseExponent(bytes, at) }
        return self.scaled(whole, billionths, isNegative)
    }

    private static func scaled(_ whole: Int64, _ billionths: Int, _ isNegative: Bool) -> Timestamp? {
        // Nanoseconds in one unit.
        let unit: Int64 =
            switch whole {
            case ..<100_000_000_000: 1_000_000_000
            case ..<100_000_000_000_000: 1_000_000
            case ..<100_000_000_000_000_000: 1000
            default: 1
            }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        let (sum, outside) = product.addingReportingOverflow(Int64(billionths) / (1_000_000_000 / unit))
        if overflow || outside { return nil }
        return Timestamp(nanoseconds: isNegative ? -sum : sum)
    }

    private static func parseExponent(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Timestamp? {
        guard bytes[at] | 0x20 == UInt8(ascii: "e"), bytes.count <= 40, let value = Double(bytes.text),
            value.magnitude < 9.2e18
        else { return nil }
        let whole = value.magnitude.rounded(.down)
        return self.scaled(Int64(whole), Int((value.magnitude - whole) * 1e9), value < 0)
    }
}

/// The number that `count` decimal digits at `at` make; `nil` when there are not so many.
@inline(__always)
func digits(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ count: Int) -> Int? {
    guard at >= 0, at + count <= bytes.count else { return nil }
    var value = 0
    for position in at..<at + count {
        let digit = bytes[position] &- 0x30
        guard digit < 10 else { return nil }
        value = value &* 10 &+ Int(digit)
    }
    return value
}

/// Billionths from the digits after a decimal point, at least one; digits beyond the ninth are passed over.
func readFraction(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
    let start = at
    var value = 0
    var scale = 1_000_000_000
    while at < bytes.count, bytes[at] &- 0x30 < 10 {
        if scale > 1 {
            scale /= 10
            value += Int(bytes[at] &- 0x30) * scale
        }
        at += 1
    }
    return at > start ? value : nil
}
