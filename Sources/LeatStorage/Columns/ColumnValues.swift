internal import Glibc
internal import LeatCore

extension Column {
    /// One text per row, empty where the field is absent; the simple form of every encoding.
    var strings: ByteStrings {
        switch self {
        case .plain(let column): return column.values
        case .constant(let column):
            let code = [Int](repeating: 0, count: column.rowCount)
            return ByteStrings(offsets: [0, UInt32(column.value.count)], bytes: column.value).gathered(code)
        case .dictionary(let column):
            return column.values.gathered(column.codes.lazy.map(Int.init))
        case .integer(let column):
            var offsets: [UInt32] = [0]
            var bytes: [UInt8] = []
            for value in column.values {
                DecimalText.append(value, to: &bytes)
                offsets.append(UInt32(bytes.count))
            }
            return ByteStrings(offsets: offsets, bytes: ByteSlice(bytes))
        }
    }

    /// Bytes of all values that are present.
    var valueByteCount: Int {
        switch self {
        case .constant(let column): column.value.count * (column.presence?.setCount ?? column.rowCount)
        case .integer(let column): 8 * column.values.count
        case .dictionary(let column):
            column.codes.reduce(0) { $0 + Int(column.values.offsets[Int($1) + 1] - column.values.offsets[Int($1)]) }
        case .plain(let column): column.values.bytes.count
        }
    }
}

extension Column {
    /// The numbers of a column whose values are all integers; `nil` for other columns.
    var integers: [Int64]? {
        switch self {
        case .integer(let column): column.values
        case .constant(let column):
            column.value.withUnsafeBytes { DecimalText.value($0) }.map { Array(repeating: $0, count: column.rowCount) }
        case .dictionary, .plain:
            Self.integers(self.strings)
        }
    }

    private static func integers(_ strings: ByteStrings) -> [Int64]? {
        var numbers: [Int64] = []
        for index in 0..<strings.count {
            guard let number = DecimalText.value(strings[index]) else { return nil }
            numbers.append(number)
        }
        return numbers
    }
}

/// Integers as decimal text.
enum DecimalText {
    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// The number that has exactly this text as its shortest form; `nil` when there is none.
    static func value(_ text: UnsafeRawBufferPointer) -> Int64? {
        var index = 0
        let isNegative = text.count > 1 && text[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        guard index < text.count, text.count - index <= 18 else { return nil }
        if text[index] == UInt8(ascii: "0") { return text.count == 1 ? 0 : nil }
        var value: Int64 = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
            index += 1
        }
        return isNegative ? -value : value
    }
}
