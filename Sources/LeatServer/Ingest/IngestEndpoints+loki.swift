internal import LeatCore
internal import LeatStorage

/// Loki's push API in its JSON form; `elasticsearch-bulk.md` 6.2.
extension IngestEndpoints {
    /// `{"streams":[{"stream":{label:value},"values":[["<ns>","line",{metadata}]]}]}`.
    func loki(_ incoming: Incoming) async throws -> Reply {
        if let type = incoming.call.header("content-type"), type.lowercased().contains("protobuf") {
            throw RequestFault.text(415, "media_type", "protobuf is not understood here; send application/json")
        }
        var writer = self.writer(incoming)
        guard let streams = try self.value(incoming)["streams"]?.array else {
            throw self.refusal("the member streams (an array) is missing", incoming)
        }
        for stream in streams {
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
