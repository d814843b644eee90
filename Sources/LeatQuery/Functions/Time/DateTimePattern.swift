internal import LeatCore

/// A pattern of Java's `DateTimeFormatter`, for reading times: `yyyy-MM-dd'T'HH:mm:ss[.SSS]XXX`.
struct DateTimePattern: Sendable {
    /// What was read so far.
    struct Reading {
        var year: Int?
        var month: Int?
        var day: Int?
        var dayOfYear: Int?
        var hour: Int?
        /// 0...11 with `isAfternoon`.
        var hour12: Int?
        var isAfternoon = false
        var minute = 0
        var second = 0
        var nanosecond = 0
        /// Seconds east of UTC.
        var offset: Int?
        var zone: TimeZoneRules?
    }

    enum Element: Sendable {
        case literal([UInt8])
        /// A letter and how often it stands there; `isFollowedByDigits` makes numbers keep to their width.
        case field(Character, Int, isFollowedByDigits: Bool)
        case optional([Element])
    }

    let elements: [Element]
    let isCaseSensitive: Bool

    /// Reads a pattern; `nil` when it has an unknown letter or an unbalanced bracket or quote.
    init?(_ pattern: String, isCaseSensitive: Bool = true) {
        var rest = Substring(pattern)
        guard let elements = Self.elements(&rest, depth: 0), rest.isEmpty else { return nil }
        self.elements = elements
        self.isCaseSensitive = isCaseSensitive
    }

    /// Whether the pattern reads a zone.
    var hasZone: Bool { Self.hasZone(self.elements) }

    private static func hasZone(_ elements: [Element]) -> Bool {
        elements.contains { element in
            switch element {
            case .field(let letter, _, _): "zZXxVO".contains(letter)
            case .optional(let inner): Self.hasZone(inner)
            case .literal: false
            }
        }
    }

    private static func elements(_ rest: inout Substring, depth: Int) -> [Element]? {
        var elements: [Element] = []
        while let character = rest.first {
            switch character {
            case "'":
                guard let text = Self.quoted(&rest) else { return nil }
                elements.append(.literal(Array(text.utf8)))
            case "[":
                rest.removeFirst()
                guard depth < 8, let inner = Self.elements(&rest, depth: depth + 1), rest.first == "]" else {
                    return nil
                }
                rest.removeFirst()
                elements.append(.optional(inner))
            case "]":
                return depth > 0 ? elements : nil
            case _ where character.isASCII && character.isLetter:
                guard "yuMLdDHhkKmsSnaEezZXxVO".contains(character) else { return nil }
                let run = rest.prefix { $0 == character }
                rest = rest.dropFirst(run.count)
                let next = rest.first
                let isFollowed = next.map { "yuMLdDHhkKmsSn".contains($0) } ?? false
                elements.append(.field(character, run.count, isFollowedByDigits: isFollowed))
            default:
                rest.removeFirst()
                elements.append(.literal(Array(String(character).utf8)))
            }
        }
        return elements
    }

    private static func quoted(_ rest: inout Substring) -> String? {
        rest.removeFirst()
        if rest.first == "'" {
            rest.removeFirst()
            return "'"
        }
        var text = ""
        while let character = rest.popFirst() {
            if character == "'" {
                guard rest.first == "'" else { return text }
                rest.removeFirst()
            }
            text.append(character)
        }
        return nil
    }

    // MARK: Reading

    /// Reads a time at the start of the text.
    ///
    /// - Returns: What was read and where it ended, or `nil` when the text does not fit.
    func read(_ text: UnsafeRawBufferPointer, from start: Int = 0) -> (reading: Reading, end: Int)? {
        self.read(self.elements[...], text, start, Reading())
    }

    private func read(
        _ elements: ArraySlice<Element>,
        _ text: UnsafeRawBufferPointer,
        _ start: Int,
        _ reading: Reading
    ) -> (reading: Reading, end: Int)? {
        guard let element = elements.first else { return (reading, start) }
        let rest = elements.dropFirst()
        switch element {
        case .literal(let bytes):
            guard self.starts(text, at: start, with: bytes) else { return nil }
            return self.read(rest, text, start + bytes.count, reading)
        case .optional(let inner):
            if let with = self.read(inner[...], text, start, reading),
                let result = self.read(rest, text, with.end, with.reading)
            {
                return result
            }
            return self.read(rest, text, start, reading)
        case .field(let letter, let count, let isFollowed):
            var reading = reading
            var field = FieldReader(text: text, position: start, isCaseSensitive: self.isCaseSensitive)
            guard field.read(letter, count, isFollowedByDigits: isFollowed, into: &reading) else { return nil }
            return self.read(rest, text, field.position, reading)
        }
    }

    private func starts(_ text: UnsafeRawBufferPointer, at start: Int, with bytes: [UInt8]) -> Bool {
        guard text.count - start >= bytes.count else { return false }
        let part = text.slice(start..<start + bytes.count)
        return self.isCaseSensitive
            ? part.elementsEqual(bytes)
            : part.text.lowercased() == String(decoding: bytes, as: UTF8.self).lowercased()
    }
}

extension DateTimePattern.Reading {
    /// The moment that was read; `nil` when parts are missing or out of range.
    ///
    /// Without a year it is the current one, unless that is more than 8 days ahead of `now`: then the year before.
    func moment(zone: TimeZoneRules, now: Timestamp) -> Moment? {
        guard let year = self.year else {
            let current = zone.civilTime(at: now).year
            guard let candidate = self.moment(year: current, zone: zone) else {
                return self.moment(year: current - 1, zone: zone)
            }
            let isFuture = candidate.seconds - now.seconds > 8 * 86_400
            return isFuture ? self.moment(year: current - 1, zone: zone) : candidate
        }
        return self.moment(year: year, zone: zone)
    }

    private func moment(year: Int, zone: TimeZoneRules) -> Moment? {
        var hour = self.hour ?? 0
        if let half = self.hour12 { hour = half + (self.isAfternoon ? 12 : 0) }
        var civil = CivilTime(
            year: year,
            month: self.month ?? 1,
            day: self.day ?? 1,
            hour: hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond
        )
        if let dayOfYear = self.dayOfYear, self.month == nil {
            let date = CivilTime.date(ofDay: CivilTime.day(year: year, month: 1, day: 1) + dayOfYear - 1)
            civil.month = date.month
            civil.day = date.day
        }
        guard civil.isValid else { return nil }
        return Moment(seconds: zone.seconds(of: civil), nanosecond: civil.nanosecond)
    }
}
