internal import CLeatKernels
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
        // Bytes of all texts, which readers that keep the templates need not know.
        _ = try page.structure.readCount(limit: PageReader.areaByteCountMax)
        let (templates, slots, parts) = try Self.readTemplates(from: &page)
        let codes = try ColumnDecoder.codes(count: count, distinctCount: templates.count + 1, from: &page)
        var uses = [Int](repeating: 0, count: templates.count + 1)
        for code in codes { uses[Int(code)] += 1 }
        let wholeCount = try page.structure.readCount(limit: count)
        guard wholeCount == uses[0] else { throw page.structure.fail("\(wholeCount) whole texts, not \(uses[0])") }
        let whole = wholeCount == 0 ? ByteStrings([]) : try ColumnDecoder.strings(count: wholeCount, from: &page)
        let columnCount = try page.structure.readCount(limit: page.structure.remaining)
        let users = try Self.users(templates, slots, columnCount: columnCount, page)
        let rows = TemplateRows(codes, uses: uses)
        var columns: [Column] = []
        columns.reserveCapacity(columnCount)
        for column in 0..<columnCount {
            let valueCount = try page.structure.readCount(limit: count)
            let expected = users[column].reduce(0) { $0 + uses[Int($1)] }
            guard valueCount == expected else {
                throw page.structure.fail("column of \(valueCount) values, not \(expected)")
            }
            let narrowed = context.narrowed { rows.rows(of: users[column]) }
            columns.append(try ColumnDecoder.values(count: valueCount, from: &page, narrowed))
        }
        let texts = TemplateTexts(
            parts: parts,
            templates: templates,
            slots: slots,
            codes: codes,
            whole: whole,
            columns: columns
        )
        return .template(TemplateColumn(texts: texts))
    }

    private static func readTemplates(
        from page: inout PageReader
    ) throws(FormatError) -> (templates: [TemplateTexts.Template], slots: [Int32], parts: ByteStrings) {
        let templateCount = try page.structure.readCount(limit: TemplateSplit.templateCountMax)
        var templates: [TemplateTexts.Template] = []
        var slots: [Int32] = []
        for _ in 0..<templateCount {
            let slotCount = try page.structure.readCount(limit: TemplateTokenizer.spanCountMax)
            templates.append(
                TemplateTexts.Template(
                    firstPart: slots.count + templates.count,
                    firstSlot: slots.count,
                    slotCount: slotCount
                )
            )
            for _ in 0..<slotCount {
                slots.append(Int32(try page.structure.readCount(limit: Batch.rowCountMax * 16)))
            }
        }
        let parts = try ColumnDecoder.strings(count: slots.count + templateCount, from: &page)
        return (templates, slots, parts)
    }

    /// Per column the codes of the templates that have a slot of it.
    private static func users(
        _ templates: [TemplateTexts.Template],
        _ slots: [Int32],
        columnCount: Int,
        _ page: PageReader
    ) throws(FormatError) -> [[UInt16]] {
        var users = [[UInt16]](repeating: [], count: columnCount)
        for (index, template) in templates.enumerated() {
            for slot in template.firstSlot..<template.firstSlot + template.slotCount {
                let column = Int(slots[slot])
                guard column < columnCount else { throw page.structure.fail("template without its column") }
                guard users[column].last != UInt16(index + 1) else {
                    throw page.structure.fail("template with two slots of one column")
                }
                users[column].append(UInt16(index + 1))
            }
        }
        return users
    }
}

extension ByteStrings {
    /// The parts of the bytes between pairs of borders, in an area of their own.
    func gathered(starts: [UInt32], ends: [UInt32]) -> ByteStrings {
        let offsets = [UInt32](unsafeUninitializedCapacity: starts.count + 1) { offsets, count in
            var total: UInt32 = 0
            offsets[0] = 0
            for index in starts.indices {
                total += ends[index] - starts[index]
                offsets[index + 1] = total
            }
            count = starts.count + 1
        }
        let storage = ByteStorage(byteCount: Int(offsets[starts.count]))
        if let from = self.bytes.unsafeBytes.baseAddress, let to = storage.bytes.baseAddress {
            for index in starts.indices {
                let start = Int(starts[index])
                leat_copy_bytes(to + Int(offsets[index]), from + start, Int(ends[index]) - start)
            }
        }
        withExtendedLifetime(self.bytes) {}
        return ByteStrings(offsets: offsets, bytes: ByteSlice(UnsafeRawBufferPointer(storage.bytes), owner: storage))
    }
}
