public import LeatCore

/// The events that a query finds, as rows of the blocks that hold them: for whoever does something to stored events, such
/// as removing them.
public final class EventSelection: Sendable {
    private let plan: QueryPlan
    private let context: StageContext

    /// The events of a plan; `nil` when its answer is not events, but rows that it makes.
    public init?(_ plan: QueryPlan) {
        guard !plan.isAggregate, plan.program.source == nil else { return nil }
        self.plan = plan
        self.context = StageContext(options: plan.options)
    }

    /// First and last nanosecond of the plan's interval.
    public var times: ClosedRange<Int64> {
        let end = self.plan.endNanoseconds
        let last = self.plan.end == nil ? end : end - (end == .min ? 0 : 1)
        return self.plan.startNanoseconds...max(self.plan.startNanoseconds, last)
    }

    /// The rows of a block that the query finds; `nil` when it surely has none.
    ///
    /// An event of which the query makes several counts once.
    public func rows(of block: any BlockSource) throws -> Bitmap? {
        guard try block.mayMatch(self.plan.prefilter) else { return nil }
        let batch = try block.read()
        var found = Bitmap(repeating: false, count: batch.rowCount)
        for rows in try self.matching(batch) {
            rows.selection.forEachSet { row in
                found.set(rows.lineage.map { Int($0[row]) } ?? row)
            }
        }
        return found
    }

    private func matching(_ batch: Batch) throws -> [EventRows] {
        let found: [EventRows]
        do throws(QueryFailure) {
            found = try self.plan.matching(batch, sequence: 0, self.context)
        } catch {
            // Whoever goes through the blocks notes damage and goes on with the next.
            if case .damaged(let what) = error { throw DamagedBlock(path: "a block", offset: 0, reason: what) }
            throw error
        }
        // What a sub-query did not see might be what keeps an event.
        if let warning = self.context.warnings.first {
            throw QueryFailure.unanswerable("nothing more is done, as a part of the query is not complete: \(warning)")
        }
        return found
    }
}
