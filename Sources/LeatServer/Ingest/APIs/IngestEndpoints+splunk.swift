internal import LeatCore
internal import LeatStorage

/// Splunk's HTTP event collector; `elasticsearch-bulk.md` 6.1, `humio-api.md` section 2.
extension IngestEndpoints {
    /// JSON objects one after the other, with or without white space between them, or an array of them.
    ///
    /// As at Splunk, a bad event ends the request: those before it are stored, and the answer has its number.
    func splunkEvents(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let (values, fault) = self.splunkObjects(incoming)
        var refusal = fault
        for (number, value) in values.enumerated() {
            do throws(RequestFault) {
                try self.add(splunk: value, number, to: &writer)
            } catch {
                refusal = error
                break
            }
        }
        guard writer.count > 0 || refusal != nil else { throw RequestFault.splunk(400, code: 5, "No data") }
        let reasons = refusal.map { [$0.type] } ?? []
        try await self.store(&writer, incoming, .splunkEvent, refused: reasons, parser: .byType(orElse: nil))
        if let refusal { throw refusal }
        return self.splunkSuccess(incoming)
    }

    private func add(splunk value: JSONValue, _ number: Int, to writer: inout EventWriter) throws(RequestFault) {
        let parts = try Self.splunkEvent(value, number)
        do throws(ItemFault) {
            try writer.add(parts)
        } catch {
            throw .splunk(400, code: 6, "Invalid data format: \(error.reason)", event: number)
        }
    }

    /// One event a line; host, source and sourcetype come as parameters.
    func splunkRaw(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let target = incoming.call.target
        var fields: [(name: String, value: String)] = []
        if let host = target["host"] { fields.append(("@host", host)) }
        if let source = target["source"] { fields.append(("@source", source)) }
        let tags = target["sourcetype"].map { [DatasourceTags.Tag(name: "#type", value: $0)] } ?? []
        // Only these bytes end a line: U+2028 and the like are text.
        for line in incoming.body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: line, as: UTF8.self)
            let event = EventWriter.Event(time: nil, text: text, fields: fields, tags: tags)
            try self.add(event, to: &writer, incoming)
        }
        guard writer.count > 0 else { throw RequestFault.splunk(400, code: 5, "No data") }
        try await self.store(&writer, incoming, .splunkRaw, parser: .byType(orElse: nil))
        return self.splunkSuccess(incoming)
    }

    /// Says which of the numbers that are asked for are acknowledged; each is asked for once.
    func splunkAcks(_ incoming: Incoming) async throws -> Reply {
        guard let channel = Self.splunkChannel(incoming) else {
            throw RequestFault.splunk(400, code: 10, "Data channel is missing")
        }
        guard let asked = try self.value(incoming)["acks"]?.array else {
            throw RequestFault.splunk(400, code: 6, "Invalid data format: the member acks (an array) is missing")
        }
        let numbers = asked.compactMap { $0.integer.flatMap { UInt64(exactly: $0) } }
        let answers = zip(numbers, self.acks.take(numbers, channel: channel))
        return Reply(
            200,
            json: .object([.init("acks", .object(answers.map { .init("\($0)", .bool($1)) }))])
        )
    }

    /// With a channel the answer has a number that the sender may ask for later.
    private func splunkSuccess(_ incoming: Incoming) -> Reply {
        var members: [JSONValue.Member] = [.init("text", "Success"), .init("code", 0)]
        if let channel = Self.splunkChannel(incoming) {
            members.append(.init("ackId", .number(String(self.acks.issue(channel)))))
        }
        return Reply(200, json: .object(members))
    }

    /// The sender's channel, which belongs to its token.
    private static func splunkChannel(_ incoming: Incoming) -> String? {
        let call = incoming.call
        guard let channel = call.header("x-splunk-request-channel") ?? call.target["channel"], !channel.isEmpty else {
            return nil
        }
        return incoming.credential + "/" + channel
    }

    /// The values of a body up to the first that is no JSON, and why that one is none.
    private func splunkObjects(_ incoming: Incoming) -> ([JSONValue], fault: RequestFault?) {
        let bytes = incoming.body
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") {
            do throws(RequestFault) {
                return (try self.value(incoming).array ?? [], nil)
            } catch {
                return ([], error)
            }
        }
        var objects: [JSONValue] = []
        var flattener = JSONFlattener(
            limits: JSONLimits(
                depthMax: self.limits.depthMax + 2,
                fieldCountMax: self.limits.fieldCountMax + 16,
                nameByteCountMax: self.limits.fieldNameByteCountMax + 16
            )
        )
        var offset = 0
        while let start = bytes[offset...].firstIndex(where: { $0 > 0x20 }) {
            do throws(JSONError) {
                // The flattener finds the end of an object; what follows needs no separator.
                let end = try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
                    try flattener.flattenPrefix(UnsafeRawBufferPointer(bytes), from: start)
                }
                objects.append(try JSONValue(Array(bytes[start..<end])))
                offset = end
            } catch {
                return (objects, .splunk(400, code: 6, "Invalid data format: \(error)", event: objects.count))
            }
        }
        return (objects, nil)
    }

    private static func splunkEvent(_ value: JSONValue, _ number: Int) throws(RequestFault) -> EventWriter.Event {
        guard value.object != nil else {
            throw .splunk(400, code: 6, "Invalid data format: an event must be an object", event: number)
        }
        guard let event = value["event"], !event.isNull else {
            throw .splunk(400, code: 12, "Event field is required", event: number)
        }
        if event.string?.allSatisfy(\.isWhitespace) ?? false {
            throw .splunk(400, code: 13, "Event field cannot be blank", event: number)
        }
        var parts = EventWriter.Event()
        if let members = event.object {
            parts.attributes = members
        } else {
            parts.text = event.scalarText ?? event.jsonText
        }
        if let time = value["time"], !time.isNull {
            guard let text = time.scalarText, let moment = EventTime(epoch: text) else {
                throw .splunk(400, code: 6, "Invalid data format: time \(time.jsonText.prefix(60))", event: number)
            }
            parts.set(moment, from: text)
        }
        if let host = value["host"]?.scalarText { parts.fields.append(("@host", host)) }
        if let source = value["source"]?.scalarText { parts.fields.append(("@source", source)) }
        if let index = value["index"]?.scalarText { parts.tags.append(.init(name: "#index", value: index)) }
        if let type = value["sourcetype"]?.scalarText { parts.tags.append(.init(name: "#type", value: type)) }
        for member in value["fields"]?.object ?? [] {
            // Nested objects have no place in Splunk's indexed fields.
            guard let text = member.value.scalarText ?? (member.value.array == nil ? nil : member.value.jsonText) else {
                throw .splunk(400, code: 15, "Error in handling indexed fields", event: number)
            }
            if member.key.hasPrefix("#") {
                parts.tags.append(.init(name: member.key, value: text))
            } else {
                parts.fields.append((member.key, text))
            }
        }
        return parts
    }
}
