internal import Glibc
internal import LeatCore

/// A template that cannot be read.
struct PrintfError: Error {
    let message: String
}

/// A template of `format()`: `%[index$][flags][width][.precision][length]type`, as Java's and C's printf have it.
struct PrintfTemplate: Sendable {
    /// One place of the template that takes a value.
    struct Place: Sendable {
        /// Number of the argument, from 0.
        var argument = 0
        var flags: Set<Character> = []
        var width = 0
        var precision: Int?
        /// Bytes of the integers that `hh`, `h` and `l` name; 8 otherwise.
        var byteCount = 8
        var type: Character = "s"
        var time: TimeTemplate?
    }

    private enum Part: Sendable {
        case text(String)
        case place(Place)
    }

    private static let types: Set<Character> = [
        "d", "i", "u", "o", "x", "X", "f", "F", "e", "E", "g", "G", "b", "B", "c", "C", "s", "S",
    ]
    private static let widthMax = 1000

    private var parts: [Part] = []
    private let zone: TimeZoneRules

    init(_ template: String, zone: TimeZoneRules) throws(PrintfError) {
        self.zone = zone
        var rest = Substring(template)
        var literal = ""
        var next = 0
        var previous = 0
        while let character = rest.first {
            rest.removeFirst()
            guard character == "%" else {
                literal.append(character)
                continue
            }
            if let special = rest.first, special == "%" || special == "n" {
                rest.removeFirst()
                literal.append(special == "n" ? "\n" : "%")
                continue
            }
            if !literal.isEmpty { self.parts.append(.text(literal)) }
            literal = ""
            var place = try Self.place(&rest, next: &next, previous: previous)
            previous = place.argument
            if place.type == "t" || place.type == "T" {
                guard let letter = rest.popFirst(), let format = TimeTemplate("%\(letter)") else {
                    throw PrintfError(message: "'%\(place.type)' wants a letter of formatTime()")
                }
                place.time = format
            }
            self.parts.append(.place(place))
        }
        if !literal.isEmpty { self.parts.append(.text(literal)) }
    }

