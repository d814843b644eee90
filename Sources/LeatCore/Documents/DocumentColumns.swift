internal import Synchronization

/// The columns of events of which some have no stored text: their `@rawstring` is made from their fields when asked for.
///
/// The column of templates (`JSONShape.columnName`) is hidden; rows that have a text of their own keep it.
public final class DocumentColumns: ColumnSource {
    /// The field whose column is made.
    public static let textName = "@rawstring"

    /// The events as they are stored.
    public let base: Batch
    public let fieldNames: [String]
    private let text = Mutex<Column?>(nil)

    init(_ base: Batch) {
        self.base = base
        let names = base.fieldNames.filter { $0 != JSONShape.columnName }
        self.fieldNames = names.contains(Self.textName) ? names : names + [Self.textName]
    }

    public var storedBytesRead: Int { self.base.storedBytesRead }

    public func column(_ name: String) throws(DamagedBlock) -> Column? {
        switch name {
        case JSONShape.columnName: return nil
        case Self.textName:
            if let known = self.text.withLock({ $0 }) { return known }
            let made = try self.makeText()
            self.text.withLock { $0 = made }
            return made
        default: return try self.base.column(name)
        }
    }

    public func traits(of name: String) -> TextTraits? {
        name == Self.textName ? nil : self.base.traits(of: name)
    }

    private func makeText() throws(DamagedBlock) -> Column? {
        guard let shapes = try self.base.column(JSONShape.columnName) else {
            return try self.base.column(Self.textName)
        }
        let own = try self.base.column(Self.textName)
        var writers: [[UInt8]: DocumentWriter] = [:]
        var offsets: [UInt32] = [0]
        offsets.reserveCapacity(self.base.rowCount + 1)
        var bytes: [UInt8] = []
        var template: [UInt8] = []
        var presence = Bitmap(repeating: true, count: self.base.rowCount)
        for row in 0..<self.base.rowCount {
            template.removeAll(keepingCapacity: true)
            if shapes.appendValue(at: row, to: &template) {
                let writer: DocumentWriter
                if let known = writers[template] {
                    writer = known
                } else {
                    writer = try DocumentWriter(template, self.base)
                    writers[template] = writer
                }
                let timestamp = Timestamp(nanoseconds: self.base.timestamps[row])
                if !writer.append(row, timestamp, to: &bytes) {
                    throw DamagedBlock(
                        path: "a document without text",
                        offset: UInt64(row),
                        reason: "a field is missing"
                    )
                }
            } else if own?.appendValue(at: row, to: &bytes) != true {
                presence.set(row, to: false)
            }
            offsets.append(UInt32(bytes.count))
        }
        let values = ByteStrings(offsets: offsets, bytes: ByteSlice(bytes))
        return .plain(PlainColumn(values: values, presence: presence.isFull ? nil : presence))
    }
}

/// Writes the documents of one shape.
private struct DocumentWriter {
    private let shape: JSONShape
    private let columns: [Column?]

    init(_ template: [UInt8], _ batch: Batch) throws(DamagedBlock) {
        do throws(JSONError) {
            self.shape = try JSONShape(template: ByteSlice(template))
        } catch {
            throw DamagedBlock(path: "a document's template", offset: UInt64(error.offset), reason: "\(error)")
        }
        var columns: [Column?] = []
        for hole in self.shape.holes {
            columns.append(try batch.column(String(decoding: hole.name, as: UTF8.self)))
        }
        self.columns = columns
    }

    func append(_ row: Int, _ timestamp: Timestamp, to text: inout [UInt8]) -> Bool {
        var scratch: [UInt8] = []
        var isWhole = true
        let start = text.count
        let template = self.shape.template.unsafeBytes
        for (index, hole) in self.shape.holes.enumerated() {
            text.append(contentsOf: template.slice(hole.literal))
            switch hole.kind {
            case .time(let form): form.append(timestamp, to: &text)
            case .bare: isWhole = self.columns[index]?.appendValue(at: row, to: &text) ?? false
            case .string:
                scratch.removeAll(keepingCapacity: true)
                isWhole = self.columns[index]?.appendValue(at: row, to: &scratch) ?? false
                scratch.withUnsafeBytes { JSONWriter.append(string: $0, to: &text) }
            }
            if !isWhole {
                text.removeLast(text.count - start)
                return false
            }
        }
        text.append(contentsOf: template.slice(self.shape.end))
        return true
    }
}

extension Batch {
    /// The same events with a text for each: those that are kept without one get it from their fields when asked for.
    ///
    /// Queries see events so; storage keeps them as they are.
    public func showingDocumentText() -> Batch {
        guard self.fieldNames.contains(JSONShape.columnName) else { return self }
        var batch = Batch(
            timestamps: self.timestamps,
            source: DocumentColumns(self),
            timeRange: self.timeRange,
            areTimesAscending: self.areTimesAscending
        )
        batch.selection = self.selection
        return batch
    }

    /// For events shown with their text: the templates, and the texts that are stored; `nil` for other events.
    ///
    /// A needle without JSON punctuation is answered from these and the fields, without making a text.
    public func storedDocumentText() throws(DamagedBlock) -> (templates: Column, own: Column?)? {
        guard let columns = self.source as? DocumentColumns,
            let templates = try columns.base.column(JSONShape.columnName)
        else { return nil }
        return (templates, try columns.base.column(DocumentColumns.textName))
    }
}
