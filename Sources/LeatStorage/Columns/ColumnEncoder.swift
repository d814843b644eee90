internal import LeatCore

/// The encodings of a column, as a number in files.
enum ColumnKind: UInt8 {
    case constant = 1
    case dictionary = 2
    case integer = 3
    case plain = 4
    case hexadecimal = 5
    case uuid = 6
    case address = 7
    case decimal = 8
    case time = 9
    case prefix = 10
    case template = 11
    case reference = 12
    case mapped = 13
    case padded = 14
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
        /// No text has more bytes, where `kind` does not tell; unknown in older files.
        var longestByteCount: Int?
    }

    static let constantByteCountMax = 64

    /// Templates are looked for down to this depth: a message in a JSON text has templates of its own.
    private static let templateDepthMax = 3

    /// Fewer values have no templates worth their columns.
    private static let templateValueCountMin = 16

    /// Values that are looked at before all are tried as a dictionary.
    private static let sampleCount = 1024

    /// A page for texts, whose rows without the field `presence` names; `distinct` are the texts of a field that all rows
    /// have, if somebody has looked for them already.
    static func page(
        _ texts: RowTexts,
        presence: Bitmap?,
        _ context: EncodingContext,
        distinct: DistinctTexts?? = .none
    ) -> (bytes: [UInt8], summary: Summary) {
        var page = PageWriter()
        let (rows, context) = Self.open(&page, presence, context)
        guard let codes = texts.codes else {
            let values = rows.map { texts.strings.gathered($0.lazy.map(Int.init)) } ?? texts.strings
            let summary = Self.append(values, to: &page, context, distinct: distinct)
            return (page.finish(), summary)
        }
        let known = DistinctTexts(texts: texts.strings, codes: rows.map { $0.map { codes[Int($0)] } } ?? codes)
        let summary =
            Self.append(known, to: &page, context)
            ?? Self.append(known.values, to: &page, context, distinct: .some(nil))
        return (page.finish(), summary)
    }

    /// A page for a number per row.
    static func page(_ numbers: [Int64]) -> (bytes: [UInt8], summary: Summary) {
        var page = PageWriter()
        page.structure.append(byte: 0)
        var summary = Summary(kind: .integer, presentCount: numbers.count)
        if let least = numbers.min(), let most = numbers.max() { summary.bounds = least...most }
        if let bounds = summary.bounds, bounds.lowerBound == bounds.upperBound {
            var text: [UInt8] = []
            DecimalText.append(bounds.lowerBound, to: &text)
            summary.kind = .constant
            summary.constant = text
            page.structure.append(byte: ColumnKind.constant.rawValue)
            page.structure.append(varint: text.count)
            page.text.bytes.append(contentsOf: text)
        } else {
            page.structure.append(byte: ColumnKind.integer.rawValue)
            IntegerPacking.append(numbers, to: &page)
        }
        return (page.finish(), summary)
    }

    /// Writes which rows have a value; these rows, if not all have one.
    static func open(
        _ page: inout PageWriter,
        _ presence: Bitmap?,
        _ context: EncodingContext
    ) -> (rows: [Int32]?, context: EncodingContext) {
        guard let presence, !presence.isFull else {
            page.structure.append(byte: 0)
            return (nil, context)
        }
        if let other = context.presences.first(where: { $0.rows == presence }) {
            page.structure.append(byte: 2)
            page.structure.append(counted: other.name)
        } else {
            page.structure.append(byte: 1)
            for word in presence.words { page.packed.append(word) }
        }
        var rows: [Int32] = []
        rows.reserveCapacity(presence.setCount)
        presence.forEachSet { rows.append(Int32($0)) }
        var context = context
        context.rows = rows
        return (rows, context)
    }

    /// Appends values, all of them present; `distinct` are theirs if somebody has looked for them already.
    static func append(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext,
        distinct known: DistinctTexts?? = .none
    ) -> Summary {
        if let first = Self.constant(values) { return Self.append(constant: first, values.count, to: &page, context) }
        var summary = Summary(kind: .plain, presentCount: values.count)
        if context.depth > 0, Self.appendReference(values, to: &page, context) {
            summary.kind = .reference
            return summary
        }
        if let distinct = known ?? Self.distinct(values), let summary = Self.append(distinct, to: &page, context) {
            return summary
        }
        if let numbers = Self.integers(values) {
            if let least = numbers.min(), let most = numbers.max() { summary.bounds = least...most }
            summary.kind = .integer
            context.addKeys(ofNumbers: values)
            page.structure.append(byte: ColumnKind.integer.rawValue)
            IntegerPacking.append(numbers, to: &page)
            return summary
        }
        if let kind = Self.appendTyped(values, to: &page, context) {
            summary.kind = kind
            switch kind {
            case .address, .decimal, .padded: context.addKeys(ofNumbers: values)
            case .hexadecimal: context.addKeys(ofHexadecimal: values)
            default: context.addKeys(of: values)
            }
            return summary
        }
        summary.kind = Self.appendText(values, to: &page, context)
        return summary
    }

    private static func append(
        constant value: UnsafeRawBufferPointer,
        _ count: Int,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> Summary {
        var summary = Summary(kind: .constant, presentCount: count)
        if value.count <= Self.constantByteCountMax { summary.constant = Array(value) }
        if let number = DecimalText.value(value) { summary.bounds = number...number }
        context.addKeys(of: ByteStrings([Array(value)]), areDistinct: true)
        page.structure.append(byte: ColumnKind.constant.rawValue)
        page.structure.append(varint: value.count)
        page.text.append(value)
        return summary
    }

    /// Appends values as a dictionary or, if there is only one, a constant; `nil` when another form is smaller.
    private static func append(
        _ distinct: DistinctTexts,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> Summary? {
        let texts = distinct.texts
        let count = distinct.codes.count
        if texts.count == 1 { return Self.append(constant: texts[0], count, to: &page, context) }
        var summary = Summary(kind: .dictionary, presentCount: count)
        summary.bounds = Self.bounds(texts)
        let cost = (texts.bytes.count + texts.count) * 8 + count * Self.width(UInt64(texts.count - 1))
        guard cost <= Self.costOtherwise(count, distinct.valueByteCount, summary.bounds) else { return nil }
        context.addKeys(of: texts, areDistinct: true)
        page.structure.append(byte: ColumnKind.dictionary.rawValue)
        page.structure.append(varint: texts.count)
        Self.append(strings: texts, to: &page)
        IntegerPacking.append(distinct.codes.map(Int64.init), to: &page)
        return summary
    }

    /// Smallest and largest, if all are integers.
    static func bounds(_ values: ByteStrings) -> ClosedRange<Int64>? {
        guard let numbers = Self.integers(values), let least = numbers.min(), let most = numbers.max() else {
            return nil
        }
        return least...most
    }

    /// Bits that values take if they are not a dictionary: known for integers and identifiers, else a guess from below.
    private static func costOtherwise(_ count: Int, _ byteCount: Int, _ bounds: ClosedRange<Int64>?) -> Int {
        if let bounds { return count * Self.width(UInt64(bitPattern: bounds.upperBound &- bounds.lowerBound)) }
        // Half a byte for each one of text: zstd and the typed forms reach that.
        return byteCount * 4
    }

    /// A template if there is one, else the text as it is.
    private static func appendText(
        _ values: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) -> ColumnKind {
        if context.depth < Self.templateDepthMax, values.count >= Self.templateValueCountMin,
            let split = TemplateSplit(values), Self.isWorthIt(split, of: values)
        {
            context.addKeys(of: split, of: values)
            page.structure.append(byte: ColumnKind.template.rawValue)
            TemplateEncoding.append(split, of: values, to: &page, context)
            return .template
        }
        context.addKeys(of: values)
        page.structure.append(byte: ColumnKind.plain.rawValue)
        Self.append(strings: values, to: &page)
        return .plain
    }

    /// Whether a split takes anything apart: a single slot that is the whole text would go on for ever.
    private static func isWorthIt(_ split: TemplateSplit, of values: ByteStrings) -> Bool {
        split.templates.contains { template in
            template.columns.count > 1 || template.statics.contains { !$0.isEmpty }
        }
    }

    /// Lengths and bytes.
    static func append(strings: ByteStrings, to page: inout PageWriter) {
        var lengths: [Int64] = []
        lengths.reserveCapacity(strings.count)
        for index in 0..<strings.count { lengths.append(Int64(strings.offsets[index + 1] - strings.offsets[index])) }
        IntegerPacking.append(lengths, to: &page)
        page.text.append(strings.bytes)
    }

    static func width(_ value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    /// The one value of all rows.
    private static func constant(_ values: ByteStrings) -> UnsafeRawBufferPointer? {
        guard values.count > 0 else { return nil }
        let first = values[0]
        for index in 1..<max(1, values.count) where !ByteHash.equal(values[index], first) { return nil }
        return first
    }

    static func integers(_ values: ByteStrings) -> [Int64]? {
        var numbers: [Int64] = []
        for index in 0..<values.count {
            guard let number = DecimalText.value(values[index]) else { return nil }
            if index == 0 { numbers.reserveCapacity(values.count) }
            numbers.append(number)
        }
        return numbers
    }

    static func distinct(_ values: ByteStrings) -> DistinctTexts? {
        if values.count > 4 * Self.sampleCount {
            let sample = values.gathered(0..<Self.sampleCount)
            guard DistinctTexts(sample, limit: Self.sampleCount * 3 / 4) != nil else { return nil }
        }
        return DistinctTexts(values, limit: max(2, values.count / 2))
    }
}

extension PageWriter {
    /// Appends all areas of a page to this one.
    mutating func append(_ other: PageWriter) {
        self.structure.bytes += other.structure.bytes
        self.text.bytes += other.text.bytes
        self.packed.bytes += other.packed.bytes
        self.raw.bytes += other.raw.bytes
    }
}
