internal import LeatCore

/// A block in the form of a segment, not yet in one.
struct EncodedBlock {
    let tags: DatasourceTags
    /// Names of the pages; `summary` counts from them.
    let names: [String]
    /// Its datasource and offset are 0 until the block is in a segment.
    let summary: BlockSummary
    let bytes: ByteSlice
    let filter: BlockFilter
}

/// Turns rows into the pages of a block.
///
/// Columns of words and numbers come first; of these, one that follows from another keeps only how. Texts come last, as
/// what varies in them may be in another column already. A column that equals another one shares its page.
struct BlockEncoder {
    private struct Field {
        var name: String
        var texts: RowTexts
        var presence: Bitmap?
        /// The field whose page this one shares.
        var twin: Int?
        var isText: Bool
        /// Of a field that all rows have.
        var distinct: DistinctTexts?
        /// The range of the numbers of a field that storage itself adds.
        var range: ClosedRange<Int64>?
        var page: (bytes: [UInt8], summary: ColumnEncoder.Summary)?
    }

    private var fields: [Field] = []
    private var context: EncodingContext
    private let keys = BlockFilterBuilder()

    /// Encodes a batch of stored rows: with `@id` and `@ingesttimestamp`, without tags.
    static func encode(_ batch: Batch, tags: DatasourceTags) throws(DamagedBlock) -> EncodedBlock {
        var encoder = BlockEncoder(context: EncodingContext(times: batch.timestamps))
        for name in batch.fieldNames where !StoredFields.isImplied(name) && tags[name] == nil {
            if let column = try batch.column(name) { encoder.add(name, column) }
        }
        encoder.encodeWords()
        encoder.encodeTexts()
        return encoder.block(batch, tags: tags)
    }

    private mutating func add(_ name: String, _ column: Column) {
        if StoredFields.isOwn(name), column.presence == nil, let numbers = column.integers {
            self.add(name, own: numbers)
            return
        }
        let texts = RowTexts(column)
        let twin = self.fields.firstIndex { other in
            other.twin == nil && other.range == nil && other.texts.isEqual(to: texts)
                && other.presence == column.presence
        }
        self.fields.append(
            Field(
                name: name,
                texts: texts,
                presence: column.presence,
                twin: twin,
                isText: twin == nil && Self.isText(texts, column.presence)
            )
        )
    }

    /// Adds a field that storage itself has made of numbers: nothing follows from it, and it is not searched.
    private mutating func add(_ name: String, own numbers: [Int64]) {
        var field = Field(name: name, texts: .none, isText: false)
        field.range = Self.range(numbers)
        field.page = ColumnEncoder.page(numbers)
        self.fields.append(field)
    }

