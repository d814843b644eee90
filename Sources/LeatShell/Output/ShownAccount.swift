internal import LeatQuery

/// What a query took, as people read it.
enum ShownAccount {
    /// Lines with a word in front: the prefilter, blocks, bytes and time.
    static func text(_ account: QueryAccount, _ summary: AnswerSummary) -> String {
        let bytes = summary.costs.first { $0.name == "bytes" }.flatMap { Int($0.value) } ?? 0
        // Only a server stores blocks in another form than it is asked for.
        let stored = account.storedBytesRead > 0 ? "\(Amount.bytes(account.storedBytesRead)) read of blocks with " : ""
        return [
            "prefilter  \(account.prefilter)",
            "blocks     \(Self.list(account.blocks) { "\($0)" })",
            "bytes      \(stored)\(Amount.bytes(bytes))",
            "time       \(Self.list(account.microseconds, Self.time))",
        ].joined(separator: "\n")
    }

    /// `80: 60 pruned, 20 read`: the total, then whatever is not nothing.
    private static func list(_ entries: [QueryAccount.Entry], _ shown: (Int) -> String) -> String {
        let total = entries.first { $0.name == "total" }.map { shown($0.value) } ?? ""
        let parts = entries.filter { $0.name != "total" && $0.value > 0 }
            .map { "\(shown($0.value)) \(Self.words($0.name))" }
        return parts.isEmpty ? total : "\(total): \(parts.joined(separator: ", "))"
    }

    /// `outOfTime` is `out of time`.
    private static func words(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? " " + $1.lowercased() : String($1) }
    }

    private static func time(_ microseconds: Int) -> String {
        if microseconds >= 1_000_000 { return Amount.seconds(UInt64(microseconds) * 1_000) }
        return microseconds >= 1_000 ? "\(Double(microseconds / 10) / 100) ms" : "\(microseconds) us"
    }
}
