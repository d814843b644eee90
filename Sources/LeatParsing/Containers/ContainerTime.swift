/// Reads the times that container runtimes put before each line: RFC 3339 with up to nine digits of fraction.
///
/// Everything is read by position, as eight bytes at a time; the general reader of times is Core's.
enum ContainerTime {
    /// A time and how many bytes it took.
    struct Reading {
        /// Nanoseconds since 1970 UTC.
        let nanoseconds: Int64
        /// Length of the text in bytes, zone included.
        let byteCount: Int
    }

    /// Length of `2026-03-14T09:26:53`.
    private static let secondsByteCount = 19

    /// The time at the start of `bytes`, or `nil` when there is none.
    ///
    /// Years 1678 to 2261; a leap second counts as the second that follows it.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading? {
        guard bytes.count > 23 else { return Self.readShort(bytes) }
        guard let seconds = Self.seconds(bytes) else { return nil }
        // Fast path: `.nnnnnnnnnZ`, as containerd and dockerd write it.
        if bytes.count > 29, bytes[19] == UInt8(ascii: "."), bytes[29] == UInt8(ascii: "Z"),
            let high = Self.eightDigits(bytes, at: 20), let low = Self.digit(bytes[28])
        {
            return Reading(nanoseconds: seconds &* 1_000_000_000 &+ high &* 10 &+ low, byteCount: 30)
        }
        return Self.readTail(bytes, seconds: seconds)
    }

    /// Slow path: a time so near the end that it cannot be read eight bytes at a time.
    private static func readShort(_ bytes: UnsafeRawBufferPointer) -> Reading? {
        guard bytes.count > Self.secondsByteCount else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { padded in
            padded.initializeMemory(as: UInt8.self, repeating: 0)
            padded.copyMemory(from: bytes)
            guard let time = Self.read(UnsafeRawBufferPointer(padded)), time.byteCount <= bytes.count else {
                return nil
            }
            return time
        }
    }

    /// Slow path: a shorter or missing fraction, or a zone other than `Z`.
    private static func readTail(_ bytes: UnsafeRawBufferPointer, seconds: Int64) -> Reading? {
        var index = Self.secondsByteCount
        var fraction: Int64 = 0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            let start = index
            var scale: Int64 = 100_000_000
            while index < bytes.count, let value = Self.digit(bytes[index]) {
                fraction += value * scale
                scale /= 10
                index += 1
            }
            if index == start { return nil }
        }
        guard index < bytes.count else { return nil }
        let time = seconds &* 1_000_000_000 &+ fraction
        if bytes[index] == UInt8(ascii: "Z") { return Reading(nanoseconds: time, byteCount: index + 1) }
        guard let zone = Self.zone(bytes, at: index) else { return nil }
        return Reading(nanoseconds: time &- zone.seconds &* 1_000_000_000, byteCount: index + zone.byteCount)
    }

    /// Seconds east of UTC of `+02:00` or `+0200`, and its length.
    private static func zone(_ bytes: UnsafeRawBufferPointer, at index: Int) -> (seconds: Int64, byteCount: Int)? {
        guard index + 5 <= bytes.count else { return nil }
        let colon = bytes[index + 3] == UInt8(ascii: ":") ? 1 : 0
        guard index + 5 + colon <= bytes.count,
            let hourTens = Self.digit(bytes[index + 1]), let hourOnes = Self.digit(bytes[index + 2]),
            let minuteTens = Self.digit(bytes[index + 3 + colon]), let minuteOnes = Self.digit(bytes[index + 4 + colon])
        else { return nil }
        let seconds = ((hourTens * 10 + hourOnes) * 60 + minuteTens * 10 + minuteOnes) * 60
        switch bytes[index] {
        case UInt8(ascii: "+"): return (seconds, 5 + colon)
        case UInt8(ascii: "-"): return (-seconds, 5 + colon)
        default: return nil
        }
    }

    /// Seconds since 1970 of the date and time in the first 19 bytes; the caller has checked for 24.
    private static func seconds(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        // `2026-03-`, `14T09:26`, `:53`: with the separators and the digits' high halves taken away, each byte of a
        // digit is 0...9 and each byte of a separator 0.
        let first = bytes.loadUnaligned(as: UInt64.self).littleEndian ^ 0x2D30_302D_3030_3030
        let second = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian ^ 0x3030_3A30_3054_3030
        let third = (bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian ^ 0x30303A) & 0xFFFFFF
        let bad =
            Self.aboveNine(first) | Self.aboveNine(second) | Self.aboveNine(third)
            | (first & 0xFF00_00FF_0000_0000) | (second & 0x0000_FF00_00FF_0000) | (third & 0xFF)
        guard bad == 0 else { return nil }
        let year =
            Self.byte(first, 0) * 1000 + Self.byte(first, 1) * 100 + Self.byte(first, 2) * 10 + Self.byte(first, 3)
        let month = Self.byte(first, 5) * 10 + Self.byte(first, 6)
        let day = Self.byte(second, 0) * 10 + Self.byte(second, 1)
        let hour = Self.byte(second, 3) * 10 + Self.byte(second, 4)
        let minute = Self.byte(second, 6) * 10 + Self.byte(second, 7)
        let second60 = Self.byte(third, 1) * 10 + Self.byte(third, 2)
        guard year >= 1678, year <= 2261, month >= 1, month <= 12, day >= 1, hour <= 23, minute <= 59, second60 <= 60,
            day <= 28 || day <= Self.dayCount(month: month, year: year)
        else { return nil }
        return Self.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second60
    }

    private static func byte(_ word: UInt64, _ index: UInt64) -> Int64 {
        Int64(truncatingIfNeeded: (word >> (index * 8)) & 0xFF)
    }

    /// Not 0 when a byte of `word` is above 9.
    private static func aboveNine(_ word: UInt64) -> UInt64 {
        ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
    }

    /// The value of eight decimal digits, as pairs, then fours, then all (Lemire: Quickly parsing eight digits, 2018).
    private static func eightDigits(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int64? {
        var word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian ^ 0x3030_3030_3030_3030
        guard Self.aboveNine(word) == 0 else { return nil }
        word = (word &* 10) &+ (word >> 8)
        let low = (word & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((word >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return Int64((low &+ high) >> 32)
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- UInt8(ascii: "0")
        return value <= 9 ? Int64(value) : nil
    }

    private static func dayCount(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 (Hinnant: chrono-compatible low-level date algorithms, `days_from_civil`).
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
