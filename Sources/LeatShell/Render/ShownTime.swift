/// Times as people read them: ISO 8601 in UTC, milliseconds where there are any.
enum ShownTime {
    /// Appends the moment `milliseconds` after 1970, such as `2026-11-20T12:00:00.250Z`.
    static func append(milliseconds: Int64, to output: inout [UInt8], showsMilliseconds: Bool = true) {
        let (days, inDay) = Self.floorDivide(milliseconds, by: 86_400_000)
        let date = Self.civil(days)
        Self.append(date.year, digits: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        Self.append(date.month, digits: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        Self.append(date.day, digits: 2, to: &output)
        output.append(UInt8(ascii: "T"))
        Self.append(inDay / 3_600_000, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Self.append(inDay / 60_000 % 60, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Self.append(inDay / 1_000 % 60, digits: 2, to: &output)
        if showsMilliseconds {
            output.append(UInt8(ascii: "."))
            Self.append(inDay % 1_000, digits: 3, to: &output)
        }
        output.append(UInt8(ascii: "Z"))
    }

    /// The moment as text.
    static func text(milliseconds: Int64, showsMilliseconds: Bool = true) -> String {
        var output: [UInt8] = []
        Self.append(milliseconds: milliseconds, to: &output, showsMilliseconds: showsMilliseconds)
        return String(decoding: output, as: UTF8.self)
    }

    private static func append(_ number: Int64, digits: Int, to output: inout [UInt8]) {
        let text = String(abs(number))
        if number < 0 { output.append(UInt8(ascii: "-")) }
        for _ in text.utf8.count..<max(digits, text.utf8.count) { output.append(UInt8(ascii: "0")) }
        output.append(contentsOf: text.utf8)
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Year, month and day of a day since 1970 (Hinnant: chrono-compatible low-level date algorithms).
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = Self.floorDivide(shifted, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
