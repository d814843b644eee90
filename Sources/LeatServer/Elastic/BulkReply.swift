internal import LeatCore
internal import LeatStorage

/// Writes the answer to a bulk request; `elasticsearch-bulk.md` 1.6.
///
/// The order is `took`, `errors`, `items`, since Fluent Bit looks for `"errors":false,"items":[` in answers that it had to
/// cut.
struct BulkReply {
    let items: BulkItems
    let outcome: AppendOutcome
    /// For each part number of the items its place in the stored batch.
    let placeOfPart: [Int?]
    /// Makes ids for items without one.
    let idPrefix: String
    let filter: FilterPath?
    /// Time that the request took, in milliseconds.
    let tookMilliseconds: Int

    /// What the answer says of one item.
    private enum Result {
        case created(id: String, sequence: Int)
        case updated(id: String)
        case conflict(id: String)
        case notFound(id: String)
        case refused(RefusedItem)
    }

    /// The answer as JSON.
    func bytes() -> [UInt8] {
        let refused = self.outcome.isRepeat ? self.outcome.refused : self.items.refused
        let repeated = self.repeatedRows()
        let conflicts = self.items.items.contains { item in
            item.kind == .create && !repeated.isEmpty && repeated.contains(Self.place(item))
        }
        let hasErrors = !refused.isEmpty || conflicts
        if let filter = self.filter { return self.filtered(filter, refused, repeated, hasErrors: hasErrors) }
        var bytes = Array("{\"took\":\(self.tookMilliseconds),\"errors\":\(hasErrors),\"items\":[".utf8)
        bytes.reserveCapacity(self.items.count * 200)
        let indexes = self.items.indexNames.map { JSONValue.string($0).bytes }
        self.forEachResult(refused, repeated) { item, position, result in
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            if case .created(let id, let sequence) = result {
                // Fast path: nearly every item.
                bytes += "{\"\(item.kind.name)\":{\"_index\":".utf8
                bytes += indexes[Int(item.index)]
                bytes += ",\"_id\":".utf8
                JSONWriter.append(string: id, to: &bytes)
                bytes += Self.createdHead
                bytes += String(sequence).utf8
                bytes += Self.createdTail
            } else {
                bytes += self.value(item, result).bytes
            }
        }
        bytes += "]}".utf8
        return bytes
    }

    private static let createdHead = Array(
        ",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":"
            .utf8
    )
    private static let createdTail = Array(",\"_primary_term\":1,\"status\":201}}".utf8)

    /// The answer for one document, as `_doc` and `_create` give it, and its status.
    func single() -> (status: Int, value: JSONValue) {
        var answer: (Int, JSONValue) = (201, .object([]))
        let refused = self.outcome.isRepeat ? self.outcome.refused : self.items.refused
        self.forEachResult(refused, self.repeatedRows()) { item, _, result in
            let value = self.value(item, result)[item.kind.name] ?? .null
            let status = value["status"]?.integer ?? 500
            var members = (value.object ?? []).filter { $0.key != "status" }
            if let error = value["error"] {
                let cause = JSONValue.array([error])
                members = [
                    .init("error", .object([.init("root_cause", cause)] + (error.object ?? []))),
                    .init("status", JSONValue(Int(status))),
                ]
            }
            answer = (Int(status), .object(members))
        }
        return answer
    }

