internal import LeatCore

/// Reads one field of a `DateTimePattern`.
struct FieldReader {
    let text: UnsafeRawBufferPointer
    var position: Int
    let isCaseSensitive: Bool

    /// Reads the field of a letter; `false` when the text does not fit.
    mutating func read(
        _ letter: Character,
        _ count: Int,
        isFollowedByDigits: Bool,
        into reading: inout DateTimePattern.Reading
    ) -> Bool {
        switch letter {
        case "y", "u": return self.readYear(count, isFollowedByDigits, &reading)
        case "M", "L": return self.readMonth(count, isFollowedByDigits, &reading)
        case "d": return self.set(&reading.day, self.number(count, isFollowedByDigits, most: 2))
        case "D": return self.set(&reading.dayOfYear, self.number(count, isFollowedByDigits, most: 3))
        case "H": return self.set(&reading.hour, self.number(count, isFollowedByDigits, most: 2))
        case "k":
            return self.set(&reading.hour, self.number(count, isFollowedByDigits, most: 2, in: 1...24).map { $0 % 24 })
        case "h":
            let hour = self.number(count, isFollowedByDigits, most: 2, in: 1...12)
            return self.set(&reading.hour12, hour.map { $0 % 12 })
        case "K": return self.set(&reading.hour12, self.number(count, isFollowedByDigits, most: 2, in: 0...11))
        case "m": return self.set(&reading.minute, self.number(count, isFollowedByDigits, most: 2))
        case "s": return self.set(&reading.second, self.number(count, isFollowedByDigits, most: 2))
        case "n": return self.set(&reading.nanosecond, self.number(count, isFollowedByDigits, most: 9))
        case "S": return self.readFraction(count, isFollowedByDigits, &reading)
        case "a": return self.readHalf(&reading)
        case "E", "e":
            // The weekday follows from the date; it is only read over.
            return self.name(TimeNames.weekdays) != nil || (letter == "e" && self.number(count, false, most: 1) != nil)
        case "Z" where count == 4, "O": return self.readLocalizedOffset(&reading)
        case "X", "x", "Z": return self.readOffset(&reading)
        case "z", "V": return self.readZone(&reading)
        default: return false
        }
    }

    private func set(_ target: inout Int?, _ value: Int?) -> Bool {
        target = value
        return value != nil
    }

    private func set(_ target: inout Int, _ value: Int?) -> Bool {
        target = value ?? 0
        return value != nil
    }

    private func setUTC(_ reading: inout DateTimePattern.Reading) -> Bool {
        reading.offset = 0
        return true
    }

    private mutating func number(
        _ count: Int,
        _ isFollowedByDigits: Bool,
        most: Int,
        in range: ClosedRange<Int>
    ) -> Int? {
        self.number(count, isFollowedByDigits, most: most).flatMap { range.contains($0) ? $0 : nil }
    }

    /// A number of `count` digits; one letter means as many as there are, up to `most`.
    private mutating func number(_ count: Int, _ isFollowedByDigits: Bool, most: Int) -> Int? {
        var value = 0
        var digits = 0
        let limit = count == 1 && !isFollowedByDigits ? most : max(count, 1)
        while digits < limit, self.position < self.text.count, case let digit = self.text[self.position] &- 48,
            digit < 10
        {
            value = value * 10 + Int(digit)
            digits += 1
            self.position += 1
        }
        return digits >= count && digits > 0 ? value : nil
    }

    private mutating func readYear(
        _ count: Int,
        _ isFollowedByDigits: Bool,
        _ reading: inout DateTimePattern.Reading
    ) -> Bool {
        guard let year = self.number(count, isFollowedByDigits, most: 4) else { return false }
        reading.year = count == 2 ? 2000 + year : year
        return true
    }

    private mutating func readMonth(
        _ count: Int,
        _ isFollowedByDigits: Bool,
        _ reading: inout DateTimePattern.Reading
    ) -> Bool {
        if count >= 3 {
            guard let month = self.name(TimeNames.months) else { return false }
            reading.month = month + 1
            return true
        }
        return self.set(&reading.month, self.number(count, isFollowedByDigits, most: 2))
    }

