internal import LeatCore

/// Where the rows of a table come from; its identity is what tables are remembered by during one execution.
final class TableSource: Sendable {
    enum Content: Sendable {
        case table(JoinTable)
        /// The answer to a query over events of a repository (`nil`: of the same).
        case query(QueryPlan, repository: String?)
    }

    let content: Content

    init(_ content: Content) { self.content = content }
}

extension StageContext {
    /// The batches that a function of the query puts in the place of events, in the order of arrival.
    func batches(of source: Program.EventSource) throws(QueryFailure) -> [Batch] {
        switch source {
        case .batches(let batches): return batches
        case .table(let tableSource, let include, let limit):
            let table = try self.table(tableSource)
            let columns = table.columns.enumerated().filter { include?.contains($0.element) ?? true }
            var builder = BatchBuilder()
            var result: [Batch] = []
            // The last row counts as the newest, so the rows leave in the order of the file when they are reversed.
            for row in table.rows.prefix(limit ?? .max).reversed() {
                for (index, name) in columns {
                    if let value = row[index] { builder.append(value, to: builder.columnIndex(of: name)) }
                }
                builder.endRow(timestamp: self.options.now.nanoseconds)
                if builder.isFull { result.append(builder.finish()) }
            }
            if builder.rowCount > 0 { result.append(builder.finish()) }
            return result
        }
    }
}
