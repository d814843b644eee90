internal import LeatCore

/// The values of an expression for all rows of a batch.
enum Vector {
    /// No row has a value.
    case null
    /// Every row has this text, which may look like a number.
    case literal([UInt8], Double?)
    /// Texts; absent is no value.
    case column(Column)
    /// Numbers, and the rows that have one (`nil`: all).
    case numbers([Double], Bitmap?)
    /// The rows for which it is true, and those that have a value (`nil`: all).
    case booleans(Bitmap, Bitmap?)

    /// The numbers, with the rows that have one.
    func numbers(rowCount: Int) -> (values: Numbers, valid: Bitmap?) {
        switch self {
        case .null, .literal(_, nil), .booleans:
            return (.one(0), Bitmap(repeating: false, count: rowCount))
        case .literal(_, let number?): return (.one(number), nil)
        case .numbers(let values, let valid): return (.each(values), valid)
        case .column(let column):
            let (values, valid) = column.numbers()
            return (.each(values), valid)
        }
    }

    /// One number for all rows, or one for each.
    enum Numbers {
        case one(Double)
        case each([Double])

        @inline(__always)
        subscript(row: Int) -> Double {
            switch self {
            case .one(let value): value
            case .each(let values): values[row]
            }
        }
    }

    /// The rows that have a value; `nil` means all.
    func valid(rowCount: Int) -> Bitmap? {
        switch self {
        case .null: Bitmap(repeating: false, count: rowCount)
        case .literal: nil
        case .column(let column): column.presence
        case .numbers(_, let valid), .booleans(_, let valid): valid
        }
    }

    /// The rows for which the value counts as true: `true`, in any case of letters, or a number other than 0.
    func truth(rowCount: Int) throws(QueryFailure) -> Bitmap {
        switch self {
        case .null: return Bitmap(repeating: false, count: rowCount)
        case .booleans(var rows, let valid):
            if let valid { rows.formIntersection(valid) }
            return rows
        case .literal(let text, _):
            return Bitmap(repeating: text.withUnsafeBytes { Self.isTrue($0) == true }, count: rowCount)
        case .numbers(let values, let valid):
            return Bitmap(within: valid, count: rowCount) { values[$0] != 0 }
        case .column(let column):
            let present = column.presence
            return Bitmap(within: present, count: rowCount) { row in
                column.withBytes(at: row) { Self.isTrue($0) == true }
            }
        }
    }

    /// Whether a text is a truth value, and which; `nil` when it is neither a truth value nor a number.
    static func isTrue(_ text: UnsafeRawBufferPointer) -> Bool? {
        if text.isEqual(to: "true") { return true }
        if text.isEqual(to: "false") { return false }
        return NumberText.parse(text).map { $0 != 0 }
    }

    /// The values as texts; `nil` when no row has one.
    func column(rowCount: Int) -> Column? {
        switch self {
        case .null: return nil
        case .column(let column): return column
        case .literal(let text, _):
            return .constant(ConstantColumn(value: ByteSlice(text), rowCount: rowCount))
        case .numbers(let values, let valid):
            return Self.column(of: values, valid)
        case .booleans(let rows, let valid):
            let codes = (0..<rowCount).map { rows[$0] ? UInt16(1) : 0 }
            let values = ByteStrings([Array("false".utf8), Array("true".utf8)])
            return .dictionary(DictionaryColumn(values: values, codes: codes, presence: valid))
        }
    }

    private static func column(of values: [Double], _ valid: Bitmap?) -> Column {
        var integers: [Int64] = []
        integers.reserveCapacity(values.count)
        for (row, value) in values.enumerated() {
            guard valid?[row] ?? true else {
                integers.append(0)
                continue
            }
            guard let integer = Int64(exactly: value), value != 0 || value.sign == .plus else { break }
            integers.append(integer)
        }
        if integers.count == values.count { return .integer(IntegerColumn(values: integers, presence: valid)) }
        var builder = TextColumnBuilder(rowCapacity: values.count)
        var scratch: [UInt8] = []
        for (row, value) in values.enumerated() {
            scratch.removeAll(keepingCapacity: true)
            if valid?[row] ?? true { NumberText.append(value, to: &scratch) }
            builder.append(scratch)
        }
        return .plain(PlainColumn(values: builder.finish(), presence: valid))
    }
}

extension Column {
    /// The values as numbers, and the rows that have one (`nil`: all).
    func numbers() -> (values: [Double], valid: Bitmap?) {
        switch self {
        case .integer(let column):
            return (column.values.map { Double($0) }, column.presence)
        case .constant(let column):
            guard let number = column.value.withUnsafeBytes({ NumberText.parse($0) }) else {
                return ([Double](repeating: 0, count: self.rowCount), Bitmap(repeating: false, count: self.rowCount))
            }
            return ([Double](repeating: number, count: self.rowCount), column.presence)
        case .dictionary(let column):
            let numbers = (0..<column.values.count).map { NumberText.parse(column.values[$0]) }
            let values = column.codes.map { numbers[Int($0)] ?? 0 }
            guard numbers.contains(where: { $0 == nil }) else { return (values, column.presence) }
            let codes = column.codes
            return (values, Bitmap(within: column.presence, count: codes.count) { numbers[Int(codes[$0])] != nil })
        case .number(let column):
            guard let scale = column.form.scale else {
                return ([Double](repeating: 0, count: self.rowCount), Bitmap(repeating: false, count: self.rowCount))
            }
            return (column.values.map { NumberText.value($0, scale: scale) }, column.presence)
        case .plain, .identifier, .prefixed, .reference, .template:
            let strings = self.strings
            var values = [Double](repeating: 0, count: strings.count)
            let valid = Bitmap(within: self.presence, count: values.count) { row in
                guard let number = NumberText.parse(strings[row]) else { return false }
                values[row] = number
                return true
            }
            return (values, valid.isFull ? nil : valid)
        }
    }
}

extension Bitmap {
    /// The rows that are in both; `nil` means all.
    static func intersection(_ left: Bitmap?, _ right: Bitmap?) -> Bitmap? {
        guard var result = left else { return right }
        if let right { result.formIntersection(right) }
        return result
    }
}
