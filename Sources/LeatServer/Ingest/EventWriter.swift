internal import LeatCore
internal import LeatStorage

/// Makes rows of events that do not come as one JSON object each: Humio's, Splunk's, Loki's and OTLP's.
///
/// One writer serves one request. Limits are those of documents.
struct EventWriter {
    private let limits: IngestLimits
    private let arrivedAt: Timestamp
    private let shared: SharedDocumentReader
    private var rows = RequestRows()
    /// Events that became rows.
    private(set) var count = 0
    private(set) var textCutCount = 0

    init(limits: IngestLimits, arrivedAt: Timestamp) {
        self.limits = limits
        self.arrivedAt = arrivedAt
        self.shared = SharedDocumentReader(limits: limits, arrivedAt: arrivedAt)
    }

    /// An event in parts.
    struct Event {
        /// `nil`: the time of arrival.
        var time: Timestamp?
        /// The text; `nil`: the JSON of the attributes.
        var text: String?
        /// Fields of the event; nested ones are flattened.
        var attributes: [JSONValue.Member] = []
        /// Fields that are texts already.
        var fields: [(name: String, value: String)] = []
        var tags: [DatasourceTags.Tag] = []
        /// The sender's id, by which an event that is sent again is known.
        var id: ByteSlice?
        /// Whether the text is called `message` too.
        var textIsMessage = false

        /// Sets the time that a sender gave as a text.
        mutating func set(_ time: EventTime, from text: String) {
            self.time = Timestamp(nanoseconds: time.nanoseconds)
            if time.isHeld { self.fields.append((EventTime.originalField, text)) }
        }
    }

    /// Adds an event.
    ///
    /// - Throws: Why it is refused; then nothing was added.
    mutating func add(_ event: Event) throws(ItemFault) {
        guard let rows = self.rows.rows(of: DatasourceTags(Self.bounded(event.tags))) else {
            throw .argument("too many different tags in one request")
        }
        let attributes = JSONValue.object(event.attributes).bytes
        guard attributes.count <= self.limits.eventByteCountMax else {
            throw .argument("event of \(attributes.count) bytes exceeds the limit of \(self.limits.eventByteCountMax)")
        }
        let time: Int64?
        do throws(ItemFault) {
            time = try attributes.withUnsafeBufferPointer { (bytes) throws(ItemFault) in
                try self.shared.reader.readFields(UnsafeRawBufferPointer(bytes), into: rows)
            }
            for (name, value) in event.fields { try self.set(name, value, in: rows) }
        } catch {
            rows.abandonRow()
            throw error
        }
        let source: DatasourceRows.TextSource = event.textIsMessage ? .message : .own
        self.setText(event.text ?? String(decoding: attributes, as: UTF8.self), of: source, in: rows)
        let timestamp = event.time?.nanoseconds ?? time ?? self.arrivedAt.nanoseconds
        rows.endRow(timestamp: timestamp, text: source, id: event.id)
        self.count += 1
    }

    /// Adds a document by the rules of the bulk API.
    mutating func add(
        document: UnsafeRawBufferPointer,
        tags: [DatasourceTags.Tag] = [],
        id: ByteSlice? = nil
    ) throws(ItemFault) {
        guard let rows = self.rows.rows(of: DatasourceTags(Self.bounded(tags))) else {
            throw .argument("too many different tags in one request")
        }
        _ = try self.shared.reader.read(document, into: rows, id: id) { own in
            self.rows.rows(of: DatasourceTags(Self.bounded(own + tags)))
        }
        self.count += 1
    }

    /// All rows as a batch.
    mutating func batch(repository: String) -> IngestBatch {
        IngestBatch(repository: repository, parts: self.rows.finish().parts, arrivedAt: self.arrivedAt)
    }

    private func set(_ name: String, _ value: String, in rows: DatasourceRows) throws(ItemFault) {
        guard name.utf8.count <= self.limits.fieldNameByteCountMax, !name.isEmpty else {
            throw .argument(
                "field name of \(name.utf8.count) bytes; 1 to \(self.limits.fieldNameByteCountMax) are allowed"
            )
        }
        rows.set(DocumentReader.isReserved(name) ? "_" + name : name, to: value)
    }

    private mutating func setText(_ text: String, of source: DatasourceRows.TextSource, in rows: DatasourceRows) {
        var text = text
        text.withUTF8 { bytes in
            let whole = UnsafeRawBufferPointer(bytes)
            let kept = DocumentReader.wholeScalars(whole, self.limits.eventByteCountMax)
            rows.set(rows.column(of: source.field ?? "@rawstring"), to: kept)
            guard kept.count < whole.count else { return }
            rows.set("@truncated", to: "true")
            self.textCutCount += 1
        }
    }

    /// Tags of which no value is too long.
    static func bounded(_ tags: [DatasourceTags.Tag]) -> [DatasourceTags.Tag] {
        tags.map { tag in
            var value = tag.value
            while value.utf8.count > ServerLimits.tagByteCountMax { value.removeLast() }
            return DatasourceTags.Tag(name: tag.name, value: value)
        }
    }
}
