/// Numbers as people read them.
enum ShownNumber {
    /// Digits behind the point from which on a number is rounded.
    private static let fractionCountMax = 4

    /// `111.96638655462185` is `111.966`, `0.000123456789` is `0.0001235`; `nil` when there is nothing to round.
    static func rounded(_ value: UnsafeRawBufferPointer) -> String? {
        guard (1...32).contains(value.count), let point = value.firstIndex(of: UInt8(ascii: ".")),
            value.count - point - 1 > Self.fractionCountMax,
            value.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else { return nil }
        let digits = value.drop { !Self.isDigit($0) || $0 == UInt8(ascii: "0") }
        // Zeros behind the point of a number below one do not count as digits that say something.
        let zeros = value[(point + 1)...].prefix { $0 == UInt8(ascii: "0") }.count
        let isSmall = digits.startIndex > point
        guard let number = Double(String(decoding: value, as: UTF8.self)) else { return nil }
        return Self.text(number, fractionCount: isSmall ? min(zeros + Self.fractionCountMax, 12) : 3)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    /// The number with at most so many digits behind the point, without zeros at the end.
    private static func text(_ number: Double, fractionCount: Int) -> String? {
        var scale: Int64 = 1
        for _ in 0..<fractionCount { scale *= 10 }
        let scaled = (number.magnitude * Double(scale)).rounded()
        guard scaled < 1e18 else { return nil }
        let (whole, fraction) = Int64(scaled).quotientAndRemainder(dividingBy: scale)
        let sign = number < 0 && scaled > 0 ? "-" : ""
        guard fraction > 0 else { return "\(sign)\(whole)" }
        let digits = String(fraction)
        var text = String(repeating: "0", count: fractionCount - digits.utf8.count) + digits
        while text.hasSuffix("0") { text.removeLast() }
        return "\(sign)\(whole).\(text)"
    }
}
