internal import Glibc
internal import LeatCore
internal import LeatStorage

/// A bulk request while it is read: its items and their rows.
struct BulkRequest {
    private let limits: IngestLimits
    private let arrivedAt: Timestamp
    private let defaultIndex: String
    /// Whether an action without an index is a fault, as in Elasticsearch; Leat's own endpoints do not need one.
    private let needsIndex: Bool
    private var framing = BulkFraming()
    private let shared: SharedDocumentReader
    private var rows = RequestRows()
    private var items = BulkItems()
    private var lastLine: [UInt8] = []
    private var lastAction: BulkAction?
    private var action: BulkAction?
    /// Positions of the actions that name no index.
    private var withoutIndex: [Int] = []
    private var tagsOfIndex: [String: DatasourceTags] = [:]
    private var lastTags: (index: String, tags: DatasourceTags)?
    private(set) var byteCount = 0

    /// Events whose text was cut.
    var textCutCount: Int { self.shared.reader.textCutCount }

    init(arrivedAt: Timestamp, limits: IngestLimits, defaultIndex: String, needsIndex: Bool) {
        self.limits = limits
        self.arrivedAt = arrivedAt
        self.defaultIndex = defaultIndex
        self.needsIndex = needsIndex
        self.shared = SharedDocumentReader(limits: limits, arrivedAt: arrivedAt)
    }

    /// Takes the next bytes of the body.
    mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
        self.byteCount += bytes.count
        // Taken out and put back, so that the closure may change the rest of the request.
        var framing = self.framing
        try framing.consume(bytes) { (event) throws(RequestFault) in
            switch event {
            case .action(let line, let number): return try self.begin(line, number: number)
            case .source(let line, _):
                self.add(source: line)
                return false
            }
        }
        self.framing = framing
    }

    /// Checks that the request is complete.
    mutating func finish() throws(RequestFault) {
        try self.framing.finish()
        guard self.withoutIndex.isEmpty else {
            let faults = self.withoutIndex.prefix(100).indices.map { "\($0 + 1): index is missing;" }
            throw .elastic(400, "action_request_validation_exception", "Validation Failed: " + faults.joined())
        }
    }

    /// Adds a single document, outside of a bulk body.
    mutating func add(_ document: [UInt8], _ action: BulkAction) throws(RequestFault) {
        self.byteCount += document.count
        self.action = action
        document.withUnsafeBytes { self.add(source: $0) }
    }

    /// Everything that is to be stored, and what it takes to word the answer.
    mutating func batch(
        repository: String,
        key: BatchKey?
    ) -> (batch: IngestBatch, items: BulkItems, placeOfPart: [Int?]) {
        let (parts, places) = self.rows.finish()
        let batch = IngestBatch(
            repository: repository,
            parts: parts,
            arrivedAt: self.arrivedAt,
            key: key,
            refused: self.items.refused
        )
        return (batch, self.items, places)
    }

    private mutating func begin(_ line: UnsafeRawBufferPointer, number: Int) throws(RequestFault) -> Bool {
        let action: BulkAction
        if let last = self.lastAction, Self.areEqual(self.lastLine, line) {
            // Fast path: shippers repeat the same line.
            action = last
        } else {
            action = try BulkAction.read(line, number: number, defaultIndex: self.defaultIndex)
            self.lastLine = Array(line)
            self.lastAction = action
        }
        if action.index.isEmpty, self.needsIndex, !action.isBare { self.withoutIndex.append(self.items.count) }
        self.action = action
        guard action.hasSource else {
            self.refuse(
                action,
                ItemFault(status: 404, type: "not_found", reason: "events cannot be deleted one by one")
            )
            return false
        }
        return true
    }

    private static func areEqual(_ line: [UInt8], _ other: UnsafeRawBufferPointer) -> Bool {
        guard line.count == other.count, let start = other.baseAddress else { return false }
        return line.withUnsafeBytes { memcmp($0.baseAddress ?? start, start, other.count) == 0 }
    }

    private mutating func add(source: UnsafeRawBufferPointer) {
        guard let action = self.action else { preconditionFailure("a source line without an action") }
        do throws(ItemFault) {
            try self.check(action)
            let tags = self.tags(action)
            guard let index = self.items.number(ofIndex: action.index), let rows = self.rows.rows(of: tags)
            else { throw ItemFault.argument("too many different indexes in one request") }
            // Ids are unique per index, so the index belongs to what tells repeats apart; no name of an index has a NUL.
            let id = action.id.map { ByteSlice("\(action.index)\0\($0)") }
            let used =
                action.kind == .update
                ? try self.update(source, rows, id, tags) : try self.read(source, rows, id, tags)
            let row = UInt16(used.rowCount - 1)
            self.items.append(action.kind, index: index, id: action.id, part: used.part, row: row)
        } catch {
            self.refuse(action, error)
        }
    }

    /// Stores the document of an update that may create one; anything else is refused.
    private mutating func update(
        _ source: UnsafeRawBufferPointer,
        _ rows: DatasourceRows,
        _ id: ByteSlice?,
        _ tags: DatasourceTags
    ) throws(ItemFault) -> DatasourceRows {
        let value: JSONValue
        do {
            value = try JSONValue(source)
        } catch {
            throw .document("failed to parse: \(error)")
        }
        guard let document = value["upsert"] ?? value["doc"], document.object != nil else {
            throw .argument("events cannot be changed; an update needs 'doc' or 'upsert'")
        }
        let bytes = document.bytes
        return try bytes.withUnsafeBufferPointer { (bytes) throws(ItemFault) in
            try self.read(UnsafeRawBufferPointer(bytes), rows, id, tags)
        }
    }

    private mutating func read(
        _ document: UnsafeRawBufferPointer,
        _ rows: DatasourceRows,
        _ id: ByteSlice?,
        _ tags: DatasourceTags
    ) throws(ItemFault) -> DatasourceRows {
        try self.shared.reader.read(document, into: rows, id: id) { own in
            self.rows.rows(of: DatasourceTags(EventWriter.bounded(own + tags.tags)))
        }
    }

    private func check(_ action: BulkAction) throws(ItemFault) {
        // An index that has tags has been checked.
        let isKnown = self.lastTags.map { $0.index == action.index } ?? false
        if !isKnown, !action.index.isEmpty, let fault = IndexName.fault(action.index) {
            throw ItemFault(
                status: 400,
                type: "invalid_index_name_exception",
                reason: "Invalid index name [\(action.index)], \(fault)"
            )
        }
        guard let id = action.id else { return }
        if id.isEmpty { throw .argument("if _id is specified it must not be empty") }
        if id.utf8.count > ServerLimits.idByteCountMax {
            throw .argument(
                "id [\(id.prefix(64))…] is too long, must be no longer than \(ServerLimits.idByteCountMax) bytes "
                    + "but was: \(id.utf8.count)"
            )
        }
    }

    private mutating func tags(_ action: BulkAction) -> DatasourceTags {
        if action.index.isEmpty { return .none }
        // Fast path: most requests have one index.
        if let (index, tags) = self.lastTags, index == action.index { return tags }
        let tags = self.tagsOfIndex[action.index] ?? IndexName.tags(action.index)
        self.tagsOfIndex[action.index] = tags
        self.lastTags = (action.index, tags)
        return tags
    }

    private mutating func refuse(_ action: BulkAction, _ fault: ItemFault) {
        let index = self.items.number(ofIndex: action.index) ?? 0
        self.items.append(action.kind, index: index, id: action.id, fault: fault)
    }
}
