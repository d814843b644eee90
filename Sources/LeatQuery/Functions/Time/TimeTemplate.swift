internal import LeatCore

/// A template of `formatTime()`: the letters of strftime as Java has them, which pads less than C does; in English.
struct TimeTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case letter(Character)
    }

    private static let letters: Set<Character> = Set("HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc")

    private var parts: [Part] = []

    /// Reads a template; `nil` when a letter is not known.
    init?(_ template: String) {
        var literal = ""
        var rest = Substring(template)
        while let character = rest.popFirst() {
            guard character == "%" else {
                literal.append(character)
                continue
            }
            guard let letter = rest.popFirst() else { return nil }
            if letter == "%" || letter == "n" {
                literal.append(letter == "n" ? "\n" : "%")
                continue
            }
            guard Self.letters.contains(letter) else { return nil }
            if !literal.isEmpty { self.parts.append(.text(literal)) }
            literal = ""
            self.parts.append(.letter(letter))
        }
        if !literal.isEmpty { self.parts.append(.text(literal)) }
    }

    /// A moment as text in a zone.
    func text(_ moment: Moment, zone: TimeZoneRules) -> String {
        let offset = zone.offset(at: moment.seconds)
        let civil = moment.civilTime(offset: offset.seconds)
        var result = ""
        for part in self.parts {
            switch part {
            case .text(let text): result += text
            case .letter(let letter): result += Self.text(letter, civil, offset, moment)
            }
        }
        return result
    }

    private static func text(
        _ letter: Character,
        _ civil: CivilTime,
        _ offset: TimeZoneRules.Offset,
        _ moment: Moment
    ) -> String {
        func all(_ template: String) -> String {
            template.map { $0.isLetter ? Self.text($0, civil, offset, moment) : String($0) }.joined()
        }
        let hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12
        switch letter {
        case "H": return Self.padded(civil.hour, 2)
        case "I": return Self.padded(hour12, 2)
        case "k": return String(civil.hour)
        case "l": return String(hour12)
        case "M": return Self.padded(civil.minute, 2)
        case "S": return Self.padded(civil.second, 2)
        case "L": return Self.padded(civil.nanosecond / 1_000_000, 3)
        case "N": return Self.padded(civil.nanosecond, 9)
        case "p": return civil.hour < 12 ? "am" : "pm"
        case "z":
            let minutes = abs(offset.seconds) / 60
            return "\(offset.seconds < 0 ? "-" : "+")\(Self.padded(minutes / 60, 2))\(Self.padded(minutes % 60, 2))"
        case "Z": return offset.abbreviation
        case "s": return String(moment.seconds)
        case "Q": return String(moment.milliseconds)
        case "B": return TimeNames.months[civil.month - 1]
        case "b", "h": return String(TimeNames.months[civil.month - 1].prefix(3))
        case "A": return TimeNames.weekdays[civil.weekday - 1]
        case "a": return String(TimeNames.weekdays[civil.weekday - 1].prefix(3))
        case "C": return Self.padded(civil.year / 100, 2)
        case "Y": return Self.padded(civil.year, 4)
        case "y": return Self.padded(civil.year % 100, 2)
        case "j": return Self.padded(civil.dayOfYear, 3)
        case "m": return Self.padded(civil.month, 2)
        case "d": return Self.padded(civil.day, 2)
        case "e": return String(civil.day)
        case "R": return all("H:M")
        case "T": return all("H:M:S")
        case "r": return all("I:M:S") + (civil.hour < 12 ? " AM" : " PM")
        case "D": return all("m/d/y")
        case "F": return all("Y-m-d")
        case "c": return "\(all("a b")) \(Self.padded(civil.day, 2)) \(all("T Z Y"))"
        default: return ""
        }
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width - text.count))
        return (number < 0 ? "-" : "") + zeros + text
    }
}
