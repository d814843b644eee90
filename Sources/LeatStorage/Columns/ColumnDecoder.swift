internal import LeatCore

/// Reads what `ColumnEncoder` wrote.
enum ColumnDecoder {
    /// Encodings around one another; writers make half as many.
    private static let depthMax = 12

    /// The column of a page of `rowCount` rows.
    static func column(
        _ bytes: ByteSlice,
        rowCount: Int,
        _ context: DecodingContext = DecodingContext()
    ) throws(FormatError) -> Column {
        var page = try PageReader(bytes)
        return try Self.column(of: &page, rowCount: rowCount, context)
    }

    /// The column of an opened page of `rowCount` rows.
    static func column(
        of page: inout PageReader,
        rowCount: Int,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        var presence: Bitmap?
        switch try page.structure.readByte() {
        case 0: break
        case 1:
            var words: [UInt64] = []
            for _ in 0..<(rowCount + 63) / 64 { words.append(try page.packed.read(UInt64.self)) }
            presence = Bitmap(words: words, count: rowCount)
        case 2:
            let name = try page.structure.readText()
            guard let other = try context.column?(name), let rows = other.presence, rows.count == rowCount else {
                throw page.structure.fail("field '\(name)' does not say which rows have it")
            }
            presence = rows
        case let form: throw page.structure.fail("unknown presence form \(form)")
        }
        var context = context
        context.rowCount = rowCount
        if let presence {
            context.rows = DecodingContext.RowMap {
                var rows: [Int32] = []
                rows.reserveCapacity(rowCount)
                presence.forEachSet { rows.append(Int32($0)) }
                return rows
            }
        }
        let dense = try Self.values(count: presence?.setCount ?? rowCount, from: &page, context)
        try page.structure.expectEnd()
        guard dense.textByteCountBound <= PageReader.areaByteCountMax else {
            throw page.structure.fail("texts of more than \(PageReader.areaByteCountMax) bytes")
        }
        guard let presence else { return dense }
        return dense.spread(over: presence, keepingNumbers: context.keepsNumbers)
    }

    /// `count` values, all of them present.
    static func values(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        guard context.depth <= Self.depthMax else { throw page.structure.fail("encodings within encodings") }
        let kind = try page.structure.readByte()
        switch ColumnKind(rawValue: kind) {
        case .constant:
            let value = try page.text.readSlice(try page.structure.readCount(limit: page.text.remaining))
            return .constant(ConstantColumn(value: value, rowCount: count))
        case .dictionary: return try Self.dictionary(count: count, from: &page, context)
        case .integer:
            // Numbers in a slot of a template stay packed, as most searches need not look at them, and those of some rows.
            if context.depth > 0 || context.keepsNumbers && context.rows != nil {
                return try Self.numbers(.integer, count: count, from: &page)
            }
            return .integer(IntegerColumn(values: try IntegerPacking.read(count: count, from: &page)))
        case .plain: return .plain(PlainColumn(values: try Self.strings(count: count, from: &page)))
        case .hexadecimal, .uuid: return try Self.identifiers(count: count, isUUID: kind == 6, from: &page)
        case .address: return try Self.numbers(.address, count: count, from: &page)
        case .decimal:
            let scale = try Self.digitCount(from: &page, atLeast: 0)
            return try Self.numbers(.decimal(scale: scale), count: count, from: &page)
        case .padded:
            let digitCount = try Self.digitCount(from: &page, atLeast: 1)
            return try Self.numbers(.padded(digitCount: digitCount), count: count, from: &page)
        case .time: return try Self.times(count: count, from: &page, context)
        case .prefix: return try Self.prefixed(count: count, from: &page, context)
        case .template: return try TemplateEncoding.read(count: count, from: &page, context)
        case .reference: return try Self.reference(count: count, from: &page, context)
        case .mapped: return try MappedEncoding.read(count: count, from: &page, context)
        case nil: throw page.structure.fail("unknown encoding \(kind)")
        }
    }

    private static func dictionary(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        let distinctCount = try page.structure.readCount(limit: Batch.rowCountMax)
        guard distinctCount > 0 else { throw page.structure.fail("empty dictionary") }
        let texts = try Self.strings(count: distinctCount, from: &page)
        let codes = try Self.codeList(count: count, distinctCount: distinctCount, from: &page)
        // Codes in a slot of a template stay packed, as numbers do.
        if context.depth > 0 { return .dictionary(DictionaryColumn(values: texts, codeList: codes)) }
        return .dictionary(DictionaryColumn(values: texts, codes: codes.array))
    }

