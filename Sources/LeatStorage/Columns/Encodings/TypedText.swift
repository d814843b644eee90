internal import LeatCore

/// Texts of one shape, kept as numbers or bytes.
///
/// Each form takes a value only if it gives back the exact text.
enum TypedText {
    /// Lower-case hexadecimal digits, as many in every value; `nil` when a value is something else.
    static func hexadecimal(_ values: ByteStrings) -> (digitCount: Int, bytes: [UInt8])? {
        guard values.count > 0 else { return nil }
        let digitCount = values[0].count
        guard digitCount >= 8, digitCount % 2 == 0, digitCount <= 256 else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<values.count {
            let value = values[index]
            guard value.count == digitCount else { return nil }
            if index == 0 { bytes.reserveCapacity(values.count * digitCount / 2) }
            guard Self.append(hexadecimal: value, to: &bytes) else { return nil }
        }
        return (digitCount, bytes)
    }

    private static func append(hexadecimal value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Bool {
        var index = 0
        while index + 1 < value.count {
            let high = Self.hexValues[Int(value[index])]
            let low = Self.hexValues[Int(value[index + 1])]
            if high | low > 15 { return false }
            bytes.append(high << 4 | low)
            index += 2
        }
        return true
    }

    /// Values of lower-case digits; 255 for other bytes.
    private static let hexValues: [UInt8] = (0..<256).map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(byte) - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt8(byte) - UInt8(ascii: "a") + 10
        default: 255
        }
    }

    static let hexDigits = Array("0123456789abcdef".utf8)

    /// Where the dashes of a UUID are.
    static let uuidDashes: Set<Int> = [8, 13, 18, 23]

    /// Lower-case UUIDs as 16 bytes each.
    static func uuids(_ values: ByteStrings) -> [UInt8]? {
        var bytes: [UInt8] = []
        for index in 0..<values.count {
            let value = values[index]
            guard value.count == 36 else { return nil }
            if index == 0 { bytes.reserveCapacity(values.count * 16) }
            var position = 0
            while position < 36 {
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    guard value[position] == UInt8(ascii: "-") else { return nil }
                    position += 1
                    continue
                }
                let high = Self.hexValues[Int(value[position])]
                let low = Self.hexValues[Int(value[position + 1])]
                if high | low > 15 { return nil }
                bytes.append(high << 4 | low)
                position += 2
            }
        }
        return bytes
    }

    /// IPv4 addresses in dotted form, as numbers.
    static func addresses(_ values: ByteStrings) -> [Int64]? {
        var numbers: [Int64] = []
        for index in 0..<values.count {
            guard let number = Self.address(values[index]) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    private static func address(_ value: UnsafeRawBufferPointer) -> Int64? {
        guard value.count >= 7, value.count <= 15 else { return nil }
        var number: Int64 = 0
        var part: Int64 = 0
        var digitCount = 0
        var partCount = 0
        for byte in value {
            if byte == UInt8(ascii: ".") {
                guard digitCount > 0 else { return nil }
                number = number << 8 | part
                part = 0
                digitCount = 0
                partCount += 1
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9, digitCount == 0 || part > 0 else { return nil }
            part = part * 10 + Int64(digit)
            digitCount += 1
            guard part <= 255 else { return nil }
        }
        return partCount == 3 && digitCount > 0 ? number << 8 | part : nil
    }

    /// Numbers with the same count of digits after the point, as whole numbers of that unit.
    static func decimals(_ values: ByteStrings) -> (scale: Int, numbers: [Int64])? {
        guard values.count > 0, let point = values[0].firstIndex(of: UInt8(ascii: ".")) else { return nil }
        let scale = values[0].count - point - 1
        guard scale >= 1, scale <= 9 else { return nil }
        var numbers: [Int64] = []
        for index in 0..<values.count {
            guard let number = Self.decimal(values[index], scale: scale) else { return nil }
            numbers.append(number)
        }
        return (scale, numbers)
    }

    private static func decimal(_ value: UnsafeRawBufferPointer, scale: Int) -> Int64? {
        let point = value.count - scale - 1
        guard point >= 1, value.count <= 18, value[point] == UInt8(ascii: ".") else { return nil }
        let isNegative = value[0] == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard point > start, value[start] != UInt8(ascii: "0") || point == start + 1 else { return nil }
        var number: Int64 = 0
        var index = start
        while index < value.count {
            if index != point {
                let digit = value[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                number = number * 10 + Int64(digit)
            }
            index += 1
        }
        // A negative zero would come back without its sign.
        return isNegative ? (number == 0 ? nil : -number) : number
    }

    /// Digits, as many in every value, leading zeros and all.
    static func paddedIntegers(_ values: ByteStrings) -> (digitCount: Int, numbers: [Int64])? {
        guard values.count > 0, (2...18).contains(values[0].count) else { return nil }
        let digitCount = values[0].count
        var numbers: [Int64] = []
        for index in 0..<values.count {
            let value = values[index]
            guard value.count == digitCount else { return nil }
            var number: Int64 = 0
            for byte in value {
                let digit = byte &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                number = number * 10 + Int64(digit)
            }
            numbers.append(number)
        }
        return (digitCount, numbers)
    }
}
