public import LeatCore

/// What became of each block of a run and where its time went; the names are those of `docs/query-cost.md`.
public struct QueryAccount: Hashable, Sendable {
    /// A number with its name.
    public struct Entry: Hashable, Sendable {
        public let name: String
        public let value: Int
    }

    /// What storage could test before any row was read.
    public let prefilter: String
    /// Blocks by what became of them; `total` first.
    public let blocks: [Entry]
    /// Bytes of column pages that were read, as stored.
    public let storedBytesRead: Int
    /// Time by what it was spent on, that of all threads together but for `total`, which is first.
    public let microseconds: [Entry]

    /// The account of a run of `plan` that took so long and came so far.
    public init(of plan: QueryPlan, _ progress: QueryProgress, nanoseconds: UInt64) {
        let scan = progress.scan
        self.prefilter = QueryExplanation.text(plan.prefilter)
        self.blocks = [
            Entry(name: "total", value: scan.blocksTotal), Entry(name: "outOfTime", value: scan.count(.outOfTime)),
            Entry(name: "pruned", value: scan.count(.pruned)), Entry(name: "answered", value: scan.count(.answered)),
            Entry(name: "unneeded", value: scan.count(.unneeded)), Entry(name: "read", value: scan.count(.read)),
            Entry(name: "damaged", value: scan.count(.damaged)),
            Entry(name: "notReached", value: scan.blocksTotal - scan.blocksDone),
        ]
        self.storedBytesRead = scan.storedBytesRead
        let times: [(String, UInt64)] = [
            ("total", nanoseconds), ("prune", scan.decideNanoseconds), ("open", scan.readNanoseconds),
            ("filter", progress.stages.stages), ("aggregate", progress.stages.aggregate),
            ("finish", progress.finishNanoseconds), ("render", progress.renderNanoseconds),
        ]
        self.microseconds = times.map { Entry(name: $0, value: Int($1 / 1_000)) }
    }

    /// The account as a member of an answer.
    public var value: JSONValue {
        func number(_ value: Int) -> JSONValue { .number(String(value)) }
        func object(_ entries: [Entry]) -> JSONValue {
            .object(entries.map { JSONValue.Member(key: $0.name, value: number($0.value)) })
        }
        return .object([
            JSONValue.Member(key: "prefilter", value: .string(self.prefilter)),
            JSONValue.Member(key: "blocks", value: object(self.blocks)),
            JSONValue.Member(key: "storedBytesRead", value: number(self.storedBytesRead)),
            JSONValue.Member(key: "microseconds", value: object(self.microseconds)),
        ])
    }

    /// Reads what `value` has written; `nil` when it is something else.
    public init?(_ value: JSONValue) {
        func entries(_ name: String) -> [Entry]? {
            guard case .object(let members)? = value[name] else { return nil }
            return members.compactMap { member in member.value.int.map { Entry(name: member.key, value: $0) } }
        }
        guard let prefilter = value["prefilter"]?.string, let blocks = entries("blocks"),
            let times = entries("microseconds")
        else { return nil }
        self.prefilter = prefilter
        self.blocks = blocks
        self.storedBytesRead = value["storedBytesRead"]?.int ?? 0
        self.microseconds = times
    }
}
