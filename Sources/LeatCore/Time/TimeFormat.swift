/// A compiled form of dates and times, for writing them: like `strftime`.
///
/// Letters: `a A b B h c C d D e F G g H I j k l L m M n N p P Q r R s S t T u U V w W y Y z Z %`; `%L` is
/// milliseconds, `%N` nanoseconds, `%Q` milliseconds since 1970, `%f` microseconds. `%3N` and the like set the digits.
/// Names are English.
public struct TimeFormat: Hashable, Sendable {
    private enum Element: Hashable, Sendable {
        case literal([UInt8])
        case letter(UInt8, width: Int)
    }

    /// The text of the format.
    public let text: String
    private let elements: [Element]

    /// Compiles a format.
    public init(_ text: String) throws(TimePatternError) {
        var elements: [Element] = []
        var literal: [UInt8] = []
        let scalars = Array(text.unicodeScalars)
        var at = 0
        while at < scalars.count {
            guard scalars[at] == "%" else {
                literal += String(scalars[at]).utf8
                at += 1
                continue
            }
            let start = at
            at += 1
            var width = 0
            while at < scalars.count, let digit = Int(String(scalars[at])) {
                width = digit
                at += 1
            }
            guard at < scalars.count else {
                throw TimePatternError(offset: start, message: "the time format ends after '%'")
            }
            guard Self.letters.unicodeScalars.contains(scalars[at]) else {
                throw TimePatternError(offset: start, message: "unknown conversion '%\(scalars[at])' in a time format")
            }
            elements.append(.literal(literal))
            literal = []
            elements.append(.letter(UInt8(truncatingIfNeeded: scalars[at].value), width: width))
            at += 1
        }
        elements.append(.literal(literal))
        self.text = text
        self.elements = elements
    }

    private static let letters = "aAbBhcCdDeFfGgHIjklLmMnNpPQrRsStTuUVwWxXyYzZ%"

    /// Appends a moment as clocks of `zone` show it.
    public func append(_ timestamp: Timestamp, zone: TimeZoneRules = .utc, to bytes: inout [UInt8]) {
        let offset = zone.offset(at: timestamp)
        let moment = Moment(
            timestamp: timestamp,
            civil: CivilTime(timestamp, offset: offset.seconds),
            offset: offset
        )
        for element in self.elements {
            switch element {
            case .literal(let text): bytes += text
            case .letter(let letter, let width): moment.append(letter, width, &bytes)
            }
        }
    }

