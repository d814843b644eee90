internal import LeatCore
internal import LeatStorage

/// Reads JSON documents into rows: fields, text and time by the rules of design 2.3.
///
/// One reader serves one request, since it predicts keys from the documents before. Not for two threads.
struct DocumentReader: ~Copyable {
    private let limits: IngestLimits
    private let arrivedAt: Timestamp
    private var flattener: JSONFlattener
    private var shaper = DocumentShaper()
    private var roles: [Role] = []
    private var generation = 0
    /// Events whose text was cut.
    private(set) var textCutCount = 0

    /// What a name means to the event.
    private enum Role: UInt8 {
        case field, eventTime, timestamp, time, date, message, log, msg, rawstring, reserved, unknown

        init(_ name: String) {
            switch name {
            case "@timestamp": self = .eventTime
            case "timestamp": self = .timestamp
            case "time": self = .time
            case "date": self = .date
            case "message": self = .message
            case "log": self = .log
            case "msg": self = .msg
            case "@rawstring": self = .rawstring
            default:
                let isReserved =
                    name.hasPrefix("#") || name == "@id" || name == "@ingesttimestamp" || name == "@timestamp.nanos"
                    || name == JSONShape.columnName
                self = isReserved ? .reserved : .field
            }
        }
    }

    /// What was found in one document.
    private struct Found {
        var eventTime: JSONField?
        /// The fields `timestamp`, `time`, `date`.
        var otherTimes: (JSONField?, JSONField?, JSONField?) = (nil, nil, nil)
        var text: JSONField?
        var textSource = DatasourceRows.TextSource.none
        var hasReserved = false
    }

    init(limits: IngestLimits, arrivedAt: Timestamp) {
        self.limits = limits
        self.arrivedAt = arrivedAt
        self.flattener = JSONFlattener(
            limits: JSONLimits(
                depthMax: limits.depthMax,
                fieldCountMax: limits.fieldCountMax,
                nameByteCountMax: limits.fieldNameByteCountMax
            )
        )
    }

