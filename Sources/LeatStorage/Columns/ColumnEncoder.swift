internal import LeatCore

/// The encodings of a column, as a number in files.
enum ColumnKind: UInt8 {
    case constant = 1
    case dictionary = 2
    case integer = 3
    case plain = 4
}

/// Writes a column in the smallest of the encodings.
enum ColumnEncoder {
    /// What the footer keeps of a column, so that a block can be refused without reading the page.
    struct Summary: Hashable {
        var kind: ColumnKind
        /// Rows that have the field.
        var presentCount: Int
        /// Smallest and largest value, if all values are integers.
        var bounds: ClosedRange<Int64>?
        /// The value of a constant of at most `constantByteCountMax` bytes.
        var constant: [UInt8]?
    }

    static let constantByteCountMax = 64

    /// Values that are looked at before all are tried as a dictionary.
    private static let sampleCount = 1024

    /// A page for `strings`, whose rows without the field `presence` names.
    static func page(_ strings: ByteStrings, presence: Bitmap?) -> (bytes: [UInt8], summary: Summary) {
        var page = PageWriter()
        var dense = strings
        if let presence, !presence.isFull {
            page.structure.append(byte: 1)
            for word in presence.words { page.packed.append(word) }
            var rows: [Int] = []
            rows.reserveCapacity(presence.setCount)
            presence.forEachSet { rows.append($0) }
            dense = strings.gathered(rows)
        } else {
            page.structure.append(byte: 0)
        }
        var summary = Summary(kind: .plain, presentCount: dense.count)
        Self.append(dense, to: &page, summary: &summary)
        return (page.finish(), summary)
    }

    /// Appends the values, all of them present.
    private static func append(_ values: ByteStrings, to page: inout PageWriter, summary: inout Summary) {
        if let first = Self.constant(values) {
            summary.kind = .constant
            if first.count <= Self.constantByteCountMax { summary.constant = Array(first) }
            if let number = DecimalText.value(first) { summary.bounds = number...number }
            page.structure.append(byte: ColumnKind.constant.rawValue)
            page.structure.append(varint: first.count)
            page.text.append(first)
            return
        }
        let numbers = Self.integers(values)
        if let least = numbers?.min(), let most = numbers?.max() { summary.bounds = least...most }
        if let dictionary = Self.dictionary(values) {
            let codeWidth = Self.width(UInt64(dictionary.firsts.count - 1))
            let textCount = dictionary.firsts.reduce(0) { $0 + values[Int($1)].count + 1 }
            let numberWidth = summary.bounds.map { Self.width(UInt64(bitPattern: $0.upperBound &- $0.lowerBound)) }
            if textCount * 8 + values.count * codeWidth <= values.count * (numberWidth ?? .max / Batch.rowCountMax) {
                summary.kind = .dictionary
                Self.append(dictionary, of: values, to: &page)
                return
            }
        }
        if let numbers {
            summary.kind = .integer
            page.structure.append(byte: ColumnKind.integer.rawValue)
            IntegerPacking.append(numbers, to: &page)
            return
        }
        page.structure.append(byte: ColumnKind.plain.rawValue)
        Self.append(strings: values, to: &page)
    }

    private static func append(_ dictionary: DictionaryBuilder, of values: ByteStrings, to page: inout PageWriter) {
        page.structure.append(byte: ColumnKind.dictionary.rawValue)
        page.structure.append(varint: dictionary.firsts.count)
        Self.append(strings: dictionary.texts(of: values), to: &page)
        IntegerPacking.append(dictionary.codes.map(Int64.init), to: &page)
    }

    /// Lengths and bytes.
    private static func append(strings: ByteStrings, to page: inout PageWriter) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(strings.count)
        for index in 0..<strings.count { lengths.append(Int64(strings.offsets[index + 1] - strings.offsets[index])) }
        IntegerPacking.append(lengths, to: &page)
        page.text.append(strings.bytes)
    }

    private static func width(_ value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    /// The one value of all rows.
    private static func constant(_ values: ByteStrings) -> UnsafeRawBufferPointer? {
        guard values.count > 0 else { return nil }
        let first = values[0]
        for index in 1..<max(1, values.count) where !ByteHash.equal(values[index], first) { return nil }
        return first
    }

    private static func integers(_ values: ByteStrings) -> [Int64]? {
        var numbers: [Int64] = []
        for index in 0..<values.count {
            guard let number = DecimalText.value(values[index]) else { return nil }
            if index == 0 { numbers.reserveCapacity(values.count) }
            numbers.append(number)
        }
        return numbers
    }

    private static func dictionary(_ values: ByteStrings) -> DictionaryBuilder? {
        if values.count > 4 * Self.sampleCount {
            let sample = values.gathered(0..<Self.sampleCount)
            guard DictionaryBuilder(sample, limit: Self.sampleCount * 3 / 4) != nil else { return nil }
        }
        return DictionaryBuilder(values, limit: max(2, values.count / 2))
    }
}
