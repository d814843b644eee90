internal import LeatCore

extension Column {
    /// Calls `body` with the text of a row that has the field; the bytes are valid during the call.
    @inline(__always)
    func withBytes<Result, Failure: Error>(
        at row: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self {
        case .constant(let column): try column.value.withUnsafeBytes(body)
        case .dictionary(let column): try body(column.values[Int(column.codeList[row])])
        case .integer(let column): try NumberText.withDecimal(column.values[row], body)
        case .plain(let column): try body(column.values[row])
        case .number, .identifier, .prefixed, .reference, .template: try self.withText(at: row, body)
        }
    }

    /// The text of a row, `nil` when the field is absent.
    func text(at row: Int) -> String? {
        guard self.isPresent(at: row) else { return nil }
        return self.withBytes(at: row) { String(decoding: $0, as: UTF8.self) }
    }

    /// The text of a row as bytes, `nil` when the field is absent.
    func bytes(at row: Int) -> [UInt8]? {
        guard self.isPresent(at: row) else { return nil }
        return self.withBytes(at: row) { Array($0) }
    }

    /// The rows that have the field.
    var presentRows: Bitmap { self.presence ?? Bitmap(repeating: true, count: self.rowCount) }

    /// A column of one text in every row.
    static func constant(_ text: String, rowCount: Int) -> Column {
        .constant(ConstantColumn(value: ByteSlice(text), rowCount: rowCount))
    }

    /// The same column with fewer rows that have the field.
    func restricted(to rows: Bitmap) -> Column {
        var presence = rows
        if let own = self.presence { presence.formIntersection(own) }
        return self.with(presence: presence)
    }

    /// The rows of `rows`, in that order, possibly repeated.
    func gathered(_ rows: [Int32]) -> Column {
        let presence = self.presence.map { own in
            Bitmap(count: rows.count) { own[Int(rows[$0])] }
        }
        switch self {
        case .constant(let column):
            return .constant(ConstantColumn(value: column.value, rowCount: rows.count, presence: presence))
        case .dictionary(let column):
            if rows.count * 4 < column.values.count { return self.gatheredPlain(rows, presence: presence) }
            let codes = rows.map { column.codeList[Int($0)] }
            return .dictionary(DictionaryColumn(values: column.values, codes: codes, presence: presence))
        case .integer(let column):
            return .integer(IntegerColumn(values: rows.map { column.values[Int($0)] }, presence: presence))
        case .number(let column):
            let numbers = NumberList.array(rows.map { column.numbers[Int($0)] })
            return .number(NumberColumn(form: column.form, numbers: numbers, presence: presence))
        case .prefixed(let column):
            let rest = column.rest.gathered(rows).with(presence: presence)
            return .prefixed(PrefixedColumn(prefix: column.prefix, rest: rest))
        case .plain, .identifier, .reference, .template:
            return self.gatheredPlain(rows, presence: presence)
        }
    }

    /// Few rows of many texts: only these texts are copied.
    private func gatheredPlain(_ rows: [Int32], presence: Bitmap?) -> Column {
        var builder = TextColumnBuilder(rowCapacity: rows.count)
        if case .plain(let column) = self {
            for row in rows { builder.append(column.values[Int(row)]) }
            return .plain(PlainColumn(values: builder.finish(), presence: presence))
        }
        return .plain(PlainColumn(values: self.strings(of: rows), presence: presence))
    }
}

/// Texts in the making, end to end.
struct TextColumnBuilder {
    private var offsets: [UInt32] = [0]
    private var bytes: [UInt8] = []

    init(rowCapacity: Int) { self.offsets.reserveCapacity(rowCapacity + 1) }

    var count: Int { self.offsets.count - 1 }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: text)
        self.offsets.append(UInt32(self.bytes.count))
    }

    mutating func append(_ text: [UInt8]) {
        self.bytes.append(contentsOf: text)
        self.offsets.append(UInt32(self.bytes.count))
    }

    /// An empty text, where the field is absent.
    mutating func appendEmpty() { self.offsets.append(UInt32(self.bytes.count)) }

    /// Takes away the text that was appended last.
    mutating func removeLast() {
        self.offsets.removeLast()
        self.bytes.removeLast(self.bytes.count - Int(self.offsets[self.offsets.count - 1]))
    }

    mutating func finish() -> ByteStrings {
        let result = ByteStrings(offsets: self.offsets, bytes: ByteSlice(self.bytes))
        self = TextColumnBuilder(rowCapacity: 0)
        return result
    }
}
