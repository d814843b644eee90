internal import LeatCore

/// Reads what `ColumnEncoder` wrote.
enum ColumnDecoder {
    /// The column of a page of `rowCount` rows.
    static func column(_ bytes: ByteSlice, rowCount: Int) throws(FormatError) -> Column {
        var page = try PageReader(bytes)
        var presence: Bitmap?
        switch try page.structure.readByte() {
        case 0: break
        case 1:
            var words: [UInt64] = []
            for _ in 0..<(rowCount + 63) / 64 { words.append(try page.packed.read(UInt64.self)) }
            presence = Bitmap(words: words, count: rowCount)
        case let form: throw page.structure.fail("unknown presence form \(form)")
        }
        let dense = try Self.values(count: presence?.setCount ?? rowCount, from: &page)
        try page.structure.expectEnd()
        guard let presence else { return dense }
        return dense.spread(over: presence)
    }

    /// `count` values, all of them present.
    private static func values(count: Int, from page: inout PageReader) throws(FormatError) -> Column {
        let kind = try page.structure.readByte()
        switch ColumnKind(rawValue: kind) {
        case .constant:
            let value = try page.text.readSlice(try page.structure.readCount(limit: page.text.remaining))
            return .constant(ConstantColumn(value: value, rowCount: count))
        case .dictionary:
            return try Self.dictionary(count: count, from: &page)
        case .integer:
            return .integer(IntegerColumn(values: try IntegerPacking.read(count: count, from: &page)))
        case .plain:
            return .plain(PlainColumn(values: try Self.strings(count: count, from: &page)))
        case nil:
            throw page.structure.fail("unknown encoding \(kind)")
        }
    }

    private static func dictionary(count: Int, from page: inout PageReader) throws(FormatError) -> Column {
        let distinctCount = try page.structure.readCount(limit: Batch.rowCountMax)
        guard distinctCount > 0 else { throw page.structure.fail("empty dictionary") }
        let texts = try Self.strings(count: distinctCount, from: &page)
        let numbers = try IntegerPacking.read(count: count, from: &page)
        var codes: [UInt16] = []
        codes.reserveCapacity(count)
        for number in numbers {
            guard number >= 0, number < distinctCount else {
                throw page.structure.fail("code \(number) of \(distinctCount)")
            }
            codes.append(UInt16(number))
        }
        return .dictionary(DictionaryColumn(values: texts, codes: codes))
    }

    private static func strings(count: Int, from page: inout PageReader) throws(FormatError) -> ByteStrings {
        let lengths = try IntegerPacking.read(count: count, from: &page)
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(count + 1)
        var total = 0
        for length in lengths {
            guard length >= 0, length <= page.text.remaining - total else {
                throw page.structure.fail("value of \(length) bytes")
            }
            total += Int(length)
            offsets.append(UInt32(total))
        }
        return ByteStrings(offsets: offsets, bytes: try page.text.readSlice(total))
    }
}

extension Column {
    /// The column with its values, all present, put at the rows of `presence`.
    fileprivate func spread(over presence: Bitmap) -> Column {
        switch self {
        case .constant(let column):
            return .constant(ConstantColumn(value: column.value, rowCount: presence.count, presence: presence))
        case .dictionary(let column):
            var codes = [UInt16](repeating: 0, count: presence.count)
            var next = 0
            presence.forEachSet { row in
                codes[row] = column.codes[next]
                next += 1
            }
            return .dictionary(DictionaryColumn(values: column.values, codes: codes, presence: presence))
        case .integer(let column):
            var values = [Int64](repeating: 0, count: presence.count)
            var next = 0
            presence.forEachSet { row in
                values[row] = column.values[next]
                next += 1
            }
            return .integer(IntegerColumn(values: values, presence: presence))
        case .plain(let column):
            var offsets = [UInt32](repeating: 0, count: presence.count + 1)
            var next = 0
            for row in 0..<presence.count {
                if presence[row] { next += 1 }
                offsets[row + 1] = column.values.offsets[next]
            }
            let values = ByteStrings(offsets: offsets, bytes: column.values.bytes)
            return .plain(PlainColumn(values: values, presence: presence))
        }
    }
}
