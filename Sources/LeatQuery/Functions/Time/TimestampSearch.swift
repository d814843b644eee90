internal import LeatCore

/// Finds the first time in a text, in the formats that logs commonly use.
enum TimestampSearch {
    /// Only the first bytes of a text are searched; a time stands at its start.
    private static let byteCountMax = 1024

    private static let patterns: [DateTimePattern] = [
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][,SSS][ ]X", "yyyy-MM-dd HH:mm:ss[.SSS][,SSS][ ]X",
        "yyyy-MM-dd'T'HH:mm:ss[.SSS][,SSS]", "yyyy-MM-dd HH:mm:ss[.SSS][,SSS][ ]z",
        "yyyy-MM-dd HH:mm:ss[.SSS][,SSS]", "yyyy-MM-dd'T'HH:mmX", "yyyy/MM/dd HH:mm:ss[.SSS][ ]X",
        "yyyy/MM/dd HH:mm:ss[.SSS]", "yyyyMMdd'T'HHmmss[.SSS][X]", "dd/MMM/yyyy:HH:mm:ss[.SSS] Z",
        "dd/MMM/yyyy:HH:mm:ss[.SSS]", "dd/MMM/yyyy HH:mm:ss[.SSS]", "[EEE, ]d MMM yyyy HH:mm:ss[.SSS][ ]z",
        "[EEE, ]d MMM yyyy HH:mm:ss[.SSS]", "[EEE ]MMM [ ]d HH:mm:ss[.SSS] [z ]yyyy",
        "[EEE ]MMM [ ]d yyyy HH:mm:ss[.SSS]",
        "[EEE ]MMM [ ]d HH:mm:ss[.SSS]", "M/d/yyyy h:mm:ss[.SSS] a", "M/d/yyyy HH:mm:ss[.SSS]",
        "dd.MM.yyyy HH:mm:ss[.SSS]",
    ].compactMap { DateTimePattern($0, isCaseSensitive: false) }

    /// The first time; without a zone in the text and from the caller it is UTC.
    static func find(_ text: UnsafeRawBufferPointer, zone: TimeZoneRules?, now: Timestamp) -> TimestampReading {
        let end = min(text.count, Self.byteCountMax)
        var position = 0
        while position < end {
            defer { position += 1 }
            guard Self.isStart(text, position) else { continue }
            for pattern in Self.patterns {
                guard let (reading, stop) = pattern.read(text, from: position), !Self.isDigit(text, stop) else {
                    continue
                }
                let result = reading.found(given: nil, field: zone ?? .utc, now: now, text: text.slice(position..<stop))
                if case .found = result { return result }
            }
            if let epoch = Self.epoch(text, position) { return .found(Moment(epoch), zone: "Z") }
        }
        return .failed("no timestamp found")
    }

    /// Whether a time could begin here: a digit or capital letter that continues no word.
    private static func isStart(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        let byte = text[position]
        guard Self.isDigit(text, position) || (byte >= 65 && byte <= 90) else { return false }
        if position == 0 { return true }
        let before = text[position - 1]
        let isLetter = before | 0x20 >= 97 && before | 0x20 <= 122
        return !Self.isDigit(text, position - 1) && !isLetter && before != UInt8(ascii: ".")
    }

    private static func isDigit(_ text: UnsafeRawBufferPointer, _ position: Int) -> Bool {
        position >= 0 && position < text.count && text[position] &- 48 < 10
    }

    /// The first second that has no nanoseconds in 64 bits, in the year 2262.
    private static let secondsEnd: Int64 = 9_223_372_036

    /// Ten digits of seconds or thirteen of milliseconds, with a fraction, between 2001 and 2262.
    private static func epoch(_ text: UnsafeRawBufferPointer, _ start: Int) -> Timestamp? {
        var end = start
        while Self.isDigit(text, end) { end += 1 }
        guard end - start == 10 || end - start == 13, text[start] != UInt8(ascii: "0"),
            let number = Int64(text.slice(start..<end).text),
            number < Self.secondsEnd * (end - start == 13 ? 1000 : 1)
        else { return nil }
        guard end - start == 10 else { return Timestamp(milliseconds: number) }
        var nanoseconds: Int64 = 0
        if end < text.count, text[end] == UInt8(ascii: ".") {
            var digit = end + 1
            var scale: Int64 = 100_000_000
            while Self.isDigit(text, digit), scale > 0 {
                nanoseconds += Int64(text[digit] - 48) * scale
                scale /= 10
                digit += 1
            }
        }
        return Timestamp(nanoseconds: number * 1_000_000_000 + nanoseconds)
    }
}
