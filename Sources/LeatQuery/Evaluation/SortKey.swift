internal import LeatCore

/// One value by which rows are ordered, reduced to what comparing needs.
enum SortKey: Hashable, Sendable {
    case number(Double)
    case text([UInt8])
    /// No value, or none of the wanted type: after all others, in either direction.
    case missing

    /// Whether `self` comes before (-1), with (0) or after (1) `other` when `isDescending` or not.
    func compare(_ other: SortKey, isDescending: Bool) -> Int {
        switch (self, other) {
        case (.number(let left), .number(let right)):
            if left == right { return 0 }
            return (left < right) != isDescending ? -1 : 1
        case (.text(let left), .text(let right)):
            if left == right { return 0 }
            return left.lexicographicallyPrecedes(right) != isDescending ? -1 : 1
        default:
            return self.rank < other.rank ? -1 : self.rank == other.rank ? 0 : 1
        }
    }

    private var rank: Int {
        switch self {
        case .number: 0
        case .text: 1
        case .missing: 2
        }
    }
}

/// How one field orders rows.
struct SortOrder: Hashable, Sendable {
    enum Kind: String, Sendable {
        /// Numbers; everything else comes last.
        case number
        /// Bytes.
        case string
        /// Hexadecimal numbers with or without `0x`; everything else comes last.
        case hex
        /// Numbers before texts: what is used when nothing is said (specification 9.4, [M]).
        case any
    }

    var field: String
    var kind: Kind
    var isDescending: Bool

    /// The key of a value.
    func key(_ value: UnsafeRawBufferPointer) -> SortKey {
        switch self.kind {
        case .number: NumberText.parse(value).map { .number($0) } ?? .missing
        case .string: .text(Array(value))
        case .hex: Self.hexNumber(value).map { .number($0) } ?? .missing
        case .any: NumberText.parse(value).map { .number($0) } ?? .text(Array(value))
        }
    }

    private static func hexNumber(_ value: UnsafeRawBufferPointer) -> Double? {
        var text = Substring(String(decoding: value, as: UTF8.self))
        if text.hasPrefix("0x") || text.hasPrefix("0X") { text = text.dropFirst(2) }
        return UInt64(text, radix: 16).map { Double($0) }
    }

    /// The keys of a column's rows, made when asked for; those of a dictionary once.
    func keys(of column: Column?) -> SortKeys {
        guard let column else { return SortKeys(column: nil, order: self, distinct: nil) }
        var distinct: [SortKey]?
        switch column {
        case .constant(let constant):
            distinct = [constant.value.withUnsafeBytes { self.key($0) }]
        case .dictionary(let dictionary):
            distinct = (0..<dictionary.values.count).map { self.key(dictionary.values[$0]) }
        case .integer, .plain, .number, .identifier, .prefixed, .reference, .template:
            distinct = nil
        }
        return SortKeys(column: column, order: self, distinct: distinct)
    }
}

/// The sort keys of one column.
struct SortKeys {
    let column: Column?
    let order: SortOrder
    let distinct: [SortKey]?

    subscript(row: Int) -> SortKey {
        guard let column = self.column, column.isPresent(at: row) else { return .missing }
        switch column {
        case .constant: return self.distinct?[0] ?? .missing
        case .dictionary(let dictionary): return self.distinct?[Int(dictionary.codeList[row])] ?? .missing
        case .integer(let integers) where self.order.kind == .number || self.order.kind == .any:
            return .number(Double(integers.values[row]))
        case .number(let numbers) where self.order.kind == .number || self.order.kind == .any:
            guard let scale = numbers.form.scale else { return column.withBytes(at: row) { self.order.key($0) } }
            return .number(NumberText.value(numbers.numbers[row], scale: scale))
        case .integer, .plain, .number, .identifier, .prefixed, .reference, .template:
            return column.withBytes(at: row) { self.order.key($0) }
        }
    }
}
