internal import LeatCore

/// The texts of a field per row: one for each, or few distinct ones and a code for each.
struct RowTexts {
    /// A text per row, empty where the field is absent; with `codes` the distinct ones in order of first use.
    let strings: ByteStrings
    /// Per row the index of its text; of no meaning where the field is absent.
    let codes: [UInt16]?

    /// A text per row.
    init(_ strings: ByteStrings) {
        self.strings = strings
        self.codes = nil
    }

    init(_ column: Column) {
        if case .dictionary(let column) = column {
            self.strings = column.values
            self.codes = column.codes
        } else {
            self.strings = column.strings
            self.codes = nil
        }
    }

    /// No rows.
    static let none = RowTexts(ByteStrings([]))

    var rowCount: Int { self.codes?.count ?? self.strings.count }

    /// The text of a row that has the field; valid while this value lives.
    @inline(__always)
    subscript(row: Int) -> UnsafeRawBufferPointer {
        if let codes = self.codes { return self.strings[Int(codes[row])] }
        return self.strings[row]
    }

    /// No text has more bytes.
    var longestByteCount: Int { self.strings.longest }

    /// Bytes of the texts of all rows that have the field.
    func byteCount(_ presence: Bitmap?) -> Int {
        guard let codes = self.codes else { return self.strings.bytes.count }
        guard let presence else { return DistinctTexts(texts: self.strings, codes: codes).valueByteCount }
        var total = 0
        presence.forEachSet { total += self.strings[Int(codes[$0])].count }
        return total
    }

    /// Whether all rows have the same texts in the same form.
    func isEqual(to other: RowTexts) -> Bool {
        self.codes == other.codes && self.strings.isEqual(to: other.strings)
    }
}

extension ByteStrings {
    /// Whether all strings are the same.
    func isEqual(to other: ByteStrings) -> Bool {
        guard self.count == other.count, self.bytes.count == other.bytes.count else { return false }
        return self.isSameMemory(as: other) && self.offsets == other.offsets
            || self.offsets == other.offsets && ByteHash.equal(self.bytes.unsafeBytes, other.bytes.unsafeBytes)
    }
}

extension Column {
    /// Whether both are the same values in the same place in memory; others may be equal all the same.
    func isSameMemory(as other: Column) -> Bool {
        switch (self, other) {
        case (.plain(let left), .plain(let right)):
            return left.values.isSameMemory(as: right.values) && left.presence == right.presence
        case (.dictionary(let left), .dictionary(let right)):
            let areSameCodes = left.codes.withUnsafeBufferPointer { left in
                right.codes.withUnsafeBufferPointer { left.baseAddress == $0.baseAddress && left.count == $0.count }
            }
            return areSameCodes && left.values.isSameMemory(as: right.values) && left.presence == right.presence
        default:
            return false
        }
    }
}