    /// A moment as text.
    public func string(_ timestamp: Timestamp, zone: TimeZoneRules = .utc) -> String {
        var bytes: [UInt8] = []
        self.append(timestamp, zone: zone, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A moment with all that a format may show of it.
private struct Moment {
    let timestamp: Timestamp
    let civil: CivilTime
    let offset: TimeZoneRules.Offset

    private var hour12: Int { (self.civil.hour + 11) % 12 + 1 }

    func append(_ letter: UInt8, _ width: Int, _ bytes: inout [UInt8]) {
        if self.appendDate(letter, &bytes) || self.appendTime(letter, width, &bytes) { return }
        switch Unicode.Scalar(letter) {
        case "c": self.appendAll("a b e T Y", &bytes)
        case "D", "x": self.appendAll("m/d/y", &bytes)
        case "F": self.appendAll("Y-m-d", &bytes)
        case "r": self.appendAll("I:M:S p", &bytes)
        case "R": self.appendAll("H:M", &bytes)
        case "T", "X": self.appendAll("H:M:S", &bytes)
        case "n": bytes.append(0x0A)
        case "t": bytes.append(0x09)
        case "%": bytes.append(letter)
        default: preconditionFailure("a letter that TimeFormat.init lets through")
        }
    }

    private func appendAll(_ letters: StaticString, _ bytes: inout [UInt8]) {
        for index in 0..<letters.utf8CodeUnitCount {
            let letter = letters.utf8Start[index]
            if letter | 0x20 >= 0x61 && letter | 0x20 <= 0x7A {
                self.append(letter, 0, &bytes)
            } else {
                bytes.append(letter)
            }
        }
    }

    private func appendDate(_ letter: UInt8, _ bytes: inout [UInt8]) -> Bool {
        switch Unicode.Scalar(letter) {
        case "a": Self.put(TimeNames.weekdays[self.civil.weekday - 1], 3, &bytes)
        case "A": Self.put(TimeNames.weekdays[self.civil.weekday - 1], 99, &bytes)
        case "b", "h": Self.put(TimeNames.months[self.civil.month - 1], 3, &bytes)
        case "B": Self.put(TimeNames.months[self.civil.month - 1], 99, &bytes)
        case "C": Self.put(self.civil.year / 100, 2, &bytes)
        case "d": Self.put(self.civil.day, 2, &bytes)
        case "e": Self.put(self.civil.day, 2, &bytes, pad: 0x20)
        case "g": Self.put(self.civil.isoWeek.year % 100, 2, &bytes)
        case "G": Self.put(self.civil.isoWeek.year, 4, &bytes)
        case "j": Self.put(self.civil.dayOfYear, 3, &bytes)
        case "m": Self.put(self.civil.month, 2, &bytes)
        case "u": Self.put(self.civil.weekday, 1, &bytes)
        case "U": Self.put((self.civil.dayOfYear + 6 - self.civil.weekday % 7) / 7, 2, &bytes)
        case "V": Self.put(self.civil.isoWeek.week, 2, &bytes)
        case "w": Self.put(self.civil.weekday % 7, 1, &bytes)
        case "W": Self.put((self.civil.dayOfYear + 7 - self.civil.weekday) / 7, 2, &bytes)
        case "y": Self.put(self.civil.year % 100, 2, &bytes)
        case "Y": Self.put(self.civil.year, 4, &bytes)
        default: return false
        }
        return true
    }

    private func appendTime(_ letter: UInt8, _ width: Int, _ bytes: inout [UInt8]) -> Bool {
        switch Unicode.Scalar(letter) {
        case "H": Self.put(self.civil.hour, 2, &bytes)
        case "I": Self.put(self.hour12, 2, &bytes)
        case "k": Self.put(self.civil.hour, 2, &bytes, pad: 0x20)
        case "l": Self.put(self.hour12, 2, &bytes, pad: 0x20)
        case "L": self.putFraction(width == 0 ? 3 : width, &bytes)
        case "f": self.putFraction(width == 0 ? 6 : width, &bytes)
        case "N": self.putFraction(width == 0 ? 9 : width, &bytes)
        case "M": Self.put(self.civil.minute, 2, &bytes)
        case "p": bytes += (self.civil.hour < 12 ? "AM" : "PM").utf8
        case "P": bytes += (self.civil.hour < 12 ? "am" : "pm").utf8
        case "Q": bytes += String(self.timestamp.milliseconds).utf8
        case "s": bytes += String(self.timestamp.seconds).utf8
        case "S": Self.put(self.civil.second, 2, &bytes)
        case "z":
            let seconds = self.offset.seconds
            bytes.append(seconds < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            Self.put(abs(seconds) / 3600, 2, &bytes)
            Self.put(abs(seconds) / 60 % 60, 2, &bytes)
        case "Z": bytes += self.offset.abbreviation.utf8
        default: return false
        }
        return true
    }

    private func putFraction(_ digits: Int, _ bytes: inout [UInt8]) {
        var value = self.civil.nanosecond
        for _ in min(digits, 9)..<9 { value /= 10 }
        Self.put(value, min(digits, 9), &bytes)
    }

    private static func put(_ name: StaticString, _ most: Int, _ bytes: inout [UInt8]) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: min(most, name.utf8CodeUnitCount)))
    }

    private static func put(_ value: Int, _ width: Int, _ bytes: inout [UInt8], pad: UInt8 = 0x30) {
        let text = String(value).utf8
        for _ in text.count..<max(width, text.count) { bytes.append(pad) }
        bytes += text
    }
}
