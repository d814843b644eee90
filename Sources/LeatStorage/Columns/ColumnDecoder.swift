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
        var presence: Bitmap?
        switch try page.structure.readByte() {
        case 0: break
        case 1:
            var words: [UInt64] = []
            for _ in 0..<(rowCount + 63) / 64 { words.append(try page.packed.read(UInt64.self)) }
            presence = Bitmap(words: words, count: rowCount)
        case let form: throw page.structure.fail("unknown presence form \(form)")
        }
        var context = context
        if let presence {
            var rows: [Int32] = []
            presence.forEachSet { rows.append(Int32($0)) }
            context.rows = rows
        }
        let dense = try Self.values(count: presence?.setCount ?? rowCount, from: &page, context)
        try page.structure.expectEnd()
        guard let presence else { return dense }
        return dense.spread(over: presence)
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
        case .dictionary: return try Self.dictionary(count: count, from: &page)
        case .integer: return .integer(IntegerColumn(values: try IntegerPacking.read(count: count, from: &page)))
        case .plain: return .plain(PlainColumn(values: try Self.strings(count: count, from: &page)))
        case .hexadecimal, .uuid: return try Self.identifiers(count: count, isUUID: kind == 6, from: &page)
        case .address, .decimal, .padded: return try Self.numbers(kind, count: count, from: &page)
        case .time: return try Self.times(count: count, from: &page, context)
        case .prefix: return try Self.prefixed(count: count, from: &page, context)
        case .template: return try TemplateEncoding.read(count: count, from: &page, context)
        case .reference: return try Self.reference(count: count, from: &page, context)
        case .mapped: return try MappedEncoding.read(count: count, from: &page, context)
        case nil: throw page.structure.fail("unknown encoding \(kind)")
        }
    }

    private static func dictionary(count: Int, from page: inout PageReader) throws(FormatError) -> Column {
        let distinctCount = try page.structure.readCount(limit: Batch.rowCountMax)
        guard distinctCount > 0 else { throw page.structure.fail("empty dictionary") }
        let texts = try Self.strings(count: distinctCount, from: &page)
        let codes = try Self.codes(count: count, distinctCount: distinctCount, from: &page)
        return .dictionary(DictionaryColumn(values: texts, codes: codes))
    }

    static func codes(
        count: Int,
        distinctCount: Int,
        from page: inout PageReader
    ) throws(FormatError) -> [UInt16] {
        let numbers = try IntegerPacking.read(count: count, from: &page)
        var codes: [UInt16] = []
        codes.reserveCapacity(count)
        for number in numbers {
            guard number >= 0, number < distinctCount else {
                throw page.structure.fail("code \(number) of \(distinctCount)")
            }
            codes.append(UInt16(number))
        }
        return codes
    }

    static func strings(count: Int, from page: inout PageReader) throws(FormatError) -> ByteStrings {
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

    private static func identifiers(
        count: Int,
        isUUID: Bool,
        from page: inout PageReader
    ) throws(FormatError) -> Column {
        let digitCount = isUUID ? 32 : try page.structure.readCount(limit: 256)
        let width = digitCount / 2
        guard width > 0 else { throw page.structure.fail("identifiers of no digits") }
        let bytes = try page.raw.readSlice(count * width)
        var texts = TextAssembler(count: count, byteCount: count * 36)
        bytes.withUnsafeBytes { bytes in
            for index in 0..<count {
                let value = UnsafeRawBufferPointer(rebasing: bytes[index * width..<(index + 1) * width])
                if isUUID { texts.append(uuid: value) } else { texts.append(hexadecimal: value) }
                texts.endValue()
            }
        }
        return .plain(PlainColumn(values: texts.finish()))
    }

    private static func numbers(_ kind: UInt8, count: Int, from page: inout PageReader) throws(FormatError) -> Column {
        let parameter = ColumnKind(rawValue: kind) == .address ? 0 : try page.structure.readCount(limit: 18)
        var texts = TextAssembler(count: count, byteCount: count * 12)
        for number in try IntegerPacking.read(count: count, from: &page) {
            switch ColumnKind(rawValue: kind) {
            case .address: texts.append(address: number)
            case .decimal: texts.append(decimal: number, scale: parameter)
            default: texts.append(padded: number, digitCount: parameter)
            }
            texts.endValue()
        }
        return .plain(PlainColumn(values: texts.finish()))
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
        let form = TimeText(
            layout: layout,
            separator: separator,
            fractionDigitCount: fractionDigitCount,
            suffix: suffix
        )
        var texts = TextAssembler(count: count, byteCount: count * 30)
        for (index, distance) in try IntegerPacking.read(count: count, from: &page).enumerated() {
            form.append(distance &+ TimeText.floor(try context.time(of: index), form.unit), to: &texts)
            texts.endValue()
        }
        return .plain(PlainColumn(values: texts.finish()))
    }

    private static func prefixed(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        let prefix = try page.text.readSlice(try page.structure.readCount(limit: page.text.remaining))
        let rest = try Self.values(count: count, from: &page, context.deeper).strings
        guard rest.bytes.count + count * prefix.count <= PageReader.areaByteCountMax else {
            throw page.structure.fail("values with a beginning of \(prefix.count) bytes")
        }
        var texts = TextAssembler(count: count, byteCount: rest.bytes.count + count * prefix.count)
        for index in 0..<count {
            prefix.withUnsafeBytes { texts.append($0) }
            texts.append(rest[index])
            texts.endValue()
        }
        return .plain(PlainColumn(values: texts.finish()))
    }

    private static func reference(
        count: Int,
        from page: inout PageReader,
        _ context: DecodingContext
    ) throws(FormatError) -> Column {
        let name = try page.structure.readText()
        let dropped = try page.structure.readCount(limit: 2)
        guard let other = try context.column?(name)?.strings else {
            throw page.structure.fail("refers to column '\(name)', which is not there")
        }
        var texts = TextAssembler(count: count, byteCount: other.bytes.count)
        for index in 0..<count {
            let row = context.rows.map { index < $0.count ? Int($0[index]) : -1 } ?? index
            guard row >= 0, row < other.count, other[row].count >= dropped else {
                throw page.structure.fail("refers to a value that is not there")
            }
            texts.append(UnsafeRawBufferPointer(rebasing: other[row][dropped...]))
            texts.endValue()
        }
        return .plain(PlainColumn(values: texts.finish()))
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
