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

    /// Where blocks went and time was spent; documented in `docs/query-language.md`.
    func explanation(of plan: QueryPlan) -> JSONValue {
        let scan = self.progress.scan
        return [
            "prefilter": .string("\(plan.prefilter)"),
            "blocks": [
                "total": JSONValue(scan.blocksTotal), "outOfTime": JSONValue(scan.count(.outOfTime)),
                "pruned": JSONValue(scan.count(.pruned)), "answered": JSONValue(scan.count(.answered)),
                "unneeded": JSONValue(scan.count(.unneeded)), "read": JSONValue(scan.count(.read)),
                "damaged": JSONValue(scan.count(.damaged)), "notReached": JSONValue(scan.blocksTotal - scan.blocksDone),
            ],
            "storedBytesRead": JSONValue(scan.storedBytesRead),
            "microseconds": [
                "total": Self.microseconds(self.nanoseconds), "prune": Self.microseconds(scan.decideNanoseconds),
                "open": Self.microseconds(scan.readNanoseconds),
                "filter": Self.microseconds(self.progress.stages.stages),
                "aggregate": Self.microseconds(self.progress.stages.aggregate),
                "finish": Self.microseconds(self.progress.finishNanoseconds),
                "render": Self.microseconds(self.progress.renderNanoseconds),
            ],
        ]
    }

    private static func microseconds(_ nanoseconds: UInt64) -> JSONValue { JSONValue(Int(nanoseconds / 1_000)) }
}
