internal import LeatCore

/// Texts as templates and columns of their own for what varies.
///
/// Structure: bytes of all texts; count of templates; per template its slots and the column of each; count of columns
/// and their lengths; then the codes, the texts that are kept whole, and the columns, each encoded by itself. What
/// repeats lies in the text area, template after template.
enum TemplateEncoding {
    /// Appends the texts that `split` was made from.
    static func append(
        _ split: TemplateSplit,
        of texts: ByteStrings,
        to page: inout PageWriter,
        _ context: EncodingContext
    ) {
        page.structure.append(varint: texts.bytes.count)
        page.structure.append(varint: split.templates.count)
        var lengths: [Int64] = []
        for template in split.templates {
            page.structure.append(varint: template.columns.count)
            for column in template.columns { page.structure.append(varint: column) }
            for part in template.statics {
                lengths.append(Int64(part.count))
                page.text.bytes.append(contentsOf: part)
            }
        }
        IntegerPacking.append(lengths, to: &page)
        IntegerPacking.append(split.codes.map(Int64.init), to: &page)
        page.structure.append(varint: split.whole.count)
        if !split.whole.isEmpty {
            let whole = texts.gathered(split.whole)
            ColumnEncoder.append(strings: whole, to: &page)
        }
        page.structure.append(varint: split.columns.count)
        for column in split.columns {
            page.structure.append(varint: column.starts.count)
            let values = texts.gathered(starts: column.starts, ends: column.ends)
            _ = ColumnEncoder.append(values, to: &page, context.narrowed(to: column.texts))
        }
    }

    static func read(count: Int, from page: inout PageReader, _ context: DecodingContext) throws(FormatError) -> Column
    {
        let byteCount = try page.structure.readCount(limit: PageReader.areaByteCountMax)
        let templates = try Self.readTemplates(from: &page)
        let codes = try IntegerPacking.read(count: count, from: &page)
        let counts = try Self.counts(of: codes, templates)
        let wholeCount = try page.structure.readCount(limit: count)
        guard wholeCount == counts.whole else {
            throw page.structure.fail("\(wholeCount) whole texts, not \(counts.whole)")
        }
        let whole = wholeCount == 0 ? ByteStrings([]) : try ColumnDecoder.strings(count: wholeCount, from: &page)
        let columnCount = try page.structure.readCount(limit: page.structure.remaining)
        guard counts.columns.count <= columnCount else { throw page.structure.fail("template without its column") }
        var columns: [ByteStrings] = []
        let texts = Self.texts(
            of: codes,
            templates,
            columnCount: columnCount,
            isNeeded: context.rows != nil || context.times != nil
        )
        for column in 0..<columnCount {
            let valueCount = try page.structure.readCount(limit: count * TemplateTokenizer.spanCountMax)
            let expected = column < counts.columns.count ? counts.columns[column] : 0
            guard valueCount == expected else {
                throw page.structure.fail("column of \(valueCount) values, not \(expected)")
            }
            let narrowed = context.narrowed(to: texts[column])
            columns.append(try ColumnDecoder.values(count: valueCount, from: &page, narrowed).strings)
        }
        let assembly = TemplateAssembly(templates: templates, whole: whole, columns: columns)
        return .plain(PlainColumn(values: try assembly.texts(codes, byteCount: byteCount)))
    }

    struct Template {
        var statics: [ByteSlice]
        var columns: [Int]
    }

    private static func readTemplates(from page: inout PageReader) throws(FormatError) -> [Template] {
        let templateCount = try page.structure.readCount(limit: TemplateSplit.templateCountMax)
        var templates: [Template] = []
        var partCount = 0
        for _ in 0..<templateCount {
            var columns: [Int] = []
            for _ in 0..<(try page.structure.readCount(limit: TemplateTokenizer.spanCountMax)) {
                columns.append(try page.structure.readCount(limit: Batch.rowCountMax * 16))
            }
            partCount += columns.count + 1
            templates.append(Template(statics: [], columns: columns))
        }
        let lengths = try IntegerPacking.read(count: partCount, from: &page)
        var next = 0
        for index in templates.indices {
            for _ in 0...templates[index].columns.count {
                guard lengths[next] >= 0, lengths[next] <= page.text.remaining else {
                    throw page.structure.fail("template part of \(lengths[next]) bytes")
                }
                templates[index].statics.append(try page.text.readSlice(Int(lengths[next])))
                next += 1
            }
        }
        return templates
    }

