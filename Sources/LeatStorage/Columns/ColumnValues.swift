internal import Glibc
internal import LeatCore

extension Column {
    /// Bytes of all values that are present.
    var valueByteCount: Int {
        switch self {
        case .constant(let column): column.value.count * (column.presence?.setCount ?? column.rowCount)
        case .integer(let column): 8 * column.values.count
        case .dictionary(let column):
            column.codes.reduce(0) { $0 + Int(column.values.offsets[Int($1) + 1] - column.values.offsets[Int($1)]) }
        case .plain(let column): column.values.bytes.count
        case .number, .identifier, .prefixed, .reference, .template: self.textByteCountBound
        }
    }
}

extension Column {
    /// The numbers of a column whose values are all integers; `nil` for other columns.
    var integers: [Int64]? {
        if case .integer(let column) = self { return column.values }
        return ColumnEncoder.integers(self.strings)
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