    static func codes(
        count: Int,
        distinctCount: Int,
        from page: inout PageReader
    ) throws(FormatError) -> [UInt16] {
        try Self.codeList(count: count, distinctCount: distinctCount, from: &page).array
    }

    /// Codes as they are stored, all of them below `distinctCount`.
    private static func codeList(
        count: Int,
        distinctCount: Int,
        from page: inout PageReader
    ) throws(FormatError) -> CodeList {
        let list = try IntegerPacking.list(count: count, from: &page)
        switch list {
        case .packed(let numbers):
            guard numbers.areCodes(below: distinctCount) else {
                throw page.structure.fail("a code beyond \(distinctCount)")
            }
            return .packed(numbers)
        case .array, .ranked:
            let values = list.values
            for value in values where value < 0 || value >= Int64(distinctCount) {
                throw page.structure.fail("code \(value) of \(distinctCount)")
            }
            return .array(values.map { UInt16(truncatingIfNeeded: $0) })
        }
    }

    static func strings(count: Int, from page: inout PageReader) throws(FormatError) -> ByteStrings {
        let lengths = try IntegerPacking.read(count: count, from: &page)
        let room = Int64(page.text.remaining)
        var total: Int64 = 0
        var isSound = true
        let offsets = [UInt32](unsafeUninitializedCapacity: count + 1) { offsets, filled in
            offsets[0] = 0
            for index in 0..<count {
                let length = lengths[index]
                // A length that does not fit is noted once, and the rest has none.
                isSound = isSound && length >= 0 && length <= room &- total
                total &+= isSound ? length : 0
                offsets[index + 1] = UInt32(truncatingIfNeeded: total)
            }
            filled = count + 1
        }
        guard isSound else { throw page.structure.fail("values of more bytes than there are") }
        return ByteStrings(offsets: offsets, bytes: try page.text.readSlice(Int(total)))
    }

    private static func identifiers(
        count: Int,
        isUUID: Bool,
        from page: inout PageReader
    ) throws(FormatError) -> Column {
        let digitCount = isUUID ? 32 : try page.structure.readCount(limit: 256)
        let width = digitCount / 2
        guard width > 0 else { throw page.structure.fail("identifiers of no digits") }
        let bytes = try page.raw.readSlice(count * width)
        return .identifier(IdentifierColumn(bytes: bytes, width: width, isUUID: isUUID))
    }

    private static func numbers(_ form: NumberForm, count: Int, from page: inout PageReader) throws(FormatError)
        -> Column
    {
        .number(NumberColumn(form: form, numbers: try IntegerPacking.list(count: count, from: &page)))
    }

    private static func digitCount(from page: inout PageReader, atLeast least: Int) throws(FormatError) -> Int {
        let count = try page.structure.readCount(limit: NumberForm.digitCountMax)
        guard count >= least else { throw page.structure.fail("numbers of no digits") }
        return count
    }

    private static func times(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        guard let layout = TimeText.Layout(rawValue: try page.structure.readByte()) else {
            throw page.structure.fail("unknown form of time")
        }
        let separator = try page.structure.readByte()
        let fractionDigitCount = try page.structure.readCount(limit: 9)
        let suffix = try page.structure.readCounted().array
        guard suffix.count <= TimeText.suffixByteCountMax else { throw page.structure.fail("unknown form of time") }
        let form = TimeText(
            layout: layout,
            separator: separator,
            fractionDigitCount: fractionDigitCount,
            suffix: suffix
        )
        var values = try IntegerPacking.read(count: count, from: &page)
        let times = try context.times(count: count)
        let unit = form.unit
        for index in values.indices { values[index] &+= TimeText.floor(times[index], unit) }
        return .number(NumberColumn(form: .time(form), numbers: .array(values)))
    }

    private static func prefixed(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        let prefix = try page.text.readSlice(try page.structure.readCount(limit: page.text.remaining))
        let rest = try Self.values(count: count, from: &page, context.deeper)
        return .prefixed(PrefixedColumn(prefix: prefix, rest: rest))
    }

