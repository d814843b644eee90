internal import LeatCore
internal import LeatQuery

/// Previews of an answer that is being found; each may cost an eighth of the time since the one before.
struct FilePreviews {
    /// Rows of a preview: as many as somebody could look at.
    private static let rowCountMax = 500
    private static let intervalNanoseconds: UInt64 = 500_000_000
    private static let costDivisor: UInt64 = 8

    private let clock = SystemTime()
    private var notBefore: UInt64

    init() { self.notBefore = self.clock.monotonicNanoseconds() + Self.intervalNanoseconds }

    /// The answer so far; `nil` while none is due, nothing is known, or the query fails, which its end tells.
    mutating func next(of run: QueryRun) -> AnswerPreview? {
        let start = self.clock.monotonicNanoseconds()
        guard start >= self.notBefore else { return nil }
        defer {
            let end = self.clock.monotonicNanoseconds()
            self.notBefore = end + max(Self.intervalNanoseconds, (end - start) * Self.costDivisor)
        }
        do throws(QueryFailure) {
            var result = try run.partialResult()
            let order = result.rows.order.prefix(Self.rowCountMax)
            result.rows = QueryRows(batches: result.rows.batches, order: Array(order))
            var preview = AnswerPreview(columns: result.columns)
            result.forEachRowAsJSON { preview.rows.append($0) }
            return preview.rows.isEmpty ? nil : preview
        } catch {
            return nil
        }
    }
}
