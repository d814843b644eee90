extension TimePattern {
    /// Compiles a pattern of Java's `DateTimeFormatter`, or one of the named forms `millis`, `milliseconds`, `seconds`,
    /// `unixtime`, `unixTimeSeconds`, `unixTimeMillis`, `nanos` (whatever their case).
    ///
    /// Known letters are `y u M L d D H h k K m s S n a E e z Z X x V v O`, quoted literals, and `[optional]` parts.
    public init(java text: String) throws(TimePatternError) {
        if let unit = Self.unit(named: text) {
            // Numbers may have a fraction of their unit.
            let fraction: [Element] = unit == 1_000_000_000 ? [.optional([.literal([0x2E]), .fraction(most: 9)])] : []
            self.init(text: text, elements: [.epoch(nanosecondsPerUnit: unit)] + fraction)
            return
        }
        var compiler = JavaCompiler(scalars: Array(text.unicodeScalars))
        self.init(text: text, elements: try compiler.compile(isOptional: false))
    }

    private static func unit(named name: String) -> Int64? {
        switch name.lowercased() {
        case "millis", "milliseconds", "unixtimemillis": 1_000_000
        case "seconds", "unixtime", "unixtimeseconds": 1_000_000_000
        case "nanos", "nanoseconds", "unixtimenanos": 1
        case "micros", "microseconds", "unixtimemicros": 1000
        default: nil
        }
    }
}

private struct JavaCompiler {
    let scalars: [Unicode.Scalar]
    private var at = 0

    init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    mutating func compile(isOptional: Bool) throws(TimePatternError) -> [TimePattern.Element] {
        var elements: [TimePattern.Element] = []
        let start = self.at
        while self.at < self.scalars.count {
            let scalar = self.scalars[self.at]
            switch scalar {
            case "[":
                self.at += 1
                elements.append(.optional(try self.compile(isOptional: true)))
            case "]":
                guard isOptional else { throw TimePatternError(offset: self.at, message: "']' without '['") }
                self.at += 1
                return elements
            case "'": elements.append(.literal(try self.quoted()))
            case "a"..."z", "A"..."Z": elements.append(try self.letters())
            default:
                elements.append(.literal(Array(String(scalar).utf8)))
                self.at += 1
            }
        }
        if isOptional { throw TimePatternError(offset: start - 1, message: "'[' without ']'") }
        return elements
    }

    /// `'…'`, in which `''` is one quote; `''` alone is a quote too.
    private mutating func quoted() throws(TimePatternError) -> [UInt8] {
        let start = self.at
        var text = ""
        self.at += 1
        while self.at < self.scalars.count {
            if self.scalars[self.at] != "'" {
                text.unicodeScalars.append(self.scalars[self.at])
                self.at += 1
            } else if self.at + 1 < self.scalars.count, self.scalars[self.at + 1] == "'" {
                text += "'"
                self.at += 2
            } else {
                self.at += 1
                return Array((text.isEmpty ? "'" : text).utf8)
            }
        }
        throw TimePatternError(offset: start, message: "a quote in the time format is not closed")
    }

    private mutating func letters() throws(TimePatternError) -> TimePattern.Element {
        let start = self.at
        let letter = self.scalars[start]
        while self.at < self.scalars.count, self.scalars[self.at] == letter { self.at += 1 }
        guard let element = self.element(letter, self.at - start) else {
            throw TimePatternError(offset: start, message: "unknown letter '\(letter)' in a time format")
        }
        return element
    }

    private func element(_ letter: Unicode.Scalar, _ count: Int) -> TimePattern.Element? {
        switch letter {
        case "y", "u":
            count == 2
                ? .number(.yearOfCentury, least: 2, most: 2) : .number(.year, least: min(count, 4), most: 4)
        case "M", "L": count >= 3 ? .monthName : self.number(.month, count)
        case "d": .number(.day, least: min(count, 2), most: 2, padded: true)
        case "D": .number(.dayOfYear, least: min(count, 3), most: 3)
        case "H", "k": self.number(.hour, count)
        case "h", "K": self.number(.hour12, count)
        case "m": self.number(.minute, count)
        case "s": self.number(.second, count)
        case "S", "n": .fraction(most: count >= 9 ? 9 : count)
        case "a": .dayHalf
        case "E": .weekdayName
        case "e", "c": count >= 3 ? .weekdayName : .number(.ignored, least: 1, most: 1)
        case "X", "x", "Z", "O": .offset
        case "z", "V", "v": .zoneName
        default: nil
        }
    }

    private func number(_ part: TimePattern.Part, _ count: Int) -> TimePattern.Element {
        .number(part, least: min(count, 2), most: 2)
    }
}
