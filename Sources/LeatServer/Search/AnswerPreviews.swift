internal import LeatCore
internal import LeatQuery

/// What is known of an aggregate's answer while it is being found, for a client that asks with `X-Leat-Preview: 1`.
///
/// A preview is the control line `{"@leat":{"preview":N,"columns":[…]}}` and N rows behind it; it stands for itself and is
/// no part of the answer.
struct AnswerPreviews {
    /// Rows of a preview: as many as somebody could look at.
    static let rowCountMax = 500
    /// A preview may take this share of the time since the one before.
    private static let costDivisor: UInt64 = 8

    private let query: RunningQuery
    private let time: any TimeSource
    private var notBefore: UInt64 = 0

    init(query: RunningQuery, time: any TimeSource) {
        self.query = query
        self.time = time
    }

    /// The bytes of a preview; `nil` while none is due, nothing is known, or the query fails, which its end tells.
    mutating func next() async throws -> [UInt8]? {
        let start = self.time.monotonicNanoseconds()
        guard start >= self.notBefore else { return nil }
        let query = self.query
        let piece = try await Blocking.run { () throws -> [UInt8]? in
            let result: QueryResult
            do throws(QueryFailure) {
                result = try query.partialResult()
            } catch {
                return nil
            }
            return result.rowCount == 0 ? nil : try Self.bytes(of: result)
        }
        let end = self.time.monotonicNanoseconds()
        self.notBefore = end + (end - start) * Self.costDivisor
        return piece
    }

    private static func bytes(of result: QueryResult) throws -> [UInt8] {
        let order = Array(result.rows.order.prefix(Self.rowCountMax))
        let head: JSONValue = [
            "preview": JSONValue(order.count),
            "columns": result.columns.map { .array($0.map { .string($0) }) } ?? .null,
        ]
        var bytes = QueryEndpoint.control(head)
        let rows = QueryRows(batches: result.rows.batches, order: order)
        var text = RowsText(rows, columns: result.columns, form: .ndjson)
        while let piece = try text.piece() { bytes += piece }
        return bytes
    }
}
