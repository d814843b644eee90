/// A compiled form of dates and times, for reading them: of `strptime` (`%d/%b/%Y:%H:%M:%S %z`) or of Java's
/// `DateTimeFormatter` (`dd/MMM/yyyy:HH:mm:ss XX`).
///
/// Month and weekday names are English. What the text lacks is taken from the present: a date without a year is in this
/// year, or in the last one if it would otherwise be more than eight days ahead; a time without a date is today.
public struct TimePattern: Hashable, Sendable {
    /// A step of reading.
    indirect enum Element: Hashable, Sendable {
        case literal([UInt8])
        /// Any white space, also none.
        case space
        /// Digits, at least and at most so many; leading spaces are allowed if padded.
        case number(Part, least: Int, most: Int, padded: Bool = false)
        case monthName
        case weekdayName
        case dayHalf
        /// Digits of a fraction of a second, any number of them; `most` bounds them.
        case fraction(most: Int)
        /// `Z`, `+hhmm`, `+hh:mm`, `+hh`, `UTC`, `GMT`, or an abbreviation such as `EST`.
        case offset
        /// The name of a zone, such as `Europe/Copenhagen` or `CET`.
        case zoneName
        /// Seconds since 1970, or another unit, with a fraction.
        case epoch(nanosecondsPerUnit: Int64)
        /// A part that may be missing.
        case optional([Element])
    }

    enum Part: Hashable, Sendable {
        case year, yearOfCentury, century, month, day, dayOfYear, hour, hour12, minute, second, ignored
    }

    /// The text of the pattern.
    public let text: String
    let elements: [Element]

    init(text: String, elements: [Element]) {
        self.text = text
        self.elements = elements
    }

    /// Whether the pattern can read a zone from the text.
    public var readsZone: Bool { Self.readsZone(self.elements) }

    private static func readsZone(_ elements: [Element]) -> Bool {
        elements.contains { element in
            switch element {
            case .offset, .zoneName, .epoch: true
            case .optional(let inner): self.readsZone(inner)
            default: false
            }
        }
    }

    /// The moment that all of `bytes` names; it must be within the range of `Timestamp`.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - now: The present, for what the text lacks.
    ///   - zone: The zone of a text that names none.
    /// - Returns: `nil` when the text has another form.
    public func parse(
        _ bytes: UnsafeRawBufferPointer,
        now: Timestamp,
        zone: TimeZoneRules = .utc
    ) -> Timestamp? {
        guard let (timestamp, end) = self.parsePrefix(bytes, now: now, zone: zone), end == bytes.count else {
            return nil
        }
        return timestamp
    }

    /// The moment at the start of `bytes`, and where its text ends.
    public func parsePrefix(
        _ bytes: UnsafeRawBufferPointer,
        now: Timestamp,
        zone: TimeZoneRules = .utc
    ) -> (timestamp: Timestamp, end: Int)? {
        var reading = TimeReading()
        var at = 0
        guard reading.read(self.elements[...], bytes, &at), let timestamp = reading.timestamp(now: now, zone: zone)
        else { return nil }
        return (timestamp, at)
    }
}

/// What is wrong with a time pattern.
public struct TimePatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Position of the offending letter in Unicode scalars.
    public let offset: Int
    public let message: String

    public var description: String { self.message }
}

extension TimePattern {
    /// Compiles a `strptime` pattern with the additions of Fluent Bit (`%L` fraction) and Ruby (`%N`, `%3N`).
    ///
    /// Known are `%a %A %b %B %h %c %C %d %D %e %f %F %G %g %H %I %j %k %l %L %m %M %n %N %p %P %r %R %s %S %t %T %u %U
    /// %V %w %W %x %X %y %Y %z %Z %+ %%`; weekdays and week numbers are read and not used.
    public init(strptime text: String) throws(TimePatternError) {
        var compiler = StrptimeCompiler(scalars: Array(text.unicodeScalars))
        self.init(text: text, elements: try compiler.compile())
    }
}

private struct StrptimeCompiler {
    let scalars: [Unicode.Scalar]
    var at = 0
    var elements: [TimePattern.Element] = []

