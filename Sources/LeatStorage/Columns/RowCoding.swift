internal import LeatCore

/// Rows as bytes for the journal: column by column, without looking for the smallest form.
///
/// Written and read once or twice in their life, so speed counts more than size; LZ4 over all of it follows.
enum RowCoding {
    private static let plain: UInt8 = 0
    private static let constant: UInt8 = 1
    private static let integer: UInt8 = 2
    /// Another field of the rows under a second name.
    private static let twin: UInt8 = 3
    private static let dictionary: UInt8 = 4

    static func append(_ batch: Batch, to bytes: inout ByteWriter) throws(DamagedBlock) {
        bytes.append(varint: batch.rowCount)
        Self.append(differences: batch.timestamps, to: &bytes)
        var columns: [(name: String, column: Column)] = []
        for name in batch.fieldNames where !StoredFields.isImplied(name) && !StoredFields.isOwn(name) {
            guard let column = try batch.column(name) else { preconditionFailure("field '\(name)' without a column") }
            columns.append((name, column))
        }
        bytes.bytes.reserveCapacity(bytes.count + columns.reduce(16) { $0 + Self.byteCountBound($1.name, $1.column) })
        bytes.append(varint: columns.count)
        for (index, field) in columns.enumerated() {
            bytes.append(counted: field.name)
            if let twin = columns[..<index].firstIndex(where: { $0.column.isSameMemory(as: field.column) }) {
                bytes.append(byte: 0)
                bytes.append(byte: Self.twin)
                bytes.append(varint: twin)
            } else {
                Self.append(field.column, to: &bytes)
            }
        }
    }

    /// About as much room as a field takes; too little costs time only.
    private static func byteCountBound(_ name: String, _ column: Column) -> Int {
        let values =
            switch column {
            case .plain(let column): column.values.bytes.count + 2 * column.values.count
            case .dictionary(let column): column.values.bytes.count + 2 * column.codes.count
            default: 4 * column.rowCount
            }
        return values + column.rowCount / 8 + name.utf8.count + 32
    }

    private static func append(differences values: [Int64], to bytes: inout ByteWriter) {
        var before: Int64 = 0
        for value in values {
            bytes.append(signed: value &- before)
            before = value
        }
    }

    private static func append(_ column: Column, to bytes: inout ByteWriter) {
        switch column {
        case .integer(let integers):
            Self.append(column.presence, to: &bytes)
            bytes.append(byte: Self.integer)
            Self.append(differences: integers.values, to: &bytes)
        case .constant(let constant):
            Self.append(constant: constant.value.unsafeBytes, column.presence, to: &bytes)
        case .dictionary(let dictionary) where dictionary.values.count > 1:
            Self.append(column.presence, to: &bytes)
            bytes.append(byte: Self.dictionary)
            bytes.append(varint: dictionary.values.count)
            Self.append(dictionary.values, to: &bytes)
            Self.append(codes: dictionary.codes, of: dictionary.values.count, to: &bytes)
        case .dictionary(let dictionary):
            Self.append(constant: dictionary.values[0], column.presence, to: &bytes)
        default:
            let values = column.strings
            if column.presence == nil, Self.isConstant(values) {
                Self.append(constant: values[0], nil, to: &bytes)
                return
            }
            Self.append(column.presence, to: &bytes)
            bytes.append(byte: Self.plain)
            Self.append(values, to: &bytes)
        }
    }

    private static func append(_ presence: Bitmap?, to bytes: inout ByteWriter) {
        bytes.append(byte: presence == nil ? 0 : 1)
        for word in presence?.words ?? [] { bytes.append(word) }
    }

    private static func append(
        constant value: UnsafeRawBufferPointer,
        _ presence: Bitmap?,
        to bytes: inout ByteWriter
    ) {
        Self.append(presence, to: &bytes)
        bytes.append(byte: Self.constant)
        bytes.append(varint: value.count)
        bytes.append(value)
    }

    /// Lengths, then all bytes.
    private static func append(_ values: ByteStrings, to bytes: inout ByteWriter) {
        values.offsets.withUnsafeBufferPointer { offsets in
            for index in 1..<offsets.count { bytes.append(varint: UInt64(offsets[index] &- offsets[index - 1])) }
        }
        bytes.append(values.bytes)
    }

