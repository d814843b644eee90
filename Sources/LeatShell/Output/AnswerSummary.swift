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

}

/// How far a running query has come.
struct QueryProgress: Hashable, Sendable {
    /// Events that were looked at.
    var events = 0
    /// Bytes that were looked at.
    var bytes = 0
    /// Work in the unit of the source, 0 when it is unknown; bytes for files, events for servers.
    var total = 0
}
