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
        case .dictionary(let column): try body(column.values[Int(column.codes[row])])
        case .integer(let column): try NumberText.withDecimal(column.values[row], body)
        case .plain(let column): try body(column.values[row])
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
        switch self {
        case .constant(let column):
            return .constant(ConstantColumn(value: column.value, rowCount: column.rowCount, presence: presence))
        case .dictionary(let column):
            return .dictionary(DictionaryColumn(values: column.values, codes: column.codes, presence: presence))
        case .integer(let column):
            return .integer(IntegerColumn(values: column.values, presence: presence))
        case .plain(let column):
            return .plain(PlainColumn(values: column.values, presence: presence))
        }
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
            let codes = rows.map { column.codes[Int($0)] }
            return .dictionary(DictionaryColumn(values: column.values, codes: codes, presence: presence))
        case .integer(let column):
            return .integer(IntegerColumn(values: rows.map { column.values[Int($0)] }, presence: presence))
        case .plain:
            return self.gatheredPlain(rows, presence: presence)
        }
    }

    /// Few rows of many texts: only these texts are copied.
    private func gatheredPlain(_ rows: [Int32], presence: Bitmap?) -> Column {
        var builder = TextColumnBuilder(rowCapacity: rows.count)
        for row in rows {
            self.withBytes(at: Int(row)) { builder.append($0) }
        }
        return .plain(PlainColumn(values: builder.finish(), presence: presence))
    }
}

extension Bitmap {
    /// A bitmap from a test of each row.
    @inline(__always)
    init<Failure: Error>(count: Int, _ isSet: (Int) throws(Failure) -> Bool) throws(Failure) {
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for index in 0..<words.count {
            let base = index << 6
            var word: UInt64 = 0
            for bit in 0..<min(64, count - base) where try isSet(base + bit) {
                word |= 1 << UInt64(truncatingIfNeeded: bit)
            }
            words[index] = word
        }
        self.init(words: words, count: count)
    }

    /// The rows of `selection`, or all, that pass a test; rows outside are not tested.
    @inline(__always)
    init<Failure: Error>(
        within selection: Bitmap?,
        count: Int,
        _ isSet: (Int) throws(Failure) -> Bool
    ) throws(Failure) {
        guard let selection else {
            try self.init(count: count, isSet)
            return
        }
        var words = selection.words
        for index in 0..<words.count {
            var rest = words[index]
            var word: UInt64 = 0
            while rest != 0 {
                let bit = rest & (0 &- rest)
                if try isSet((index << 6) + rest.trailingZeroBitCount) { word |= bit }
                rest &= rest &- 1
            }
            words[index] = word
        }
        self.init(words: words, count: count)
    }

    /// The set rows, ascending.
    var rows: [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(self.setCount)
        self.forEachSet { result.append(Int32(truncatingIfNeeded: $0)) }
        return result
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
