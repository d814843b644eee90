internal import LeatCore
internal import LeatStorage

/// OpenTelemetry logs over HTTP, JSON and protobuf; `elasticsearch-bulk.md` 6.3.
extension IngestEndpoints {
    /// `ExportLogsServiceRequest`; answered in the encoding in which it came.
    func otlp(_ incoming: Incoming) async throws -> Reply {
        let request =
            incoming.isProtobuf
            ? try self.message(incoming.body, incoming, OTLPMessage.value) : try self.value(incoming)
        var writer = self.writer(incoming)
        var refused: [String] = []
        for resource in request["resourceLogs"]?.array ?? [] {
            let shared = Self.attributes(resource["resource"]?["attributes"], prefix: "resource.")
            for scope in resource["scopeLogs"]?.array ?? [] {
                var fields = shared
                if let name = scope["scope"]?["name"]?.string, !name.isEmpty {
                    fields.append(.init("scope.name", .string(name)))
                }
                for record in scope["logRecords"]?.array ?? [] {
                    do throws(ItemFault) {
                        try writer.add(Self.event(record, fields))
                    } catch {
                        refused.append(error.reason)
                    }
                }
            }
        }
        try await self.store(&writer, incoming, .otlp, refused: refused.map { _ in "otlp_record" })
        return OTLPAnswer.success(refused: refused, isProtobuf: incoming.isProtobuf)
    }

    private static func event(_ record: JSONValue, _ shared: [JSONValue.Member]) -> EventWriter.Event {
        var event = EventWriter.Event()
        let time = record["timeUnixNano"]?.integer ?? 0
        let observed = record["observedTimeUnixNano"]?.integer ?? 0
        if time != 0 || observed != 0 { event.time = Timestamp(nanoseconds: time != 0 ? time : observed) }
        event.attributes = shared + Self.attributes(record["attributes"], prefix: "")
        for (name, field) in [("severityText", "severity"), ("traceId", "trace_id"), ("spanId", "span_id")] {
            if let text = record[name]?.string, !text.isEmpty { event.attributes.append(.init(field, .string(text))) }
        }
        if let number = record["severityNumber"]?.integer, number != 0 {
            event.attributes.append(.init("severity_number", .number("\(number)")))
        }
        if let name = record["eventName"]?.string, !name.isEmpty {
            event.attributes.append(.init("event_name", .string(name)))
        }
        guard let body = Self.plain(record["body"]) else { return event }
        if let text = body.string {
            event.text = text
        } else {
            event.text = body.jsonText
            event.attributes.append(.init("body", body))
        }
        return event
    }

    /// Attributes as members; those of a resource get a prefix, since the record may have the same names.
    private static func attributes(_ value: JSONValue?, prefix: String) -> [JSONValue.Member] {
        (value?.array ?? []).compactMap { attribute in
            guard let key = attribute["key"]?.string, let plain = Self.plain(attribute["value"]) else { return nil }
            return JSONValue.Member(prefix + key, plain)
        }
    }

    /// An `AnyValue` as plain JSON.
    private static func plain(_ value: JSONValue?) -> JSONValue? {
        guard let member = value?.object?.first else { return nil }
        switch member.key {
        case "stringValue", "boolValue", "doubleValue", "bytesValue": return member.value
        case "intValue": return member.value.scalarText.map { .number($0) }
        case "arrayValue": return .array((member.value["values"]?.array ?? []).map { Self.plain($0) ?? .null })
        case "kvlistValue": return .object(Self.attributes(member.value["values"], prefix: ""))
        default: return nil
        }
    }
}
