/// See `Column.number`.
public struct NumberColumn: Sendable {
    /// How a number is written.
    public let form: NumberForm
    /// Per row its number; any number where the field is absent.
    public let numbers: NumberList
    public let presence: Bitmap?

    public init(form: NumberForm, numbers: NumberList, presence: Bitmap? = nil) {
        self.form = form
        self.numbers = numbers
        self.presence = presence
    }

    /// Per row the number; of packed ones a new array at each call.
    public var values: [Int64] { self.numbers.values }
}

/// How a text follows from a whole number, and back.
public enum NumberForm: Hashable, Sendable {
    /// The shortest decimal form.
    case integer
    /// As many digits after the point in every text: 0...`digitCountMax`; the number counts units of the last.
    case decimal(scale: Int)
    /// Digits with leading zeros, as many in every text: 1...`digitCountMax`.
    case padded(digitCount: Int)
    /// An IPv4 address in dotted form.
    case address
    /// A time; the number counts units of its last digit since 1970.
    case time(TimeText)

    public static let digitCountMax = 18

    /// No text is longer.
    public static let byteCountMax = TimeText.byteCountMax

    /// Writes the text of a number and returns its length, at most `byteCountMax`.
    @inline(__always)
    public func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        switch self {
        case .integer: return DecimalDigits.write(value, to: target)
        case .decimal(let scale): return DecimalDigits.write(value, scale: scale, to: target)
        case .padded(let digitCount):
            DecimalDigits.write(value.magnitude, digitCount: digitCount, to: target)
            return digitCount
        case .address: return DecimalDigits.write(address: value, to: target)
        case .time(let form): return form.write(value, to: target)
        }
    }

    /// Whether all texts are digits and other characters that stand for themselves in JSON.
    var isPlain: Bool {
        if case .time = self { return false }
        return true
    }

    /// The number that has exactly this text; `nil` when none has.
    public func value(of text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count > 0, text.count <= Self.byteCountMax, let value = self.candidate(text) else { return nil }
        // A text that is not in this form, such as `007` or `-0.0`, does not come back.
        let isSame = withUnsafeTemporaryAllocation(byteCount: Self.byteCountMax, alignment: 1) { buffer in
            guard let start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            let count = self.write(value, to: start)
            return UnsafeRawBufferPointer(start: start, count: count).isEqual(to: text)
        }
        return isSame ? value : nil
    }

    /// A number that may have this text.
    private func candidate(_ text: UnsafeRawBufferPointer) -> Int64? {
        switch self {
        case .time(let form): return form.value(of: text)
        case .address:
            var number: Int64 = 0
            var part: Int64 = 0
            for byte in text {
                if byte == UInt8(ascii: ".") {
                    number = number << 8 | (part & 255)
                    part = 0
                } else {
                    guard byte &- 48 < 10, part < 1_000 else { return nil }
                    part = part * 10 + Int64(byte &- 48)
                }
            }
            return number << 8 | (part & 255)
        case .integer, .decimal, .padded:
            var magnitude: UInt64 = 0
            for byte in text where byte &- 48 < 10 {
                let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
                let (sum, tooLarge) = product.addingReportingOverflow(UInt64(byte &- 48))
                if overflow || tooLarge { return nil }
                magnitude = sum
            }
            if text[0] != UInt8(ascii: "-") { return Int64(exactly: magnitude) }
            return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
    }

    /// The power of ten by which a number is larger than the value of its text; `nil` when the texts are no numbers.
    public var scale: Int? {
        switch self {
        case .integer, .padded: 0
        case .decimal(let scale): scale
        case .address, .time: nil
        }
    }

    /// Which bytes and lengths the texts of some numbers may have.
    public func traits(of bounds: ClosedRange<Int64>) -> TextTraits {
        let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
        switch self {
        case .integer, .decimal:
            var bytes = digits
            if bounds.lowerBound < 0 { bytes.insert(UInt8(ascii: "-")) }
            var most = max(
                DecimalDigits.count(bounds.lowerBound.magnitude),
                DecimalDigits.count(bounds.upperBound.magnitude)
            )
            var least = bounds.lowerBound > 0 ? DecimalDigits.count(UInt64(bounds.lowerBound)) : 1
            if case .decimal(let scale) = self {
                bytes.insert(UInt8(ascii: "."))
                most = max(most, scale + 1) + 1
                least = max(least, scale + 1) + 1
            }
            return TextTraits(bytes: bytes, lengths: least...(most + (bounds.lowerBound < 0 ? 1 : 0)))
        case .padded(let digitCount): return TextTraits(bytes: digits, lengths: digitCount...digitCount)
        case .address:
            var bytes = digits
            bytes.insert(UInt8(ascii: "."))
            return TextTraits(bytes: bytes, lengths: 7...15)
        case .time(let form):
            var bytes = digits
            bytes.insert(form.separator)
            for byte in form.suffix { bytes.insert(byte) }
            for byte in "-:./ADFJMNOSabceglnoprtuvy".utf8 { bytes.insert(byte) }
            return TextTraits(bytes: bytes, lengths: 19...Self.byteCountMax)
        }
    }
}

/// Digits in memory that the caller has made room in.
public enum DecimalDigits {
    /// How many digits a number has.
    @inline(__always)
    public static func count(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count += 4
        }
        return count + (rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    /// Writes the lowest `digitCount` digits.
    @inline(__always)
    public static func write(_ value: UInt64, digitCount: Int, to target: UnsafeMutablePointer<UInt8>) {
        var rest = value
        var index = digitCount
        while index > 0 {
            index &-= 1
            let quotient = rest / 10
            target[index] = UInt8(truncatingIfNeeded: rest &- quotient &* 10) &+ 48
            rest = quotient
        }
    }

    /// Writes the shortest form of a number, at most 20 bytes, and returns its length.
    @inline(__always)
    public static func write(_ value: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let sign = value < 0 ? 1 : 0
        if value < 0 { target[0] = UInt8(ascii: "-") }
        let digitCount = self.count(value.magnitude)
        self.write(value.magnitude, digitCount: digitCount, to: target + sign)
        return digitCount + sign
    }

    /// Writes a number of units with `scale` digits after the point and at least one before it.
    static func write(_ value: Int64, scale: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        guard scale > 0 else { return self.write(value, to: target) }
        let sign = value < 0 ? 1 : 0
        if value < 0 { target[0] = UInt8(ascii: "-") }
        let start = target + sign
        let digitCount = max(self.count(value.magnitude), scale + 1)
        let whole = digitCount - scale
        self.write(value.magnitude, digitCount: digitCount, to: start + 1)
        for index in 0..<whole { start[index] = start[index + 1] }
        start[whole] = UInt8(ascii: ".")
        return sign + digitCount + 1
    }

    /// Writes the lowest 32 bits as an IPv4 address, at most 15 bytes.
    static func write(address: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var end = 0
        for shift in stride(from: UInt64(24), through: 0, by: -8) {
            let part = UInt64(bitPattern: address) >> shift & 255
            let digitCount = part >= 100 ? 3 : part >= 10 ? 2 : 1
            self.write(part, digitCount: digitCount, to: target + end)
            end += digitCount
            if shift > 0 {
                target[end] = UInt8(ascii: ".")
                end += 1
            }
        }
        return end
    }
}