    init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    mutating func compile() throws(TimePatternError) -> [TimePattern.Element] {
        while self.at < self.scalars.count {
            let scalar = self.scalars[self.at]
            self.at += 1
            if scalar == "%" {
                try self.conversion()
            } else if scalar.properties.isWhitespace {
                self.elements.append(.space)
            } else {
                self.literal(scalar)
            }
        }
        return self.elements
    }

    private mutating func literal(_ scalar: Unicode.Scalar) {
        let bytes = Array(String(scalar).utf8)
        if case .literal(let before) = self.elements.last {
            self.elements[self.elements.count - 1] = .literal(before + bytes)
        } else {
            self.elements.append(.literal(bytes))
        }
    }

    private mutating func conversion() throws(TimePatternError) {
        let start = self.at - 1
        var width: Int?
        // Flags and modifiers change how numbers are written; reading is the same. A number is a width.
        while self.at < self.scalars.count, "EO-_0^:123456789".unicodeScalars.contains(self.scalars[self.at]) {
            if let digit = Int(String(self.scalars[self.at])), digit > 0 { width = digit }
            self.at += 1
        }
        guard self.at < self.scalars.count else {
            throw TimePatternError(offset: start, message: "the time format ends after '%'")
        }
        let letter = self.scalars[self.at]
        self.at += 1
        guard let elements = Self.elements(of: letter, width: width) else {
            throw TimePatternError(offset: start, message: "unknown conversion '%\(letter)' in a time format")
        }
        for element in elements {
            if case .literal(let bytes) = element {
                for byte in bytes { self.literal(Unicode.Scalar(byte)) }
            } else {
                self.elements.append(element)
            }
        }
    }

    private static func elements(of letter: Unicode.Scalar, width: Int?) -> [TimePattern.Element]? {
        switch letter {
        case "a", "A": [.weekdayName]
        case "b", "B", "h": [.monthName]
        case "C": [.number(.century, least: 1, most: 2)]
        case "d", "e": [.number(.day, least: 1, most: 2, padded: true)]
        case "f", "N": [.fraction(most: width ?? 9)]
        case "L": [.fraction(most: 9)]
        case "g", "U", "V", "W": [.number(.ignored, least: 1, most: 2)]
        case "G": [.number(.ignored, least: 4, most: 4)]
        case "H", "k": [.number(.hour, least: 1, most: 2, padded: true)]
        case "I", "l": [.number(.hour12, least: 1, most: 2, padded: true)]
        case "j": [.number(.dayOfYear, least: 1, most: 3)]
        case "m": [.number(.month, least: 1, most: 2, padded: true)]
        case "M": [.number(.minute, least: 1, most: 2)]
        case "n", "t": [.space]
        case "p", "P": [.dayHalf]
        case "s": [.epoch(nanosecondsPerUnit: 1_000_000_000)]
        case "Q": [.epoch(nanosecondsPerUnit: 1_000_000)]
        case "S": [.number(.second, least: 1, most: 2)]
        case "u", "w": [.number(.ignored, least: 1, most: 1)]
        case "y": [.number(.yearOfCentury, least: 1, most: 2)]
        case "Y": [.number(.year, least: 1, most: 4)]
        case "z": [.space, .offset]
        case "Z": [.zoneName]
        case "%": [.literal([UInt8(ascii: "%")])]
        default: self.combined(letter)
        }
    }

    /// Letters that stand for several others.
    private static func combined(_ letter: Unicode.Scalar) -> [TimePattern.Element]? {
        let meaning: String
        switch letter {
        case "c": meaning = "%a %b %e %H:%M:%S %Y"
        case "+": meaning = "%a %b %e %H:%M:%S %Z %Y"
        case "D", "x": meaning = "%m/%d/%y"
        case "F": meaning = "%Y-%m-%d"
        case "r": meaning = "%I:%M:%S %p"
        case "R": meaning = "%H:%M"
        case "T", "X": meaning = "%H:%M:%S"
        default: return nil
        }
        var compiler = StrptimeCompiler(scalars: Array(meaning.unicodeScalars))
        do throws(TimePatternError) {
            return try compiler.compile()
        } catch {
            preconditionFailure("a built-in time format is wrong: \(error)")
        }
    }
}