    private static func place(
        _ rest: inout Substring,
        next: inout Int,
        previous: Int
    ) throws(PrintfError) -> Place {
        var place = Place()
        var isExplicit = false
        let digits = rest.prefix { $0.isNumber }
        if !digits.isEmpty, rest.dropFirst(digits.count).first == "$", let index = Int(digits), index > 0 {
            place.argument = index - 1
            rest = rest.dropFirst(digits.count + 1)
            isExplicit = true
        }
        while let flag = rest.first, "-+ 0,#(<".contains(flag) {
            place.flags.insert(flag)
            rest.removeFirst()
        }
        if place.flags.contains("<") {
            place.argument = previous
            isExplicit = true
        }
        place.width = Self.number(&rest) ?? 0
        if rest.first == "." {
            rest.removeFirst()
            place.precision = Self.number(&rest) ?? 0
        }
        while let length = rest.first, "hlLqjzt".contains(length), length != "t" {
            rest.removeFirst()
            if length == "h" { place.byteCount = place.byteCount == 2 ? 1 : 2 }
        }
        guard let type = rest.popFirst(), Self.types.contains(type) || type == "t" || type == "T" else {
            throw PrintfError(message: "the format has a '%' without a known type after it; a percent sign is '%%'")
        }
        guard place.width <= Self.widthMax, (place.precision ?? 0) <= Self.widthMax else {
            throw PrintfError(message: "width and precision in a format are at most \(Self.widthMax)")
        }
        place.type = type
        if !isExplicit {
            place.argument = next
            next += 1
        }
        return place
    }

    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : Int(digits.prefix(9))
    }

    // MARK: Writing

    /// The text with these values; a missing one is `null`.
    ///
    /// It ends with the part by which it is longer than `limit`.
    func text(_ values: [UnsafeRawBufferPointer?], limit: Int) -> [UInt8] {
        var result: [UInt8] = []
        for part in self.parts where result.count <= limit {
            switch part {
            case .text(let text): result.append(contentsOf: text.utf8)
            case .place(let place):
                let value = place.argument < values.count ? values[place.argument] : nil
                result.append(contentsOf: Self.padded(self.text(of: value, place), place).utf8)
            }
        }
        return result
    }

    private func text(of value: UnsafeRawBufferPointer?, _ place: Place) -> String {
        guard let value else { return "null" }
        switch place.type {
        case "s", "S":
            var text = String(decoding: value, as: UTF8.self)
            if let precision = place.precision { text = String(text.prefix(precision)) }
            return place.type == "S" ? text.uppercased() : text
        case "b", "B":
            let text = value.isEqual(to: "true") ? "true" : "false"
            return place.type == "B" ? text.uppercased() : text
        case "c", "C":
            let text = String(decoding: value, as: UTF8.self)
            if let code = UInt32(text), let scalar = Unicode.Scalar(code), text.count > 1 { return String(scalar) }
            return text
        default: break
        }
        guard let number = NumberText.parse(value) else { return "null" }
        switch place.type {
        case "t", "T":
            guard let moment = Moment(number, perSecond: 1000), let format = place.time else { return "null" }
            let text = format.text(moment, zone: self.zone)
            return place.type == "T" ? text.uppercased() : text
        case "d", "i", "u": return Self.signed(Self.whole(number), isNegative: number < 0 && number <= -1, place)
        case "o", "x", "X": return Self.based(number, place)
        default: return Self.real(number, place)
        }
    }

    /// The digits of the whole part, without a sign.
    private static func whole(_ number: Double) -> String {
        if let integer = Int64(exactly: number.rounded(.towardZero)) { return String(integer.magnitude) }
        return Self.print("%.0f", number.magnitude)
    }

    private static func based(_ number: Double, _ place: Place) -> String {
        guard let integer = Int64(exactly: number.rounded(.towardZero)) else { return "null" }
        var bits = UInt64(bitPattern: integer)
        if place.byteCount < 8 { bits &= (1 << UInt64(place.byteCount * 8)) - 1 }
        let text = String(bits, radix: place.type == "o" ? 8 : 16, uppercase: place.type == "X")
        guard place.flags.contains("#") else { return text }
        return (place.type == "o" ? "0" : place.type == "X" ? "0X" : "0x") + text
    }

    private static func real(_ number: Double, _ place: Place) -> String {
        guard number.isFinite else { return "null" }
        let precision = place.precision ?? 6
        let text = Self.print("%.\(precision)\(place.type)", number.magnitude)
        return Self.signed(text, isNegative: number < 0, place)
    }

    private static func print(_ format: String, _ number: Double) -> String {
        var buffer = [CChar](repeating: 0, count: 1500)
        let count = withVaList([number]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Adds thousands separators and the sign, then zeros up to the width.
    private static func signed(_ digits: String, isNegative: Bool, _ place: Place) -> String {
        var text = digits
        if place.flags.contains(",") {
            let whole = text.prefix { $0.isNumber }
            var grouped = ""
            for (index, digit) in whole.enumerated() {
                if index > 0 && (whole.count - index) % 3 == 0 { grouped.append(",") }
                grouped.append(digit)
            }
            text = grouped + text.dropFirst(whole.count)
        }
        var sign = isNegative ? "-" : place.flags.contains("+") ? "+" : place.flags.contains(" ") ? " " : ""
        var end = ""
        if isNegative && place.flags.contains("(") {
            sign = "("
            end = ")"
        }
        if place.flags.contains("0") && !place.flags.contains("-") {
            let missing = place.width - sign.count - text.count - end.count
            if missing > 0 { text = String(repeating: "0", count: missing) + text }
        }
        return sign + text + end
    }

    private static func padded(_ text: String, _ place: Place) -> String {
        let missing = place.width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if place.flags.contains("-") { return text + String(repeating: " ", count: missing) }
        let isBased = "oxX".contains(place.type) && place.flags.contains("0") && text != "null"
        return String(repeating: isBased ? "0" : " ", count: missing) + text
    }
}
