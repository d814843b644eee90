internal import LeatCore
internal import LeatStorage

/// Loki's push API, JSON and protobuf; `elasticsearch-bulk.md` 6.2.
extension IngestEndpoints {
    /// `{"streams":[{"stream":{label:value},"values":[["<ns>","line",{metadata}]]}]}`.
    func loki(_ incoming: Incoming) async throws -> Reply {
        var writer = self.writer(incoming)
        guard let streams = try self.lokiRequest(incoming)["streams"]?.array else {
            throw self.refusal("the member streams (an array) is missing", incoming)
        }
        for sent in streams {
            let stream = sent["entries"] == nil ? sent : try self.currentForm(of: sent, incoming)
            let labels = (stream["stream"]?.object ?? []).compactMap { member in
                member.value.scalarText.map { (name: member.key, value: $0) }
            }
            guard let values = stream["values"]?.array else {
                throw self.refusal("every stream needs the member values (an array)", incoming)
            }
            for value in values { try self.add(Self.lokiEvent(value, labels, incoming), to: &writer, incoming) }
        }
        try await self.store(&writer, incoming, .loki)
        return Reply(204)
    }

    /// A stream in the form of today, of that before Loki 1.0: `{"labels":"{a=\"b\"}","entries":[{"ts":ISO 8601,"line"}]}`.
    private func currentForm(of stream: JSONValue, _ incoming: Incoming) throws(RequestFault) -> JSONValue {
        let labels: [JSONValue.Member]
        do throws(ProtobufReader.Fault) {
            labels = try LokiMessage.labels(stream["labels"]?.string ?? "{}")
        } catch {
            throw self.refusal("labels cannot be read: \(error.reason)", incoming)
        }
        var values: [JSONValue] = []
        for entry in stream["entries"]?.array ?? [] {
            guard let text = entry["ts"]?.string, let time = TimestampParser.parse(text), let line = entry["line"]
            else {
                throw self.refusal("an entry needs ts (ISO 8601) and line, not \(entry.jsonText.prefix(80))", incoming)
            }
            values.append([.string("\(time.nanoseconds)"), line])
        }
        return ["stream": .object(labels), "values": .array(values)]
    }

    private func lokiRequest(_ incoming: Incoming) throws(RequestFault) -> JSONValue {
        guard incoming.isProtobuf else { return try self.value(incoming) }
        guard let bytes = try Snappy.expand(incoming.body, limit: self.limits.bodyByteCountMax) else {
            throw self.refusal("the body is no snappy block", incoming)
        }
        return try self.message(bytes, incoming, LokiMessage.value)
    }

    /// One entry of a stream: its labels become fields, since pods and hosts are no tags.
    private static func lokiEvent(
        _ value: JSONValue,
        _ labels: [(name: String, value: String)],
        _ incoming: Incoming
    ) throws(RequestFault) -> EventWriter.Event {
        guard let text = value[0]?.scalarText, let nanoseconds = Int64(text), let line = value[1]?.string else {
            throw RequestFault.text(
                400,
                "bad_request",
                "an entry must be [\"<nanoseconds>\", \"line\"], not \(value.jsonText.prefix(80))"
            )
        }
        var event = EventWriter.Event(time: Timestamp(nanoseconds: nanoseconds), text: line, fields: labels)
        for member in value[2]?.object ?? [] {
            if let text = member.value.scalarText { event.fields.append((member.key, text)) }
        }
        return event
    }
}