    private func filtered(
        _ filter: FilterPath,
        _ refused: [RefusedItem],
        _ repeated: Set<UInt64>,
        hasErrors: Bool
    ) -> [UInt8] {
        let head = JSONValue.object([
            .init("took", JSONValue(self.tookMilliseconds)), .init("errors", .bool(hasErrors)),
        ])
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for member in filter.apply(to: head)?.object ?? [] {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            JSONWriter.append(string: member.key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes += member.value.bytes
        }
        var items: [UInt8] = []
        var plain = Self.PlainItems(filter)
        self.forEachResult(refused, repeated) { item, _, result in
            if case .created = result, let known = plain.text(item.kind, self.value(item, result)) {
                // Fast path: what the client wants to know is the same for all items that went well.
                if !items.isEmpty, !known.isEmpty { items.append(UInt8(ascii: ",")) }
                items += known
            } else if let kept = filter.apply(to: ["items": .array([self.value(item, result)])])?["items"]?.array {
                if !items.isEmpty { items.append(UInt8(ascii: ",")) }
                items += kept[0].bytes
            }
        }
        if !items.isEmpty {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += "\"items\":[".utf8 + items + "]".utf8
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// What a filter leaves of items that went well, once per kind, if it leaves nothing that differs.
    private struct PlainItems {
        let filter: FilterPath
        var known: [BulkAction.Kind: [UInt8]?] = [:]

        init(_ filter: FilterPath) { self.filter = filter }

        /// The text, empty if nothing is left; `nil` when items differ.
        mutating func text(_ kind: BulkAction.Kind, _ value: @autoclosure () -> JSONValue) -> [UInt8]? {
            if let known = self.known[kind] { return known }
            let kept = self.filter.apply(to: ["items": .array([value()])])?["items"]?.array?.first
            var text: [UInt8]? = []
            if let kept {
                let members = kept[kind.name]
                let differs = ["_index", "_id", "_seq_no"].contains { members?[$0] != nil }
                text = differs ? nil : kept.bytes
            }
            self.known[kind] = .some(text)
            return text
        }
    }

    private static func place(_ item: BulkItems.Item) -> UInt64 { UInt64(item.part) << 32 | UInt64(item.row) }

    private func repeatedRows() -> Set<UInt64> {
        var rows: Set<UInt64> = []
        for (part, place) in self.placeOfPart.enumerated() {
            guard let place, place < self.outcome.repeatedIDs.count else { continue }
            for row in self.outcome.repeatedIDs[place] { rows.insert(UInt64(part) << 32 | UInt64(row)) }
        }
        return rows
    }

    private func forEachResult(
        _ refused: [RefusedItem],
        _ repeated: Set<UInt64>,
        _ body: (BulkItems.Item, Int, Result) -> Void
    ) {
        var nextRefused = refused.makeIterator()
        var fault = nextRefused.next()
        for (position, item) in self.items.items.enumerated() {
            let id = self.items.ids[UInt32(position)] ?? "\(self.idPrefix)\(position)"
            if let known = fault, known.position == UInt32(position) {
                fault = nextRefused.next()
                body(item, position, known.status == 404 ? .notFound(id: id) : .refused(known))
            } else if !repeated.isEmpty, repeated.contains(Self.place(item)) {
                body(item, position, item.kind == .create ? .conflict(id: id) : .updated(id: id))
            } else {
                body(item, position, .created(id: id, sequence: position))
            }
        }
    }

    private func value(_ item: BulkItems.Item, _ result: Result) -> JSONValue {
        .object([.init(item.kind.name, .object(self.members(item, result)))])
    }

    private func members(_ item: BulkItems.Item, _ result: Result) -> [JSONValue.Member] {
        let index = JSONValue.Member("_index", .string(self.items.indexNames[Int(item.index)]))
        func done(_ id: String, _ version: Int, _ word: String, _ sequence: Int, _ status: Int) -> [JSONValue.Member] {
            [
                index, .init("_id", .string(id)), .init("_version", JSONValue(version)), .init("result", .string(word)),
                .init("_shards", ["total": 1, "successful": 1, "failed": 0]), .init("_seq_no", JSONValue(sequence)),
                .init("_primary_term", 1), .init("status", JSONValue(status)),
            ]
        }
        func failed(_ id: String?, _ status: Int, _ type: String, _ reason: String) -> [JSONValue.Member] {
            var error: [JSONValue.Member] = [.init("type", .string(type)), .init("reason", .string(reason))]
            if type == "document_parsing_exception" {
                error.append(.init("caused_by", ["type": "illegal_argument_exception", "reason": .string(reason)]))
            }
            if type == "invalid_index_name_exception" {
                error += [.init("index_uuid", "_na_"), .init("index", index.value)]
            }
            return [
                index, .init("_id", id.map { .string($0) } ?? .null), .init("status", JSONValue(status)),
                .init("error", .object(error)),
            ]
        }
        switch result {
        case .created(let id, let sequence): return done(id, 1, "created", sequence, 201)
        case .updated(let id): return done(id, 2, "updated", 0, 200)
        case .notFound(let id): return done(id, 1, "not_found", 0, 404)
        case .conflict(let id):
            let reason = "[\(id)]: version conflict, document already exists (current version [1])"
            return failed(id, 409, "version_conflict_engine_exception", reason)
        case .refused(let item):
            return failed(self.items.ids[item.position], Int(item.status), item.type, item.reason)
        }
    }
}