    /// A byte per row, or two if there are more than 256 texts.
    private static func append(codes: [UInt16], of textCount: Int, to bytes: inout ByteWriter) {
        if textCount <= 256 {
            bytes.bytes.append(contentsOf: codes.lazy.map { UInt8(truncatingIfNeeded: $0) })
        } else {
            for code in codes { bytes.append(code) }
        }
    }

    private static func isConstant(_ values: ByteStrings) -> Bool {
        guard values.count > 1 else { return false }
        let first = values[0]
        for index in 1..<values.count where !ByteHash.equal(values[index], first) { return false }
        return true
    }

    static func batch(from bytes: inout ByteReader) throws(FormatError) -> Batch {
        let rowCount = try bytes.readCount(limit: Batch.rowCountMax)
        let timestamps = try Self.readDifferences(rowCount, from: &bytes)
        var columns: [(name: String, column: Column)] = []
        var names: Set<String> = []
        for _ in 0..<(try bytes.readCount(limit: bytes.remaining)) {
            let name = try bytes.readText()
            guard names.insert(name).inserted else { throw bytes.fail("field '\(name)' occurs twice") }
            columns.append((name, try Self.column(rowCount: rowCount, columns, from: &bytes)))
        }
        return Batch(timestamps: timestamps, source: MemoryColumns(columns))
    }

    private static func readDifferences(_ count: Int, from bytes: inout ByteReader) throws(FormatError) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        var value: Int64 = 0
        for _ in 0..<count {
            value &+= try bytes.readSigned()
            values.append(value)
        }
        return values
    }

    private static func column(
        rowCount: Int,
        _ others: [(name: String, column: Column)],
        from bytes: inout ByteReader
    ) throws(FormatError) -> Column {
        var presence: Bitmap?
        if try bytes.readByte() == 1 {
            var words: [UInt64] = []
            for _ in 0..<(rowCount + 63) / 64 { words.append(try bytes.read(UInt64.self)) }
            presence = Bitmap(words: words, count: rowCount)
        }
        switch try bytes.readByte() {
        case Self.twin:
            let index = try bytes.readCount(limit: others.count)
            guard index < others.count else { throw bytes.fail("another name of field \(index) of \(others.count)") }
            return others[index].column
        case Self.integer:
            let values = try Self.readDifferences(rowCount, from: &bytes)
            return .integer(IntegerColumn(values: values, presence: presence))
        case Self.constant:
            let value = try bytes.readCounted()
            return .constant(ConstantColumn(value: value, rowCount: rowCount, presence: presence))
        case Self.plain:
            return .plain(PlainColumn(values: try Self.strings(rowCount, from: &bytes), presence: presence))
        case Self.dictionary:
            let textCount = try bytes.readCount(limit: Batch.rowCountMax)
            let texts = try Self.strings(textCount, from: &bytes)
            let codes = try Self.codes(rowCount, of: textCount, from: &bytes)
            return .dictionary(DictionaryColumn(values: texts, codes: codes, presence: presence))
        case let form:
            throw bytes.fail("unknown column form \(form)")
        }
    }

    private static func strings(_ count: Int, from bytes: inout ByteReader) throws(FormatError) -> ByteStrings {
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(count + 1)
        var total = 0
        for _ in 0..<count {
            total += try bytes.readCount(limit: bytes.remaining - min(total, bytes.remaining))
            offsets.append(UInt32(truncatingIfNeeded: total))
        }
        guard total <= Int(UInt32.max) else { throw bytes.fail("column of \(total) bytes") }
        return ByteStrings(offsets: offsets, bytes: try bytes.readSlice(total))
    }

    private static func codes(
        _ count: Int,
        of textCount: Int,
        from bytes: inout ByteReader
    ) throws(FormatError) -> [UInt16] {
        var codes: [UInt16] = []
        codes.reserveCapacity(count)
        for _ in 0..<count {
            let code = textCount <= 256 ? UInt16(try bytes.readByte()) : try bytes.read(UInt16.self)
            guard code < textCount else { throw bytes.fail("code \(code) of \(textCount)") }
            codes.append(code)
        }
        return codes
    }
}
