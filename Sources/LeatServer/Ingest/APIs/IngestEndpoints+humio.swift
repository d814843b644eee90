internal import LeatCore
internal import LeatStorage

/// Humio's own ingest APIs; `humio-api.md` section 2.
extension IngestEndpoints {
    /// `humio-structured`: `[{"tags":{},"events":[{"timestamp","timezone","attributes":{},"rawstring"}]}]`.
    func humioStructured(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        for group in try self.groups(incoming) {
            let tags = try self.tags(group, incoming)
            guard let events = group["events"]?.array else {
                throw self.refusal("every element needs the member events (an array)", incoming)
            }
            for event in events {
                var parts = EventWriter.Event()
                parts.tags = tags
                try self.setTime(of: &parts, event, incoming)
                parts.text = event["rawstring"]?.scalarText
                parts.attributes = event["attributes"]?.object ?? []
                try self.add(parts, to: &writer, incoming)
            }
        }
        try await self.store(&writer, incoming, .humioStructured)
        return Reply(200, json: .object([]))
    }

    /// `humio-unstructured`: `[{"type","fields":{},"tags":{},"messages":[]}]`.
    func humioUnstructured(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        for group in try self.groups(incoming) {
            var tags = try self.tags(group, incoming)
            if let type = group["type"]?.string, !type.isEmpty { tags.append(.init(name: "#type", value: type)) }
            guard let messages = group["messages"]?.array else {
                throw self.refusal("every element needs the member messages (an array of strings)", incoming)
            }
            let fields = (group["fields"]?.object ?? []).compactMap { member in
                member.value.scalarText.map { (name: member.key, value: $0) }
            }
            for message in messages {
                guard let text = message.scalarText else {
                    throw self.refusal("messages must be strings, not \(message.jsonText.prefix(60))", incoming)
                }
                var parts = EventWriter.Event()
                parts.tags = tags
                parts.text = text
                parts.fields = fields
                try self.add(parts, to: &writer, incoming)
            }
        }
        // Humio takes messages of no known type apart by their pairs.
        try await self.store(&writer, incoming, .humioUnstructured, parser: .byType(orElse: "kv"))
        return Reply(200, json: .object([]))
    }

    /// `json`: one object, an array of objects, or one object a line.
    func json(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let faults = try self.addDocuments(incoming, to: &writer)
        try await self.store(&writer, incoming, .json, refused: faults.map(\.type))
        if faults.isEmpty { return Reply(200, json: .object([])) }
        return Reply(
            200,
            json: [
                "stored": JSONValue(writer.count),
                "errors": .array(faults.map { ["event": JSONValue($0.position), "reason": .string($0.reason)] }),
            ]
        )
    }

    /// `raw`: the body is one event.
    func raw(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let end = incoming.body.lastIndex { $0 != 0x0A && $0 != 0x0D }
        let text = end.map { String(decoding: incoming.body[...$0], as: UTF8.self) } ?? ""
        guard !text.isEmpty else { throw self.refusal("the body is empty", incoming) }
        try self.add(EventWriter.Event(text: text), to: &writer, incoming)
        try await self.store(&writer, incoming, .raw)
        return Reply(200, json: .object([]))
    }

    /// A document that was refused; its neighbours are stored.
    struct DocumentFault: Sendable {
        let position: Int
        let type: String
        let reason: String
    }

    private func addDocuments(_ incoming: Incoming, to writer: inout EventWriter) throws -> [DocumentFault] {
        var faults: [DocumentFault] = []
        let first = incoming.body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "[") {
            for (position, value) in (try self.value(incoming).array ?? []).enumerated() {
                let bytes = value.bytes
                bytes.withUnsafeBytes { self.add($0, position, to: &writer, &faults) }
            }
            return faults
        }
        if let whole = self.object(incoming.body) {
            let bytes = whole.bytes
            bytes.withUnsafeBytes { self.add($0, 0, to: &writer, &faults) }
        } else {
            incoming.body.withUnsafeBytes { bytes in
                for (position, line) in bytes.split(separator: 0x0A).enumerated() {
                    let line = UnsafeRawBufferPointer(rebasing: line)
                    if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
                    self.add(line, position, to: &writer, &faults)
                }
            }
        }
        if writer.count == 0, let fault = faults.first { throw self.refusal(fault.reason, incoming) }
        return faults
    }

    /// The body as one object, if it is one: a pretty-printed document has newlines inside.
    private func object(_ body: [UInt8]) -> JSONValue? {
        do throws(JSONError) {
            let value = try JSONValue(body)
            return value.object == nil ? nil : value
        } catch {
            return nil
        }
    }

    private func add(
        _ document: UnsafeRawBufferPointer,
        _ position: Int,
        to writer: inout EventWriter,
        _ faults: inout [DocumentFault]
    ) {
        do throws(ItemFault) {
            try writer.add(document: document)
        } catch {
            faults.append(DocumentFault(position: position, type: error.type, reason: error.reason))
        }
    }

    /// Adds an event; one that is refused refuses the request.
    func add(_ event: EventWriter.Event, to writer: inout EventWriter, _ incoming: Incoming) throws(RequestFault) {
        do throws(ItemFault) {
            try writer.add(event)
        } catch {
            throw self.refusal("event \(writer.count): \(error.reason)", incoming)
        }
    }

    private func groups(_ incoming: Incoming) throws(RequestFault) -> [JSONValue] {
        let value = try self.value(incoming)
        guard let groups = value.array, groups.allSatisfy({ $0.object != nil }) else {
            throw self.refusal("the body must be an array of objects", incoming)
        }
        return groups
    }

    private func tags(_ group: JSONValue, _ incoming: Incoming) throws(RequestFault) -> [DatasourceTags.Tag] {
        var tags: [DatasourceTags.Tag] = []
        for member in group["tags"]?.object ?? [] {
            guard let value = member.value.scalarText else {
                throw self.refusal("tag '\(member.key)' must be a string", incoming)
            }
            tags.append(.init(name: member.key, value: value))
        }
        return tags
    }

    /// The time of a structured event: milliseconds, or ISO 8601; `timezone` counts for times without a zone.
    private func setTime(
        of parts: inout EventWriter.Event,
        _ event: JSONValue,
        _ incoming: Incoming
    ) throws(RequestFault) {
        guard let value = event["timestamp"] else {
            throw self.refusal("every event needs the member timestamp (milliseconds, or ISO 8601)", incoming)
        }
        if case .number = value, let milliseconds = value.integer {
            parts.time = Timestamp(milliseconds: milliseconds)
        } else if let text = value.string, let time = EventTime(text) {
            parts.set(time, from: text)
        } else {
            throw self.refusal("timestamp \(value.jsonText.prefix(60)) is neither milliseconds nor ISO 8601", incoming)
        }
    }
}
