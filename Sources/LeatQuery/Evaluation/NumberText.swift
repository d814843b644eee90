internal import LeatCore

/// Numbers as the language reads and writes them.
///
/// Every value is text; a value is a number when it looks like one: optional sign, digits with at most one point,
/// optional exponent, nothing around it. Arithmetic is in 64-bit doubles.
public enum NumberText {
    static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The number that a text is; `nil` when it is none.
    public static func parse(_ text: UnsafeRawBufferPointer) -> Double? {
        let count = text.count
        var index = 0
        var isNegative = false
        guard count > 0 else { return nil }
        if text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            isNegative = text[0] == UInt8(ascii: "-")
            index = 1
        }
        var mantissa: UInt64 = 0
        var digitCount = 0
        var fractionCount = 0
        while index < count, case let digit = text[index] &- 48, digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            digitCount += 1
            index += 1
        }
        if index < count, text[index] == UInt8(ascii: ".") {
            index += 1
            while index < count, case let digit = text[index] &- 48, digit < 10 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                digitCount += 1
                fractionCount += 1
                index += 1
            }
        }
        guard digitCount > 0 else { return nil }
        // Fast path: a mantissa and a power of ten that are exact make one rounding, which is the correct one.
        if index == count, digitCount <= 19, mantissa <= 1 << 53, fractionCount <= 22 {
            let value = Double(mantissa) / Self.powersOfTen[fractionCount]
            return isNegative ? -value : value
        }
        if index < count {
            guard Self.isExponent(text, from: index) else { return nil }
        }
        return Double(String(decoding: text, as: UTF8.self))
    }

    /// The number that a text of `units` with `scale` (0...18) digits after the point is.
    @inline(__always)
    static func value(_ units: Int64, scale: Int) -> Double {
        if scale == 0 { return Double(units) }
        // Fast path: the same one rounding as in `parse`.
        if units.magnitude <= 1 << 53 { return Double(units) / Self.powersOfTen[scale] }
        // Slow path: more digits than a double has.
        return Double("\(units)e-\(scale)") ?? 0
    }

    /// The number that a string is.
    public static func parse(_ text: String) -> Double? {
        var text = text
        return text.withUTF8 { Self.parse(UnsafeRawBufferPointer($0)) }
    }

    private static func isExponent(_ text: UnsafeRawBufferPointer, from start: Int) -> Bool {
        var index = start
        guard text[index] | 0x20 == UInt8(ascii: "e") else { return false }
        index += 1
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") { index += 1 }
        guard index < text.count else { return false }
        return (index..<text.count).allSatisfy { text[$0] &- 48 < 10 }
    }

    /// Whether a text is a number as JSON writes it, without an exponent.
    static func isJSONNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let point = text.firstIndex(of: UInt8(ascii: ".")) else { return JSONNumber.isInteger(text) }
        let fraction = text[(point + 1)...]
        return !fraction.isEmpty && fraction.allSatisfy { $0 &- 48 < 10 }
            && JSONNumber.isInteger(UnsafeRawBufferPointer(rebasing: text[..<point]))
    }

    /// The integer whose shortest decimal form a text is; `nil` for `007`, `-0`, `+1` and what does not fit 64 bits.
    static func canonicalInteger(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard JSONNumber.isInteger(text) else { return nil }
        var value: Int64 = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        for index in (isNegative ? 1 : 0)..<text.count {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(text[index] &- 48)
            let (sum, tooLarge) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            if overflow || tooLarge { return nil }
            value = sum
        }
        return isNegative && value == 0 ? nil : value
    }

    /// Appends a number as text: integers without a point, other numbers in their shortest form that reads back.
    ///
    /// Numbers that are no integers are written as Java does, `1.68682E12` from ten million upwards (specification
    /// 8.2, [M]).
    public static func append(_ value: Double, to bytes: inout [UInt8]) {
        if let integer = Int64(exactly: value) {
            Self.append(integer, to: &bytes)
        } else {
            bytes.append(contentsOf: Self.javaText(value).utf8)
        }
    }

    /// Appends an integer in decimal.
    public static func append(_ value: Int64, to bytes: inout [UInt8]) {
        Self.withDecimal(value) { bytes.append(contentsOf: $0) }
    }

    /// A number as text, see `append`.
    public static func text(_ value: Double) -> String {
        if let integer = Int64(exactly: value) { return String(integer) }
        return Self.javaText(value)
    }

    /// Calls `body` with the decimal form of an integer, which is valid during the call.
    @inline(__always)
    static func withDecimal<Result, Failure: Error>(
        _ value: Int64,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        return try withUnsafeMutableBytes(of: &buffer) { (raw) throws(Failure) -> Result in
            var index = 24
            var rest = value.magnitude
            repeat {
                index &-= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                raw[index] = UInt8(truncatingIfNeeded: digit) &+ 48
                rest = quotient
            } while rest != 0
            if value < 0 {
                index &-= 1
                raw[index] = UInt8(ascii: "-")
            }
            return try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(raw)[index..<24]))
        }
    }

    private static func javaText(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        let magnitude = value.magnitude
        if magnitude >= 1e-3 && magnitude < 1e7 { return value.description }
        let (digits, exponent) = Self.digits(of: magnitude)
        let fraction = digits.count > 1 ? String(digits.dropFirst()) : "0"
        return "\(value < 0 ? "-" : "")\(digits.prefix(1)).\(fraction)E\(exponent)"
    }

    /// The shortest digits of a positive number without zeros at either end, and the power of ten of the first.
    private static func digits(of value: Double) -> (digits: String, exponent: Int) {
        let parts = value.description.split(separator: "e")
        var exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = mantissa[0]
        let fraction = mantissa.count == 2 ? mantissa[1] : ""
        var digits = whole + fraction
        exponent += whole.count - 1
        while digits.first == "0" && digits.count > 1 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" && digits.count > 1 { digits.removeLast() }
        return (String(digits), exponent)
    }
}
