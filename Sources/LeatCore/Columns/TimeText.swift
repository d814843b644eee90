/// Times as logs write them, kept as the distance to the event's own time: mostly nothing.
public struct TimeText: Hashable, Sendable {
    public enum Layout: UInt8, Sendable {
        /// `2025-11-20T03:00:00`, with `T` or a blank.
        case iso = 0
        /// `20/Nov/2025:03:00:00`.
        case accessLog = 1
    }

    public private(set) var layout: Layout
    /// Between date and time.
    public private(set) var separator: UInt8
    /// Digits of the fraction, with a point before them if there are any.
    public private(set) var fractionDigitCount: Int
    /// What follows the time, such as `Z` or ` +0000`.
    public var suffix: [UInt8] { (0..<Int(self.suffixByteCount)).map { self.suffixByte($0) } }

    // In place, first byte lowest, so that copying a form counts no references.
    private var suffixBytes: UInt64 = 0
    private var suffixByteCount: UInt8 = 0

    /// Nanoseconds of the last digit.
    public var unit: Int64 { Self.powersOfTen[9 - self.fractionDigitCount] }

    private static let powersOfTen: [Int64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
    /// Longer suffixes are not part of a time.
    public static let suffixByteCountMax = 8

    /// The form of a time; `nil` when the text is none.
    public init?(of text: UnsafeRawBufferPointer) {
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
        self.keep(suffix: text[index...])
        guard self.value(of: text) != nil else { return nil }
    }

    /// A form from its parts; `fractionDigitCount` is 0...9, `suffix` has at most `suffixByteCountMax` bytes.
    public init(layout: Layout, separator: UInt8, fractionDigitCount: Int, suffix: [UInt8]) {
        precondition(
            (0...9).contains(fractionDigitCount) && suffix.count <= Self.suffixByteCountMax,
            "bad form of time"
        )
        self.layout = layout
        self.separator = separator
        self.fractionDigitCount = fractionDigitCount
        self.keep(suffix: suffix)
    }

    private mutating func keep(suffix: some Sequence<UInt8>) {
        for byte in suffix {
            self.suffixBytes |= UInt64(byte) << (UInt64(self.suffixByteCount) * 8)
            self.suffixByteCount += 1
        }
    }

    @inline(__always)
    private func suffixByte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: self.suffixBytes >> (UInt64(truncatingIfNeeded: index) &* 8))
    }

    /// Units since 1970 of a text of this form, the zone taken as part of the form; `nil` for any other text.
    public func value(of text: UnsafeRawBufferPointer) -> Int64? {
        let timeStart = self.layout == .iso ? 11 : 12
        let fractionStart = timeStart + 8
        let fractionCount = self.fractionDigitCount == 0 ? 0 : self.fractionDigitCount + 1
        let end = fractionStart + fractionCount
        let suffixByteCount = Int(self.suffixByteCount)
        guard text.count == end + suffixByteCount, text[timeStart - 1] == self.separator else { return nil }
        for index in 0..<suffixByteCount where text[end + index] != self.suffixByte(index) { return nil }
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
        // A day that its month does not have would come back as another one.
        guard day <= CivilTime.daysInMonth(year: Int(year), month: Int(month)) else { return nil }
        return Int64(CivilTime.day(year: Int(year), month: Int(month), day: Int(day)))
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

    /// Bytes that a time has at most: date, time, fraction and suffix.
    public static let byteCountMax = 48

    /// Writes the text of a number of units since 1970 and returns its length, at most `byteCountMax`.
    public func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let (seconds, fraction) = floorDivide(value, Self.powersOfTen[self.fractionDigitCount])
        let (days, second) = floorDivide(seconds, 86_400)
        let date = CivilTime.date(ofDay: Int(days))
        let year = UInt64(max(0, date.year)) % 10_000
        var end = 11
        if self.layout == .iso {
            DecimalDigits.write(year, digitCount: 4, to: target)
            target[4] = UInt8(ascii: "-")
            DecimalDigits.write(UInt64(date.month), digitCount: 2, to: target + 5)
            target[7] = UInt8(ascii: "-")
            DecimalDigits.write(UInt64(date.day), digitCount: 2, to: target + 8)
        } else {
            DecimalDigits.write(UInt64(date.day), digitCount: 2, to: target)
            target[2] = UInt8(ascii: "/")
            for index in 0..<3 { target[3 + index] = Self.months[(date.month - 1) * 3 + index] }
            target[6] = UInt8(ascii: "/")
            DecimalDigits.write(year, digitCount: 4, to: target + 7)
            end = 12
        }
        target[end - 1] = self.separator
        DecimalDigits.write(UInt64(second / 3_600), digitCount: 2, to: target + end)
        target[end + 2] = UInt8(ascii: ":")
        DecimalDigits.write(UInt64(second / 60 % 60), digitCount: 2, to: target + end + 3)
        target[end + 5] = UInt8(ascii: ":")
        DecimalDigits.write(UInt64(second % 60), digitCount: 2, to: target + end + 6)
        end += 8
        if self.fractionDigitCount > 0 {
            target[end] = UInt8(ascii: ".")
            DecimalDigits.write(UInt64(fraction), digitCount: self.fractionDigitCount, to: target + end + 1)
            end += self.fractionDigitCount + 1
        }
        let suffixByteCount = Int(self.suffixByteCount)
        for index in 0..<suffixByteCount { target[end + index] = self.suffixByte(index) }
        return end + suffixByteCount
    }

    /// The quotient rounded down.
    public static func floor(_ value: Int64, _ divisor: Int64) -> Int64 { floorDivide(value, divisor).quotient }
}
