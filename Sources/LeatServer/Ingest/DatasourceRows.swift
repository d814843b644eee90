internal import LeatCore
internal import LeatStorage

/// The rows of one request for one datasource, while they are read.
///
/// Per row: `set` its fields, then `endRow`, or `abandonRow`. Owned by one request.
final class DatasourceRows {
    /// Where the text of a row comes from.
    enum TextSource: UInt8 {
        /// The row has no text.
        case none
        /// A field of that name, which then is the text under a second name and is not held twice.
        case message, log, msg
        /// A text of its own in `@rawstring`.
        case own
        /// The fields, from which the document's text is made when somebody asks for it.
        case fields

        /// The field that is the text.
        var field: String? {
            switch self {
            case .none, .fields: nil
            case .message: "message"
            case .log: "log"
            case .msg: "msg"
            case .own: "@rawstring"
            }
        }
    }

    let tags: DatasourceTags
    /// The number of the part of the request that takes the next row.
    private(set) var part: UInt16
    private var builder = BatchBuilder()
    private var notes = RowNotes()

    /// What is noted of each row beside its fields; together, since each look at a property of an object is checked at
    /// run time.
    private struct RowNotes {
        var textSources: [TextSource] = []
        /// Per row, up to the last one that has an id.
        var ids: [ByteSlice?] = []

        mutating func append(_ source: TextSource, _ id: ByteSlice?) {
            self.textSources.append(source)
            guard let id else { return }
            self.fillIDs(to: self.textSources.count - 1)
            self.ids.append(id)
        }

        mutating func fillIDs(to count: Int) {
            while self.ids.count < count { self.ids.append(nil) }
        }
    }

    init(tags: DatasourceTags, part: UInt16) {
        self.tags = tags
        self.part = part
    }

    /// Rows of the part under construction.
    var rowCount: Int { self.builder.rowCount }

    /// Whether the part can take no more rows.
    var isFull: Bool { self.builder.isFull }

    /// The number of a field's column, the same until the part is finished.
    func column(of name: UnsafeRawBufferPointer) -> Int { self.builder.columnIndex(of: name) }

    /// The number of a field's column, the same until the part is finished.
    func column(of name: String) -> Int { self.builder.columnIndex(of: name) }

    /// Sets the fields of a document in the row under construction, but those whose names belong to the server.
    func append(_ flattener: inout JSONFlattener) {
        flattener.append(to: &self.builder, skipping: DocumentReader.isSkipped)
    }

    /// Sets a field of the row under construction.
    func set(_ column: Int, to value: UnsafeRawBufferPointer) { self.builder.append(value, to: column) }

    /// Sets a field of the row under construction.
    func set(_ name: String, to value: String) {
        var value = value
        let column = self.builder.columnIndex(of: name)
        value.withUTF8 { self.builder.append(UnsafeRawBufferPointer($0), to: column) }
    }

    /// Completes the row.
    func endRow(timestamp: Int64, text: TextSource, id: ByteSlice? = nil) {
        self.builder.endRow(timestamp: timestamp)
        self.notes.append(text, id)
    }

    /// Forgets the fields of the row under construction.
    func abandonRow() { self.builder.abandonRow() }

    /// The rows so far as a part of the request; the rows that follow belong to `part`.
    func finish(next part: UInt16) -> IngestPart {
        var notes = self.notes
        self.notes = RowNotes()
        var batch = self.builder.finish()
        Self.setText(of: &batch, from: notes.textSources)
        if !notes.ids.isEmpty { notes.fillIDs(to: batch.rowCount) }
        self.part = part
        return IngestPart(tags: self.tags, batch: batch, ids: notes.ids.isEmpty ? nil : notes.ids)
    }

    /// Gives a batch its `@rawstring`: the very column of the field that is the text, or, if rows differ, a mixed one.
    private static func setText(of batch: inout Batch, from sources: [TextSource]) {
        guard let first = sources.first else { return }
        if sources.allSatisfy({ $0 == first }) {
            if let field = first.field, first != .own, let column = Self.column(field, of: batch) {
                batch.set("@rawstring", to: column)
            }
            return
        }
        var columns: [TextSource: ByteStrings] = [:]
        for source in Set(sources) {
            if let field = source.field, case .plain(let column) = Self.column(field, of: batch) {
                columns[source] = column.values
            }
        }
        var offsets: [UInt32] = [0]
        var bytes: [UInt8] = []
        var presence = Bitmap(repeating: false, count: sources.count)
        for (row, source) in sources.enumerated() {
            if let values = columns[source] {
                bytes.append(contentsOf: values[row])
                presence.set(row)
            }
            offsets.append(UInt32(bytes.count))
        }
        let values = ByteStrings(offsets: offsets, bytes: ByteSlice(bytes))
        batch.set("@rawstring", to: .plain(PlainColumn(values: values, presence: presence.isFull ? nil : presence)))
    }

    private static func column(_ name: String, of batch: Batch) -> Column? {
        do {
            return try batch.column(name)
        } catch {
            preconditionFailure("a batch in memory is damaged: \(error)")
        }
    }
}
