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
        case created, updated, conflict, notFound
        case refused(RefusedItem)
    }

    /// The answer as JSON.
    func bytes() -> [UInt8] {
        var results = Results(self)
        let conflicts = self.items.items.contains { results.isConflict($0) }
        let hasErrors = !results.refused.isEmpty || conflicts
        if let filter = self.filter { return self.filtered(filter, &results, hasErrors: hasErrors) }
        var bytes = Array("{\"took\":\(self.tookMilliseconds),\"errors\":\(hasErrors),\"items\":[".utf8)
        bytes.reserveCapacity(self.items.count * 200)
        let indexes = self.items.indexNames.map { JSONValue.string($0).bytes }
        for (position, item) in self.items.items.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            let result = results.next(item, position)
            if case .created = result {
                // Fast path: nearly every item.
                bytes += Self.itemHeads[Int(item.kind.rawValue)]
                bytes += indexes[Int(item.index)]
                bytes += Self.idHead
                self.append(idOf: position, to: &bytes)
                bytes += Self.createdHead
                Self.append(number: position, to: &bytes)
                bytes += Self.createdTail
            } else {
                bytes += self.value(item, position, result).bytes
            }
        }
        bytes += "]}".utf8
        return bytes
    }

    /// The item's id as a JSON string; ids that we make need no escapes.
    private func append(idOf position: Int, to bytes: inout [UInt8]) {
        if !self.items.ids.isEmpty, let id = self.items.ids[UInt32(position)] {
            JSONWriter.append(string: id, to: &bytes)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        bytes += self.idPrefix.utf8
        Self.append(number: position, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private func id(of position: Int) -> String {
        self.items.ids[UInt32(position)] ?? "\(self.idPrefix)\(position)"
    }

    private static func append(number: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private static let itemHeads: [[UInt8]] = (UInt8(0)..<4).map { kind in
        Array("{\"\(BulkAction.Kind(rawValue: kind)?.name ?? "")\":{\"_index\":".utf8)
    }
    private static let idHead = Array(",\"_id\":".utf8)
    private static let createdHead = Array(
        ",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0},\"_seq_no\":"
            .utf8
    )
    private static let createdTail = Array(",\"_primary_term\":1,\"status\":201}}".utf8)

    /// The answer for one document, as `_doc` and `_create` give it, and its status.
    func single() -> (status: Int, value: JSONValue) {
        var answer: (Int, JSONValue) = (201, .object([]))
        var results = Results(self)
        for (position, item) in self.items.items.enumerated() {
            let value = self.value(item, position, results.next(item, position))[item.kind.name] ?? .null
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

    private func filtered(_ filter: FilterPath, _ results: inout Results, hasErrors: Bool) -> [UInt8] {
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
        var plain = PlainItems(filter)
        for (position, item) in self.items.items.enumerated() {
            let result = results.next(item, position)
            if case .created = result {
                // Fast path: what the client wants to know is the same for all items that went well.
                if plain.isUnknown(item.kind) { plain.learn(item.kind, self.value(item, position, result)) }
                if let known = plain.text(item.kind) {
                    if known.isEmpty { continue }
                    if !items.isEmpty { items.append(UInt8(ascii: ",")) }
                    items += known
                    continue
                }
            }
            let value = self.value(item, position, result)
            if let kept = filter.apply(to: ["items": .array([value])])?["items"]?.array {
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
        private enum Text {
            case unknown, differs
            case same([UInt8])
        }

        private let filter: FilterPath
        private var texts = [Text](repeating: .unknown, count: 4)

        init(_ filter: FilterPath) { self.filter = filter }

        func isUnknown(_ kind: BulkAction.Kind) -> Bool {
            if case .unknown = self.texts[Int(kind.rawValue)] { true } else { false }
        }

        mutating func learn(_ kind: BulkAction.Kind, _ value: JSONValue) {
            guard let kept = self.filter.apply(to: ["items": .array([value])])?["items"]?.array?.first else {
                self.texts[Int(kind.rawValue)] = .same([])
                return
            }
            let members = kept[kind.name]
            let differs = ["_index", "_id", "_seq_no"].contains { members?[$0] != nil }
            self.texts[Int(kind.rawValue)] = differs ? .differs : .same(kept.bytes)
        }

        /// The text, empty if nothing is left; `nil` when items differ.
        func text(_ kind: BulkAction.Kind) -> [UInt8]? {
            if case .same(let text) = self.texts[Int(kind.rawValue)] { text } else { nil }
        }
    }

    /// Tells what became of each item; ask in their order.
    private struct Results {
        /// By ascending position.
        let refused: [RefusedItem]
        private var nextRefused = 0
        /// Rows whose `_id` was stored before.
        private var repeated: Set<UInt64> = []

        init(_ reply: BulkReply) {
            self.refused = reply.outcome.isRepeat ? reply.outcome.refused : reply.items.refused
            for (part, place) in reply.placeOfPart.enumerated() {
                guard let place, place < reply.outcome.repeatedIDs.count else { continue }
                for row in reply.outcome.repeatedIDs[place] {
                    self.repeated.insert(UInt64(part) << 32 | UInt64(row))
                }
            }
        }

        private func isRepeated(_ item: BulkItems.Item) -> Bool {
            !self.repeated.isEmpty && self.repeated.contains(UInt64(item.part) << 32 | UInt64(item.row))
        }

        func isConflict(_ item: BulkItems.Item) -> Bool { item.kind == .create && self.isRepeated(item) }

        mutating func next(_ item: BulkItems.Item, _ position: Int) -> Result {
            if self.nextRefused < self.refused.count, Int(self.refused[self.nextRefused].position) == position {
                self.nextRefused += 1
                let known = self.refused[self.nextRefused - 1]
                return known.status == 404 ? .notFound : .refused(known)
            }
            guard self.isRepeated(item) else { return .created }
            return item.kind == .create ? .conflict : .updated
        }
    }

    private func value(_ item: BulkItems.Item, _ position: Int, _ result: Result) -> JSONValue {
        .object([.init(item.kind.name, .object(self.members(item, position, result)))])
    }

    private func members(_ item: BulkItems.Item, _ position: Int, _ result: Result) -> [JSONValue.Member] {
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
        case .created: return done(self.id(of: position), 1, "created", position, 201)
        case .updated: return done(self.id(of: position), 2, "updated", 0, 200)
        case .notFound: return done(self.id(of: position), 1, "not_found", 0, 404)
        case .conflict:
            let id = self.id(of: position)
            let reason = "[\(id)]: version conflict, document already exists (current version [1])"
            return failed(id, 409, "version_conflict_engine_exception", reason)
        case .refused(let item):
            return failed(self.items.ids[item.position], Int(item.status), item.type, item.reason)
        }
    }
}
