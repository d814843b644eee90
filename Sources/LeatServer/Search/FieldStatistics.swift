internal import LeatCore

/// What the fields of some events hold, for a list of fields beside them.
enum FieldStatistics {
    /// Values that are shown of a field.
    private static let valueCountMax = 10

    /// `{"eventCount": …, "fields": [{"name", "eventCount", "distinctCount", "topValues": [{"value", "count"}]}]}`, the
    /// fields that most events have first.
    static func value(of events: [JSONValue]) -> JSONValue {
        var countsOfField: [String: [String: Int]] = [:]
        for event in events {
            for member in event.object ?? [] {
                countsOfField[member.key, default: [:]][member.value.scalarText ?? member.value.jsonText, default: 0] +=
                    1
            }
        }
        let fields = countsOfField.map { name, counts in (name: name, counts: counts, total: counts.values.reduce(0, +))
        }
        .sorted { ($1.total, $0.name) < ($0.total, $1.name) }
        return [
            "eventCount": JSONValue(events.count),
            "fields": .array(fields.map { Self.value($0.name, $0.counts, total: $0.total) }),
        ]
    }

    private static func value(_ name: String, _ counts: [String: Int], total: Int) -> JSONValue {
        let top = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.valueCountMax)
        return [
            "name": .string(name), "eventCount": JSONValue(total), "distinctCount": JSONValue(counts.count),
            "topValues": .array(top.map { ["value": .string($0.key), "count": JSONValue($0.value)] }),
        ]
    }
}
