internal import LeatCore
internal import LeatQuery

/// What a query took.
struct QueryCost: Sendable {
    let nanoseconds: UInt64
    let progress: QueryProgress

    /// The cost as the last line of an answer shows it.
    var value: JSONValue {
        [
            "milliseconds": JSONValue(Int(self.nanoseconds / 1_000_000)),
            "events": JSONValue(self.progress.eventCount), "bytes": JSONValue(self.progress.byteCount),
            "blocks": JSONValue(self.progress.blockCount), "skippedBlocks": JSONValue(self.progress.skippedBlockCount),
        ]
    }

    /// Where blocks went and time was spent; documented in `docs/query-cost.md`.
    func explanation(of plan: QueryPlan) -> JSONValue {
        QueryAccount(of: plan, self.progress, nanoseconds: self.nanoseconds).value
    }
}
