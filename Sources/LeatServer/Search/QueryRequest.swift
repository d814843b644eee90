internal import LeatCore
internal import LeatQuery

/// What a client asks for with `/query` or `/queryjobs`; `humio-api.md` 3.1 and 3.2.
struct QueryRequest: Sendable {
    var queryString: String
    /// First moment of the interval; `nil`: from the first event.
    var start: Timestamp?
    /// First moment after the interval; `nil`: the present.
    var end: Timestamp?
    var isLive = false
    var arguments: [String: String] = [:]
    var timeZone: String?
    /// The interval as it was asked for, for the answer of a query job.
    var asked: (start: JSONValue?, end: JSONValue?)
    /// Whether the last line of the answer says where blocks went and time was spent.
    var explains = false
    /// Whether a query job wants its events counted over time.
    var wantsDistribution = false
    /// Whether a query job wants its fields and their values counted.
    var wantsFieldStatistics = false
    /// Whether a query job shows nothing before it is done.
    var waitsUntilDone = false
    /// Whether the interval is that of arrival.
    var usesIngestTime = false
    /// The event whose neighbours are wanted instead of the newest events.
    var context: EventContext?

    /// An event and how many of those before and after it are wanted.
    struct EventContext: Hashable, Sendable {
        let eventID: String?
        let moment: Timestamp
        let countBefore: Int
        let countAfter: Int
    }

    /// How far back a query reaches that does not say.
    static let defaultStart = "24h"

    /// Reads a request's body.
    ///
    /// - Throws: A refusal that names the member that is wrong.
    init(_ bytes: [UInt8], now: Timestamp) throws(RequestFault) {
        let value: JSONValue
        do {
            value = try JSONValue(bytes)
        } catch {
            throw .text(400, "bad_request", "the body is not JSON: \(error)")
        }
        guard value.object != nil else {
            throw .text(400, "bad_request", "the body must be a JSON object with the member queryString")
        }
        guard let text = value["queryString"]?.string else {
            throw .text(400, "bad_request", "the member queryString (a string) is missing")
        }
        self.queryString = text
        self.isLive = value["isLive"]?.bool ?? (value["isLive"]?.string == "true")
        self.wantsDistribution = value["showQueryEventDistribution"]?.bool ?? false
        self.wantsFieldStatistics = value["computeFieldStats"]?.bool ?? false
        self.waitsUntilDone = value["noResultUntilDone"]?.bool ?? false
        self.usesIngestTime = value["useIngestTime"]?.bool ?? false
        self.context = try Self.context(value["around"])
        self.explains = value["explain"]?.bool ?? false
        self.timeZone = Self.zone(value)
        if let zone = self.timeZone, TimeZoneRules.named(zone) == nil {
            throw .text(400, "bad_request", "'timeZone': unknown time zone '\(zone)'")
        }
        for member in value["arguments"]?.object ?? [] {
            self.arguments[member.key] = member.value.scalarText ?? member.value.jsonText
        }
        self.asked = (value["start"], value["end"])
        let start = Self.given(value["start"]) ?? .string(Self.defaultStart)
        self.start = try self.moment(start, named: "start", now: now)
        if let end = Self.given(value["end"]), end.string != "now" {
            guard !self.isLive else {
                throw .text(400, "bad_request", "a live query ends at 'now'; leave out 'end'")
            }
            self.end = try self.moment(end, named: "end", now: now)
        }
        if let start = self.start, let end = self.end, start >= end {
            throw .text(400, "bad_request", "the interval is empty: 'start' is not before 'end'")
        }
    }

    private static func context(_ value: JSONValue?) throws(RequestFault) -> EventContext? {
        guard let value = Self.given(value) else { return nil }
        guard let milliseconds = value["timestamp"]?.integer else {
            throw .text(400, "bad_request", "'around' needs 'timestamp', in epoch milliseconds")
        }
        func count(_ name: String) throws(RequestFault) -> Int {
            guard let given = value[name] else { return 100 }
            guard let count = given.integer, (0...Int64(ServerLimits.contextEventCountMax)).contains(count) else {
                throw .text(
                    400,
                    "bad_request",
                    "'\(name)' is a number up to \(ServerLimits.contextEventCountMax)"
                )
            }
            return Int(count)
        }
        return EventContext(
            eventID: value["eventId"]?.string,
            moment: Timestamp(milliseconds: milliseconds),
            countBefore: try count("numberOfEventsBefore"),
            countAfter: try count("numberOfEventsAfter")
        )
    }

    /// The steps with a filter before them that keeps what arrived in the interval.
    func ingestTimeFilter(before pipeline: Pipeline) -> Pipeline {
        var parts: [Filter] = []
        func bound(_ comparator: Comparison.Operator, _ moment: Timestamp?) {
            guard let moment else { return }
            let value = TextValue(String(moment.milliseconds), isQuoted: false)
            let field = FieldName("@ingesttimestamp")
            parts.append(.comparison(Comparison(field: field, comparator: comparator, value: .text(value))))
        }
        bound(.greaterOrEqual, self.start)
        bound(.less, self.end)
        guard !parts.isEmpty else { return pipeline }
        // What says something about the query must stay first.
        let preambles = pipeline.steps.prefix { step in
            if case .call(let call) = step { return FunctionCatalogue.find(call.name)?.kind == .preamble }
            return false
        }
        let filter = Step.filter(parts.count == 1 ? parts[0] : .and(parts))
        return Pipeline(steps: preambles + [filter] + pipeline.steps.dropFirst(preambles.count))
    }

    private static func given(_ value: JSONValue?) -> JSONValue? {
        if case .null = value { nil } else if value?.string == "" { nil } else { value }
    }

    private static func zone(_ value: JSONValue) -> String? {
        if let name = value["timeZone"]?.string, !name.isEmpty { return name }
        guard let minutes = value["timeZoneOffsetMinutes"]?.integer, minutes != 0 else { return nil }
        let magnitude = Int(minutes.magnitude)
        func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return (minutes < 0 ? "-" : "+") + twoDigits(magnitude / 60) + ":" + twoDigits(magnitude % 60)
    }

    /// A number or numeric string is epoch milliseconds; other strings are relative to now.
    private func moment(
        _ value: JSONValue,
        named name: String,
        now: Timestamp
    ) throws(RequestFault) -> Timestamp? {
        if let milliseconds = value.integer {
            return milliseconds <= 0 && name == "start" ? nil : Timestamp(milliseconds: milliseconds)
        }
        guard let text = value.string else {
            throw .text(400, "bad_request", "'\(name)' must be epoch milliseconds or a relative time such as 24h")
        }
        if text == "now" { return now }
        if text == "all" { return nil }
        if self.isLive && RelativeTime.isAnchored(text) {
            throw .text(400, "bad_request", "'\(name)': a live query takes no anchors such as '\(text)'")
        }
        let zone = self.timeZone.flatMap { TimeZoneRules.named($0) } ?? .utc
        guard let moment = RelativeTime.moment(text, now: now, zone: zone) else {
            throw .text(400, "bad_request", "'\(name)': '\(text)' is no relative time; write 15m, 24h, 7d and the like")
        }
        return moment
    }
}
