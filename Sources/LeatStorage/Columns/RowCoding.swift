internal import LeatCore

/// Rows as bytes for the journal: column by column, without looking for the smallest form.
///
/// Written and read once or twice in their life, so speed counts more than size; LZ4 over all of it follows.
enum RowCoding {
    private static let plain: UInt8 = 0
    private static let constant: UInt8 = 1
    private static let integer: UInt8 = 2

    static func append(_ batch: Batch, to bytes: inout ByteWriter) throws(DamagedBlock) {
        bytes.append(varint: batch.rowCount)
        Self.append(differences: batch.timestamps, to: &bytes)
        let names = batch.fieldNames.filter { !StoredFields.isImplied($0) && !StoredFields.isOwn($0) }
        bytes.append(varint: names.count)
        for name in names {
            guard let column = try batch.column(name) else { preconditionFailure("field '\(name)' without a column") }
            bytes.append(counted: name)
            Self.append(column, to: &bytes)
        }
    }

    private static func append(differences values: [Int64], to bytes: inout ByteWriter) {
        var before: Int64 = 0
        for value in values {
            bytes.append(signed: value &- before)
            before = value
        }
    }

    private static func append(_ column: Column, to bytes: inout ByteWriter) {
        if let presence = column.presence {
            bytes.append(byte: 1)
            for word in presence.words { bytes.append(word) }
        } else {
            bytes.append(byte: 0)
        }
        if case .integer(let column) = column {
            bytes.append(byte: Self.integer)
            Self.append(differences: column.values, to: &bytes)
            return
        }
        if case .constant(let column) = column {
            bytes.append(byte: Self.constant)
            bytes.append(varint: column.value.count)
            bytes.append(column.value)
            return
        }
        let values = column.strings
        if column.presence == nil, Self.isConstant(values) {
            bytes.append(byte: Self.constant)
            bytes.append(varint: values[0].count)
            bytes.append(values[0])
            return
        }
        bytes.append(byte: Self.plain)
        for index in 0..<values.count {
            bytes.append(varint: UInt64(values.offsets[index + 1] - values.offsets[index]))
        }
        bytes.append(values.bytes)
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
            columns.append((name, try Self.column(rowCount: rowCount, from: &bytes)))
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

    private static func column(rowCount: Int, from bytes: inout ByteReader) throws(FormatError) -> Column {
        var presence: Bitmap?
        if try bytes.readByte() == 1 {
            var words: [UInt64] = []
            for _ in 0..<(rowCount + 63) / 64 { words.append(try bytes.read(UInt64.self)) }
            presence = Bitmap(words: words, count: rowCount)
        }
        switch try bytes.readByte() {
        case Self.integer:
            let values = try Self.readDifferences(rowCount, from: &bytes)
            return .integer(IntegerColumn(values: values, presence: presence))
        case Self.constant:
            let value = try bytes.readCounted()
            return .constant(ConstantColumn(value: value, rowCount: rowCount, presence: presence))
        case Self.plain:
            var offsets: [UInt32] = [0]
            offsets.reserveCapacity(rowCount + 1)
            var total = 0
            for _ in 0..<rowCount {
                total += try bytes.readCount(limit: bytes.remaining - min(total, bytes.remaining))
                offsets.append(UInt32(truncatingIfNeeded: total))
            }
            guard total <= Int(UInt32.max) else { throw bytes.fail("column of \(total) bytes") }
            let values = ByteStrings(offsets: offsets, bytes: try bytes.readSlice(total))
            return .plain(PlainColumn(values: values, presence: presence))
        case let form:
            throw bytes.fail("unknown column form \(form)")
        }
    }
}