    /// Adds a document as a row.
    ///
    /// - Parameters:
    ///   - bytes: One JSON object.
    ///   - rows: The datasource that gets the row.
    ///   - id: The sender's `_id`.
    ///   - tagged: The datasource of an exported event, by its tags; `nil` when there is no room for another one.
    /// - Returns: The datasource that got the row.
    /// - Throws: Why the document is refused; then no row was added.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        into rows: DatasourceRows,
        id: ByteSlice? = nil,
        tagged: ([DatasourceTags.Tag]) -> DatasourceRows?
    ) throws(ItemFault) -> DatasourceRows {
        try self.flatten(bytes)
        let found = self.find()
        let eventTime = try self.time(found)
        let time = eventTime.nanoseconds
        let exported = found.hasReserved ? self.exportedTags() : nil
        var rows = rows
        if let exported, !exported.isEmpty {
            guard let own = tagged(exported) else { throw .argument("too many different tags in one request") }
            rows = own
        }
        if bytes.count > self.limits.eventByteCountMax {
            try self.addLarge(bytes, found, to: rows)
        } else {
            rows.append(&self.flattener)
        }
        if found.hasReserved, exported == nil { self.addReserved(to: rows) }
        if eventTime.isHeld, let field = found.eventTime { Self.keep(field, in: rows) }
        var source = found.textSource
        if source == .none { source = self.addText(of: bytes, found, time, to: rows) }
        rows.endRow(timestamp: time, text: source, id: id)
        return rows
    }

    /// Sets the fields of a JSON object in a row under construction, but neither text nor end of the row.
    ///
    /// - Returns: The time that the fields name, if they do.
    /// - Throws: Why the object is refused; the row is the caller's to abandon.
    mutating func readFields(_ bytes: UnsafeRawBufferPointer, into rows: DatasourceRows) throws(ItemFault) -> Int64? {
        try self.flatten(bytes)
        let found = self.find()
        let time = try self.time(found)
        rows.append(&self.flattener)
        if found.hasReserved { self.addReserved(to: rows) }
        if time.isHeld, let field = found.eventTime { Self.keep(field, in: rows) }
        return time.nanoseconds == self.arrivedAt.nanoseconds ? nil : time.nanoseconds
    }

    /// Whether a name belongs to the server.
    static func isReserved(_ name: String) -> Bool {
        let role = Role(name)
        return role == .reserved || role == .eventTime || role == .rawstring
    }

    /// Whether a field of that name must not be a column, because the name belongs to the server.
    static func isSkipped(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.first == UInt8(ascii: "@") || name.first == UInt8(ascii: "#") else { return false }
        let role = Role(String(decoding: name, as: UTF8.self))
        return role == .eventTime || role == .reserved
    }

    private mutating func flatten(_ bytes: UnsafeRawBufferPointer) throws(ItemFault) {
        do {
            try self.flattener.flatten(bytes)
        } catch {
            throw .document("failed to parse: \(error)")
        }
        if self.flattener.generation != self.generation {
            self.roles = []
            self.generation = self.flattener.generation
        }
    }

    private mutating func find() -> Found {
        var found = Found()
        var textRank = 4
        func isText(_ field: JSONField, _ source: DatasourceRows.TextSource, rank: Int) {
            guard field.kind == .string, rank <= textRank else { return }
            textRank = rank
            found.text = field
            found.textSource = source
        }
        // Taken once: each look at a property of an object is checked at run time.
        let roles = self.roles
        for field in self.flattener.fields {
            let name = Int(field.name)
            let role = name < roles.count ? roles[name] : .unknown
            if role == .field { continue }
            switch role == .unknown ? self.learnRole(name) : role {
            case .field, .unknown: break
            case .eventTime: found.eventTime = field
            case .timestamp: found.otherTimes.0 = field
            case .time: found.otherTimes.1 = field
            case .date: found.otherTimes.2 = field
            case .rawstring: isText(field, .own, rank: 0)
            case .message: isText(field, .message, rank: 1)
            case .log: isText(field, .log, rank: 2)
            case .msg: isText(field, .msg, rank: 3)
            case .reserved: found.hasReserved = true
            }
        }
        return found
    }

    private mutating func learnRole(_ name: Int) -> Role {
        while self.roles.count <= name { self.roles.append(.unknown) }
        let role = Role(String(decoding: self.flattener.name(Int32(name)), as: UTF8.self))
        self.roles[name] = role
        return role
    }

    private func time(_ found: Found) throws(ItemFault) -> EventTime {
        if let field = found.eventTime, field.kind != .null {
            guard let time = Self.parse(field) else {
                throw .document(
                    "failed to parse field [@timestamp]: '\(String(decoding: field.value.prefix(64), as: UTF8.self))' "
                        + "is neither ISO 8601 nor an epoch number"
                )
            }
            return time
        }
        let (timestamp, time, date) = found.otherTimes
        for field in [timestamp, time, date] {
            if let field, let time = Self.parse(field), !time.isHeld { return time }
        }
        return EventTime(self.arrivedAt)
    }

    private static func parse(_ field: JSONField) -> EventTime? {
        guard field.kind == .string || field.kind == .number else { return nil }
        return EventTime(field.value)
    }

    /// Keeps a time beyond what can be told as it was written.
    private static func keep(_ time: JSONField, in rows: DatasourceRows) {
        rows.set(rows.column(of: EventTime.originalField), to: time.value)
    }

    /// The tags of a document that is an event of a Leat, as `export` and queries write it; `nil` for any other.
    ///
    /// Its `@id`, `@ingesttimestamp` and `#repo` are made anew.
    private func exportedTags() -> [DatasourceTags.Tag]? {
        var tags: [DatasourceTags.Tag] = []
        var isExported = false
        for field in self.flattener.fields where self.roles[Int(field.name)] == .reserved {
            let name = String(decoding: self.flattener.name(field.name), as: UTF8.self)
            if name == "@ingesttimestamp" { isExported = true }
            guard name.hasPrefix("#"), name != "#repo", field.kind == .string else { continue }
            tags.append(.init(name: name, value: String(decoding: field.value, as: UTF8.self)))
        }
        return isExported ? tags : nil
    }

    /// Adds a document that is longer than an event may be: its text is cut if that is enough.
    private mutating func addLarge(
        _ bytes: UnsafeRawBufferPointer,
        _ found: Found,
        to rows: DatasourceRows
    ) throws(ItemFault) {
        let limit = self.limits.eventByteCountMax
        guard let text = found.text, let field = found.textSource.field else { throw Self.tooLarge(bytes.count, limit) }
        var others = 0
        for field in self.flattener.fields { others += field.value.count }
        others -= text.value.count
        guard others < limit else { throw Self.tooLarge(bytes.count, limit) }
        rows.append(&self.flattener)
        let room = limit - others
        if text.value.count > room {
            let cut = Self.wholeScalars(text.value, room)
            rows.set(rows.column(of: field), to: cut)
            rows.set("@truncated", to: "true")
            self.textCutCount += 1
        }
    }

    private static func tooLarge(_ count: Int, _ limit: Int) -> ItemFault {
        ItemFault(
            status: 413,
            type: "document_too_large_exception",
            reason: "event of \(count) bytes exceeds the limit of \(limit) bytes and its text cannot be cut enough"
        )
    }

    /// The longest start of at most `count` bytes that does not end inside a character.
    static func wholeScalars(_ text: UnsafeRawBufferPointer, _ count: Int) -> UnsafeRawBufferPointer {
        guard text.count > count else { return text }
        var end = max(0, count)
        while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[..<end])
    }

    /// Keeps fields whose names belong to the server under another name.
    private mutating func addReserved(to rows: DatasourceRows) {
        for field in self.flattener.fields where field.kind != .null {
            guard self.roles[Int(field.name)] == .reserved else { continue }
            let name = "_" + String(decoding: self.flattener.name(field.name), as: UTF8.self)
            rows.set(rows.column(of: name), to: field.value)
        }
    }

    /// A document without a text field has its own compact JSON as text, which is made from the fields when somebody
    /// asks for it, or kept if that cannot be.
    private mutating func addText(
        of bytes: UnsafeRawBufferPointer,
        _ found: Found,
        _ time: Int64,
        to rows: DatasourceRows
    ) -> DatasourceRows.TextSource {
        // Reserved names are stored under others.
        if !found.hasReserved, bytes.count <= self.limits.eventByteCountMax {
            let template = self.shaper.template(
                of: &self.flattener,
                timeField: found.eventTime,
                timestamp: Timestamp(nanoseconds: time)
            )
            if let template {
                rows.set(rows.column(of: JSONShape.columnName), to: template.unsafeBytes)
                return .fields
            }
        }
        do {
            let text = try JSONCompact.compacted(bytes)
            text.withUnsafeBytes { text in
                rows.set(rows.column(of: "@rawstring"), to: Self.wholeScalars(text, self.limits.eventByteCountMax))
            }
        } catch {
            preconditionFailure("a document was flattened, but is not JSON: \(error)")
        }
        return .own
    }
}

/// A reader that copies of a request share.
final class SharedDocumentReader {
    /// To be used with one look per document, since each look at a property of an object is checked at run time.
    var reader: DocumentReader

    init(limits: IngestLimits, arrivedAt: Timestamp) {
        self.reader = DocumentReader(limits: limits, arrivedAt: arrivedAt)
    }
}
