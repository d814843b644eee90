internal import LeatCore
internal import LeatStorage

/// Splunk's HTTP event collector; `elasticsearch-bulk.md` 6.1, `humio-api.md` section 2.
extension IngestEndpoints {
    /// JSON objects one after the other, with or without white space between them, or an array of them.
    func splunkEvents(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let events = try self.splunkObjects(incoming)
        guard !events.isEmpty else { throw RequestFault.splunk(400, code: 5, "No data") }
        for (number, event) in events.enumerated() {
            let parts = try Self.splunkEvent(event, number)
            do throws(ItemFault) {
                try writer.add(parts)
            } catch {
                throw RequestFault.splunk(400, code: 6, "Invalid data format: event \(number): \(error.reason)")
            }
        }
        try await self.store(&writer, incoming, .splunkEvent)
        return self.splunkSuccess(incoming)
    }

    /// One event a line; host, source and sourcetype come as parameters.
    func splunkRaw(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        let text = String(decoding: incoming.body, as: UTF8.self)
        let target = incoming.call.target
        var fields: [(name: String, value: String)] = []
        if let host = target["host"] { fields.append(("@host", host)) }
        if let source = target["source"] { fields.append(("@source", source)) }
        let tags = target["sourcetype"].map { [DatasourceTags.Tag(name: "#type", value: $0)] } ?? []
        for line in text.split(whereSeparator: \.isNewline) {
            let event = EventWriter.Event(time: nil, text: String(line), fields: fields, tags: tags)
            try self.add(event, to: &writer, incoming)
        }
        guard writer.count > 0 else { throw RequestFault.splunk(400, code: 5, "No data") }
        try await self.store(&writer, incoming, .splunkRaw)
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

    private func splunkObjects(_ incoming: Incoming) throws(RequestFault) -> [JSONValue] {
        let bytes = incoming.body
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") { return try self.value(incoming).array ?? [] }
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
                throw .splunk(400, code: 6, "Invalid data format: event \(objects.count): \(error)")
            }
        }
        return objects
    }

    private static func splunkEvent(_ value: JSONValue, _ number: Int) throws(RequestFault) -> EventWriter.Event {
        guard let event = value["event"] else {
            throw .splunk(400, code: 12, "Event field is required (event \(number))")
        }
        if event.isNull || event.string == "" {
            throw .splunk(400, code: 13, "Event field cannot be blank (event \(number))")
        }
        var parts = EventWriter.Event()
        if let members = event.object {
            parts.attributes = members
        } else {
            parts.text = event.scalarText ?? event.jsonText
        }
        if let time = value["time"], !time.isNull {
            guard let text = time.scalarText, let seconds = Self.seconds(text) else {
                throw .splunk(400, code: 6, "Invalid data format: time of event \(number)")
            }
            parts.time = seconds
        }
        if let host = value["host"]?.scalarText { parts.fields.append(("@host", host)) }
        if let source = value["source"]?.scalarText { parts.fields.append(("@source", source)) }
        if let index = value["index"]?.scalarText { parts.tags.append(.init(name: "#index", value: index)) }
        if let type = value["sourcetype"]?.scalarText { parts.tags.append(.init(name: "#type", value: type)) }
        for member in value["fields"]?.object ?? [] {
            guard let text = member.value.scalarText ?? (member.value.array == nil ? nil : member.value.jsonText) else {
                throw .splunk(400, code: 15, "Error in handling indexed fields (event \(number))")
            }
            if member.key.hasPrefix("#") {
                parts.tags.append(.init(name: member.key, value: text))
            } else {
                parts.fields.append((member.key, text))
            }
        }
        return parts
    }

    /// Seconds since 1970 with a fraction; larger numbers are milliseconds and the like, as `TimestampParser` tells.
    private static func seconds(_ text: String) -> Timestamp? {
        ByteSlice(text).withUnsafeBytes { TimestampParser.parseEpoch($0) }
    }
}