    private mutating func readFraction(
        _ count: Int,
        _ isFollowedByDigits: Bool,
        _ reading: inout DateTimePattern.Reading
    ) -> Bool {
        var digits = 0
        var value = 0
        // Real logs write fewer digits than the pattern says, and more.
        let limit = isFollowedByDigits ? count : 18
        while digits < limit, self.position < self.text.count, case let digit = self.text[self.position] &- 48,
            digit < 10
        {
            if digits < 9 { value = value * 10 + Int(digit) }
            digits += 1
            self.position += 1
        }
        guard digits > 0 else { return false }
        for _ in min(digits, 9)..<9 { value *= 10 }
        reading.nanosecond = value
        return true
    }

    private mutating func readHalf(_ reading: inout DateTimePattern.Reading) -> Bool {
        if self.take("PM") || self.take("P.M.") {
            reading.isAfternoon = true
            return true
        }
        return self.take("AM") || self.take("A.M.")
    }

    /// `GMT`, `GMT+8`, `GMT+08:00`, or what `readOffset` reads.
    private mutating func readLocalizedOffset(_ reading: inout DateTimePattern.Reading) -> Bool {
        let hasName = self.take("GMT") || self.take("UTC")
        return self.readOffset(&reading, hourDigits: 1) || (hasName && self.setUTC(&reading))
    }

    /// `Z`, `+hh`, `+hhmm`, `+hh:mm` or `+hh:mm:ss`; with `hourDigits` 1 also `+h` and `+h:mm`.
    private mutating func readOffset(_ reading: inout DateTimePattern.Reading, hourDigits: Int = 2) -> Bool {
        if self.take("Z") { return self.setUTC(&reading) }
        let start = self.position
        guard start < self.text.count, self.text[start] == 0x2B || self.text[start] == 0x2D else { return false }
        let sign = self.text[start] == 0x2D ? -1 : 1
        self.position += 1
        guard let hours = self.number(hourDigits, hourDigits > 1, most: 2, in: 0...18) else {
            self.position = start
            return false
        }
        var seconds = hours * 3600
        for unit in [60, 1] {
            let before = self.position
            if self.position < self.text.count, self.text[self.position] == UInt8(ascii: ":") { self.position += 1 }
            guard let part = self.number(2, true, most: 2, in: 0...59) else {
                self.position = before
                break
            }
            seconds += part * unit
        }
        reading.offset = sign * seconds
        return true
    }

    /// A name of a zone, an abbreviation, or an offset.
    private mutating func readZone(_ reading: inout DateTimePattern.Reading) -> Bool {
        let start = self.position
        if self.readOffset(&reading) { return true }
        while self.position < self.text.count, Self.isZoneByte(self.text[self.position]) { self.position += 1 }
        let name = self.text.slice(start..<self.position).text
        if let offset = TimeNames.zoneOffsets[name.uppercased()] {
            reading.offset = offset
            return true
        }
        reading.zone = name.isEmpty ? nil : TimeZoneRules.named(name)
        return reading.zone != nil
    }

    private static func isZoneByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "/"),
            UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// The index of a name, in full or its first three letters.
    private mutating func name(_ names: [String]) -> Int? {
        for (index, name) in names.enumerated() where self.take(name) { return index }
        for (index, name) in names.enumerated() where self.take(String(name.prefix(3))) {
            if self.position < self.text.count, self.text[self.position] == UInt8(ascii: ".") { self.position += 1 }
            return index
        }
        return nil
    }

    /// Steps over a word, in any case unless cases matter.
    private mutating func take(_ word: String) -> Bool {
        let end = self.position + word.utf8.count
        guard end <= self.text.count else { return false }
        let ignored: UInt8 = self.isCaseSensitive ? 0 : 0x20
        for (offset, byte) in word.utf8.enumerated()
        where self.text[self.position + offset] | ignored != byte | ignored {
            return false
        }
        self.position = end
        return true
    }
}