    private static func reference(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        let name = try page.structure.readText()
        let dropped = try page.structure.readCount(limit: 2)
        guard let target = try context.column?(name) else {
            throw page.structure.fail("refers to column '\(name)', which is not there")
        }
        if context.isSlotOfRows, target.rowCount == context.rowCount {
            return try Self.reference(to: target, dropping: dropped, count: count, page, context)
        }
        let rows = context.rows?.rows
        let column = ReferenceColumn(target: target, rows: rows, droppedByteCount: dropped, rowCount: count)
        guard count <= (rows?.count ?? target.rowCount) else {
            throw page.structure.fail("refers to a value that is not there")
        }
        let isThere =
            rows.map { target.hasTexts(at: $0[..<count], ofAtLeast: dropped) }
            ?? target.hasTexts(at: 0..<Int32(count), ofAtLeast: dropped)
        guard isThere else { throw page.structure.fail("refers to a value that is not there") }
        return .reference(column)
    }

    /// A reference in a slot of rows of the block, to the same rows.
    private static func reference(
        to target: Column,
        dropping dropped: Int,
        count: Int,
        _ page: PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        if target.presence != nil || target.textByteCountMin < dropped {
            guard target.hasTexts(at: context.rows?.rows ?? [], ofAtLeast: dropped) else {
                throw page.structure.fail("refers to a value that is not there")
            }
        }
        let longest = target.textByteCountMax * count
        return .reference(
            ReferenceColumn(
                target: target,
                droppedByteCount: dropped,
                rowCount: target.rowCount,
                byRowByteCountBound: longest <= 1 << 24
                    ? longest : target.textByteCountBound(of: context.rows?.rows ?? [])
            )
        )
    }
}

extension Column {
    /// Whether all of some rows have a text, of at least some length.
    fileprivate func hasTexts(at rows: some Sequence<Int32>, ofAtLeast byteCount: Int) -> Bool {
        let rowCount = Int32(self.rowCount)
        let presence = self.presence
        let areLong = self.textByteCountMin >= byteCount
        return rows.allSatisfy { row in
            guard row >= 0, row < rowCount, presence?[Int(row)] ?? true else { return false }
            return areLong || self.withText(at: Int(row)) { $0.count >= byteCount }
        }
    }

    /// The column with its values, all present, put at the rows of `presence`; with `keepingNumbers` numbers stay end to
    /// end.
    fileprivate func spread(over presence: Bitmap, keepingNumbers: Bool) -> Column {
        switch self {
        case .constant(let column):
            return .constant(ConstantColumn(value: column.value, rowCount: presence.count, presence: presence))
        case .dictionary(let column):
            let dense = column.codes
            let codes = presence.spreading(absent: UInt16(0)) { dense[$0] }
            return .dictionary(DictionaryColumn(values: column.values, codes: codes, presence: presence))
        case .integer(let column):
            let values = presence.spreading(absent: Int64(0)) { column.values[$0] }
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
        case .number(let column) where keepingNumbers:
            let numbers = RankedNumbers(column.numbers, at: presence)
            return .number(NumberColumn(form: column.form, numbers: .ranked(numbers), presence: presence))
        case .number(let column):
            let dense = column.values
            let values = presence.spreading(absent: Int64(0)) { dense[$0] }
            return .number(NumberColumn(form: column.form, numbers: .array(values), presence: presence))
        case .identifier(let column):
            guard column.rowCount > 0 else {
                return .constant(ConstantColumn(value: .empty, rowCount: presence.count, presence: presence))
            }
            return .identifier(column.spread(over: presence))
        case .prefixed(let column):
            let rest = column.rest.spread(over: presence, keepingNumbers: keepingNumbers)
            return .prefixed(PrefixedColumn(prefix: column.prefix, rest: rest))
        case .reference(let column):
            return .reference(
                ReferenceColumn(
                    target: column.target,
                    rows: presence.spreading(absent: Int32(0)) { Int32(column.row($0)) },
                    droppedByteCount: column.droppedByteCount,
                    rowCount: presence.count,
                    presence: presence
                )
            )
        case .template(let column):
            let dense = column.texts.codes
            let codes = presence.spreading(absent: TemplateTexts.absent) { dense[$0] }
            return .template(TemplateColumn(texts: column.texts.with(codes: codes), presence: presence))
        }
    }
}

extension Bitmap {
    /// Values for all rows: at those that are set one after the other of `value`, elsewhere `absent`.
    @inline(__always)
    fileprivate func spreading<Value>(absent: Value, _ value: (Int) -> Value) -> [Value] {
        var values = [Value](repeating: absent, count: self.count)
        var next = 0
        self.forEachSet { row in
            values[row] = value(next)
            next += 1
        }
        return values
    }
}
