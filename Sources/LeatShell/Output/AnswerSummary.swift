internal import LeatQuery

/// What is said about an answer besides its rows.
struct AnswerSummary: Sendable {
    var warnings: [String] = []
    /// Whether events are missing that the query should have seen.
    var isPartial = false
    /// The columns of the last stage; `nil` when rows are events with the fields they have.
    var columns: [String]?
    var isAggregate = false
    /// What the query cost, by name, such as `events` and `milliseconds`.
    var costs: [(name: String, value: String)] = []
    /// What became of each block and where the time went, if that was asked for.
    var account: QueryAccount?

    /// The cost in words: events, bytes and time.
    var shownCosts: [String] {
        func number(_ name: String) -> Int? { self.costs.first { $0.name == name }.flatMap { Int($0.value) } }
        var parts: [String] = []
        if let events = number("events") { parts.append("\(Amount.count(events)) events") }
        if let bytes = number("bytes") { parts.append(Amount.bytes(bytes)) }
        if let time = number("milliseconds") {
            parts.append(time < 1_000 ? "\(time) ms" : Amount.seconds(UInt64(time) * 1_000_000))
        }
        return parts
    }
}

/// How far a running query has come.
struct AnswerProgress: Hashable, Sendable {
    /// Events that were looked at.
    var events = 0
    /// Bytes that were looked at.
    var bytes = 0
    /// Work in the unit of the source, 0 when it is unknown; bytes for files, events for servers.
    var total = 0
}
