internal import LeatCore

extension Column {
    /// The values of `new` at the rows `rows`, and those of `old` at all others.
    ///
    /// At a row of `rows` where `new` has no value, there is none in the result.
    static func merged(old: Column?, new: Column?, where rows: Bitmap) -> Column? {
        guard let new else {
            guard let old else { return nil }
            var others = rows
            others.invert()
            return old.restricted(to: others)
        }
        guard let old else { return new.restricted(to: rows) }
        if rows.isFull { return new }
        var presence = new.presentRows
        presence.formIntersection(rows)
        var kept = old.presentRows
        kept.subtract(rows)
        presence.formUnion(kept)
        let isFull = presence.isFull
        if let shared = Self.mergedCodes(old: old, new: new, where: rows) {
            return .dictionary(
                DictionaryColumn(values: shared.values, codes: shared.codes, presence: isFull ? nil : presence)
            )
        }
        var builder = TextColumnBuilder(rowCapacity: new.rowCount)
        for row in 0..<new.rowCount {
            guard presence[row] else {
                builder.appendEmpty()
                continue
            }
            if rows[row] {
                new.withBytes(at: row) { builder.append($0) }
            } else {
                old.withBytes(at: row) { builder.append($0) }
            }
        }
        return .plain(PlainColumn(values: builder.finish(), presence: isFull ? nil : presence))
    }

    /// Both columns' few texts in one dictionary, which stays a dictionary.
    private static func mergedCodes(
        old: Column,
        new: Column,
        where rows: Bitmap
    ) -> (values: ByteStrings, codes: [UInt16])? {
        guard let first = old.coded, let second = new.coded,
            first.values.count + second.values.count <= min(Batch.rowCountMax, rows.count)
        else { return nil }
        let offset = UInt16(first.values.count)
        var builder = TextColumnBuilder(rowCapacity: first.values.count + second.values.count)
        for index in 0..<first.values.count { builder.append(first.values[index]) }
        for index in 0..<second.values.count { builder.append(second.values[index]) }
        let codes = (0..<rows.count).map { rows[$0] ? second.codes[$0] + offset : first.codes[$0] }
        return (builder.finish(), codes)
    }

    /// A constant or dictionary column as texts and codes.
    fileprivate var coded: (values: ByteStrings, codes: [UInt16])? {
        switch self {
        case .constant(let column):
            let values = ByteStrings(offsets: [0, UInt32(column.value.count)], bytes: column.value)
            return (values, [UInt16](repeating: 0, count: column.rowCount))
        case .dictionary(let column): return (column.values, column.codes)
        case .integer, .plain, .number, .identifier, .prefixed, .reference, .template: return nil
        }
    }

    /// The values as texts in memory, so that they can be pointed at.
    var addressable: Column {
        switch self {
        case .constant, .dictionary, .plain: self
        case .integer, .number, .identifier, .prefixed, .reference, .template: self.decoded()
        }
    }

    /// The text of a row of an addressable column; valid while the column lives.
    func pointer(at row: Int) -> UnsafeRawBufferPointer? {
        guard self.isPresent(at: row) else { return nil }
        switch self {
        case .constant(let column): return column.value.unsafeBytes
        case .dictionary(let column): return column.values[Int(column.codeList[row])]
        case .plain(let column): return column.values[row]
        case .integer, .number, .identifier, .prefixed, .reference, .template:
            preconditionFailure("a column that is not addressable has no texts to point at")
        }
    }
}