    /// How many whole texts there are, and how many values each column has.
    private static func counts(
        of codes: [Int64],
        _ templates: [Template]
    ) throws(FormatError) -> (whole: Int, columns: [Int]) {
        var uses = [Int](repeating: 0, count: templates.count + 1)
        for code in codes {
            guard code >= 0, code <= templates.count else { throw FormatError(offset: 0, reason: "template \(code)") }
            uses[Int(code)] += 1
        }
        let columnCount = (templates.flatMap(\.columns).max() ?? -1) + 1
        var counts = [Int](repeating: 0, count: columnCount)
        for (index, template) in templates.enumerated() {
            for column in template.columns { counts[column] += uses[index + 1] }
        }
        return (uses[0], counts)
    }

    /// Per column the texts that its values are from.
    private static func texts(
        of codes: [Int64],
        _ templates: [Template],
        columnCount: Int,
        isNeeded: Bool
    ) -> [[Int32]] {
        var texts = [[Int32]](repeating: [], count: columnCount)
        guard isNeeded else { return texts }
        for (text, code) in codes.enumerated() where code > 0 {
            for column in templates[Int(code) - 1].columns { texts[column].append(Int32(text)) }
        }
        return texts
    }
}

/// Puts templates and what varies together again.
private struct TemplateAssembly {
    let templates: [TemplateEncoding.Template]
    let whole: ByteStrings
    let columns: [ByteStrings]

    /// The texts; together they must have `byteCount` bytes.
    func texts(_ codes: [Int64], byteCount: Int) throws(FormatError) -> ByteStrings {
        let storage = ByteStorage(byteCount: byteCount)
        var offsets = [UInt32](repeating: 0, count: codes.count + 1)
        var next = [Int](repeating: 0, count: self.columns.count)
        var nextWhole = 0
        var position = 0
        for (index, code) in codes.enumerated() {
            if code == 0 {
                try Self.copy(self.whole[nextWhole], to: storage.bytes, &position)
                nextWhole += 1
            } else {
                let number = Int(code) - 1
                for slot in self.templates[number].columns.indices {
                    try Self.copy(self.templates[number].statics[slot].unsafeBytes, to: storage.bytes, &position)
                    let column = self.templates[number].columns[slot]
                    try Self.copy(self.columns[column][next[column]], to: storage.bytes, &position)
                    next[column] += 1
                }
                let last = self.templates[number].columns.count
                try Self.copy(self.templates[number].statics[last].unsafeBytes, to: storage.bytes, &position)
            }
            offsets[index + 1] = UInt32(truncatingIfNeeded: position)
        }
        guard position == byteCount else {
            throw FormatError(offset: 0, reason: "texts of \(position) bytes, not \(byteCount)")
        }
        return ByteStrings(offsets: offsets, bytes: ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage))
    }

    @inline(__always)
    private static func copy(
        _ source: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawBufferPointer,
        _ position: inout Int
    ) throws(FormatError) {
        guard source.count > 0, let start = source.baseAddress else { return }
        guard source.count <= target.count - position, let base = target.baseAddress else {
            throw FormatError(offset: 0, reason: "texts of more than \(target.count) bytes")
        }
        (base + position).copyMemory(from: start, byteCount: source.count)
        position += source.count
    }
}

extension ByteStrings {
    /// The parts of the bytes between pairs of borders, in an area of their own.
    func gathered(starts: [UInt32], ends: [UInt32]) -> ByteStrings {
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(starts.count + 1)
        var total: UInt32 = 0
        for index in starts.indices {
            total += ends[index] - starts[index]
            offsets.append(total)
        }
        let storage = ByteStorage(byteCount: Int(total))
        let source = self.bytes.unsafeBytes
        for index in starts.indices {
            let count = Int(ends[index] - starts[index])
            if count > 0, let from = source.baseAddress, let to = storage.bytes.baseAddress {
                (to + Int(offsets[index])).copyMemory(from: from + Int(starts[index]), byteCount: count)
            }
        }
        withExtendedLifetime(self.bytes) {}
        return ByteStrings(offsets: offsets, bytes: ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage))
    }
}
