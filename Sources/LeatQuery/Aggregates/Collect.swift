internal import LeatCore

/// `collect`: the different values of fields, in the order in which they were first seen, newest first.
struct CollectPlan: AggregatePlan {
    var fields: [String]
    var limit: Int
    /// Whether the values of a field make one value, joined by `separator`; otherwise each is a row.
    var isJoined = true
    var separator = "\n"

    var columns: [String]? { self.fields }

    func makeState(_ context: StageContext) -> any AggregateState { CollectState(self, context) }
}

/// See `CollectPlan`.
final class CollectState: AggregateState {
    private let plan: CollectPlan
    private let context: StageContext
    private let groupings: [Grouping]
    private var groupsByOuter: [[[Int]]]?

    init(_ plan: CollectPlan, _ context: StageContext) {
        self.plan = plan
        self.context = context
        self.groupings = plan.fields.map { Grouping([.field($0)], function: nil, context) }
    }

    func update(_ rows: EventRows, _ groups: Groups) throws(QueryFailure) {
        self.groupsByOuter = nil
        for grouping in self.groupings { try grouping.update(rows, groups) }
    }

    func merge(_ other: any AggregateState, groups: [UInt32], groupCount: Int) throws(QueryFailure) {
        self.groupsByOuter = nil
        for (own, others) in zip(self.groupings, self.sibling(other).groupings) {
            try own.merge(others, outer: groups)
        }
    }

    func emit(_ group: Int, into writer: RowWriter, then next: () throws(QueryFailure) -> Void) throws(QueryFailure) {
        let byOuter = self.groupsByOuter ?? self.groupings.map { $0.groupsByOuter() }
        self.groupsByOuter = byOuter
        let values = byOuter.enumerated().map { index, groups in
            group < groups.count ? self.values(self.groupings[index], groups[group]) : []
        }
        if values.allSatisfy(\.isEmpty) { return }
        if !self.plan.isJoined { return try self.emitRows(values, from: 0, writer, next) }
        try writer.scoped { () throws(QueryFailure) in
            for (field, texts) in zip(self.plan.fields, values) where !texts.isEmpty {
                // Several times would be no time (12).
                if field == "@timestamp" && texts.count > 1 { continue }
                try writer.set(
                    writer.column(field),
                    to: Array(texts.joined(separator: Array(self.plan.separator.utf8)))
                )
            }
            try next()
        }
    }

    /// Every value of one field with every value of the next.
    private func emitRows(
        _ values: [[[UInt8]]],
        from index: Int,
        _ writer: RowWriter,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        guard index < values.count else { return try next() }
        if values[index].isEmpty { return try self.emitRows(values, from: index + 1, writer, next) }
        for value in values[index] {
            try writer.scoped { () throws(QueryFailure) in
                try writer.set(writer.column(self.plan.fields[index]), to: value)
                try self.emitRows(values, from: index + 1, writer, next)
            }
        }
    }

    private func values(_ grouping: Grouping, _ groups: [Int]) -> [[UInt8]] {
        if groups.count > self.plan.limit {
            self.context.warn("collect found more than \(self.plan.limit) values; the newest are shown")
        }
        var byteCount = 0
        var result: [[UInt8]] = []
        for group in grouping.sorted(groups, by: nil, ranked: false).prefix(self.plan.limit) {
            let text = grouping.keys.text(0, of: group)
            byteCount += text.count + 1
            if byteCount > self.context.options.limits.collectedBytes {
                self.context.warn("collect found more than \(self.context.options.limits.collectedBytes) bytes")
                break
            }
            result.append(text)
        }
        return result
    }
}

extension GroupKeys {
    /// The text of a key of a group.
    func text(_ key: Int, of group: Int) -> [UInt8] {
        do throws(QueryFailure) {
            return try self.withText(key, of: group) { Array($0) }
        } catch {
            preconditionFailure("copying bytes failed: \(error)")
        }
    }
}