    /// Whether the first value is more than a word.
    private static func isText(_ texts: RowTexts, _ presence: Bitmap?) -> Bool {
        guard let row = (0..<texts.rowCount).first(where: { presence?[$0] ?? true }) else { return false }
        return texts[row].contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "\"") }
    }

    private mutating func encodeWords() {
        var sources: [MappedEncoding.Source] = []
        let words = self.fields.indices.filter { index in
            let field = self.fields[index]
            return field.twin == nil && !field.isText && field.page == nil
        }
        for index in words where self.fields[index].presence == nil {
            let texts = self.fields[index].texts
            self.fields[index].distinct =
                texts.codes.map { DistinctTexts(texts: texts.strings, codes: $0) }
                ?? ColumnEncoder.distinct(texts.strings)
        }
        // The columns with most values first, since the others may follow from them.
        let sorted = words.sorted { left, right in
            (self.fields[left].distinct?.texts.count ?? 0) > (self.fields[right].distinct?.texts.count ?? 0)
        }
        for index in sorted {
            let field = self.fields[index]
            if let page = self.mapped(field, from: sources) {
                self.fields[index].page = page
                continue
            }
            let known: DistinctTexts?? = field.presence == nil ? .some(field.distinct) : .none
            let page = ColumnEncoder.page(
                field.texts,
                presence: field.presence,
                self.context(for: field),
                distinct: known
            )
            self.fields[index].page = page
            self.notePresence(of: field, page.summary.kind)
            if page.summary.kind == .dictionary, let distinct = field.distinct {
                sources.append(
                    MappedEncoding.Source(
                        name: field.name,
                        distinctCount: distinct.texts.count,
                        codes: distinct.codes
                    )
                )
            }
            if page.summary.kind != .constant, page.summary.kind != .template {
                self.context.candidates.append(
                    EncodingContext.Candidate(name: field.name, texts: field.texts, presence: field.presence)
                )
            }
        }
    }

    /// Remembers which rows have a field, unless its page leans on others.
    private mutating func notePresence(of field: Field, _ kind: ColumnKind) {
        guard let rows = field.presence, !rows.isFull, kind != .template,
            !self.context.presences.contains(where: { $0.rows == rows })
        else { return }
        self.context.presences.append((field.name, rows))
    }

    /// What the encoding of a field may lean on, and where the keys of its values go.
    private func context(for field: Field) -> EncodingContext {
        var context = self.context
        context.keys = StoredFields.isOwn(field.name) ? nil : self.keys
        return context
    }

    private func mapped(
        _ field: Field,
        from sources: [MappedEncoding.Source]
    ) -> (bytes: [UInt8], summary: ColumnEncoder.Summary)? {
        guard let distinct = field.distinct, distinct.texts.count > 1 else { return nil }
        for source in sources where source.distinctCount >= distinct.texts.count {
            guard source.distinctCount * 4 <= distinct.codes.count,
                let map = MappedEncoding.map(distinct.codes, from: source)
            else { continue }
            let texts = distinct.texts
            self.context(for: field).addKeys(of: texts, areDistinct: true)
            var page = PageWriter()
            page.structure.append(byte: 0)
            MappedEncoding.append(texts, map, from: source, to: &page)
            var summary = ColumnEncoder.Summary(kind: .mapped, presentCount: distinct.codes.count)
            summary.bounds = ColumnEncoder.bounds(texts)
            return (page.finish(), summary)
        }
        return nil
    }

    private mutating func encodeTexts() {
        for index in self.fields.indices where self.fields[index].isText {
            let field = self.fields[index]
            self.fields[index].page = ColumnEncoder.page(
                field.texts,
                presence: field.presence,
                self.context(for: field)
            )
        }
    }

    private func block(_ batch: Batch, tags: DatasourceTags) -> EncodedBlock {
        var block = BlockUnderConstruction()
        var times = PageWriter()
        IntegerPacking.append(batch.timestamps, to: &times)
        let timeSummary = ColumnEncoder.Summary(kind: .integer, presentCount: batch.rowCount)
        block.append(times.finish(), name: StoredFields.time, timeSummary)
        var plainByteCount = 0
        for field in self.fields where field.twin == nil {
            guard let page = field.page else { preconditionFailure("field '\(field.name)' was not encoded") }
            var summary = page.summary
            if summary.kind.tellsNoLength { summary.longestByteCount = field.texts.longestByteCount }
            block.append(page.bytes, name: field.name, summary)
            if !StoredFields.isOwn(field.name) { plainByteCount += field.texts.byteCount(field.presence) }
        }
        for field in self.fields {
            if let twin = field.twin { block.append(twinOf: self.fields[twin].name, name: field.name) }
        }
        let filter = self.keys.finish()
        let summary = BlockSummary(
            datasource: 0,
            offset: 0,
            byteCount: block.bytes.count,
            rowCount: batch.rowCount,
            times: Self.range(batch.timestamps),
            arrivals: self.range(of: StoredFields.arrival),
            rows: self.range(of: StoredFields.id),
            plainByteCount: plainByteCount,
            filter: BlockSummary.Filter(
                form: filter.form,
                lineCount: filter.lineCount,
                lengths: filter.lengths,
                openLengths: filter.openLengths
            ),
            pages: block.pages
        )
        return EncodedBlock(
            tags: tags,
            names: block.names,
            summary: summary,
            bytes: ByteSlice(block.bytes),
            filter: filter
        )
    }

    private static func range(_ values: [Int64]) -> ClosedRange<Int64> {
        var least = values.first ?? 0
        var most = least
        for value in values {
            least = min(least, value)
            most = max(most, value)
        }
        return least...most
    }

    private func range(of name: String) -> ClosedRange<Int64> {
        guard let range = self.fields.first(where: { $0.name == name })?.range else {
            preconditionFailure("stored rows without \(name)")
        }
        return range
    }
}

/// Pages so far.
private struct BlockUnderConstruction {
    var bytes: [UInt8] = []
    var names: [String] = []
    var pages: [BlockSummary.Page] = []

    mutating func append(_ page: [UInt8], name: String, _ summary: ColumnEncoder.Summary) {
        let entry = BlockSummary.Page(
            name: self.names.count,
            offset: self.bytes.count,
            byteCount: page.count,
            checksum: Checksum.crc32c(page),
            summary: summary
        )
        self.pages.append(entry)
        self.names.append(name)
        self.bytes.append(contentsOf: page)
    }

    /// A second name for the page of a field.
    mutating func append(twinOf other: String, name: String) {
        guard let index = self.names.firstIndex(of: other) else { preconditionFailure("no page of '\(other)'") }
        var entry = self.pages[index]
        entry.name = self.names.count
        self.pages.append(entry)
        self.names.append(name)
    }
}

/// Names of fields that storage gives a meaning.
enum StoredFields {
    /// The page of event times; not a column of batches.
    static let time = "@timestamp"
    /// Row number in the repository.
    static let id = "@id"
    /// Arrival in milliseconds.
    static let arrival = "@ingesttimestamp"
    static let repository = "#repo"

    /// Whether the field is a column that storage adds to the rows that it is given.
    static func isOwn(_ name: String) -> Bool { name == Self.id || name == Self.arrival }

    /// Whether the field is not kept per row, whatever the datasource; its tags are not kept either.
    static func isImplied(_ name: String) -> Bool { name == Self.time || name == Self.repository }
}
