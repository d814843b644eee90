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
        case .tables(let sources, let include, let limit):
            var tables: [JoinTable] = []
            for source in sources { tables.append(try self.table(source)) }
            return self.batches(of: tables, include: include, limit: limit ?? .max)
        }
    }

    private func batches(of tables: [JoinTable], include: [String]?, limit: Int) -> [Batch] {
        var left = limit
        let parts = tables.map { table in
            let rows = table.rows.prefix(left)
            left -= rows.count
            return (table: table, rows: rows)
        }
        var builder = BatchBuilder()
        var result: [Batch] = []
        // The last row counts as the newest, so the rows leave in the order of the file when they are reversed.
        for (table, rows) in parts.reversed() {
            let columns = table.columns.enumerated().filter { include?.contains($0.element) ?? true }
            for row in rows.reversed() {
                for (index, name) in columns {
                    if let value = row[index] { builder.append(value, to: builder.columnIndex(of: name)) }
                }
                builder.endRow(timestamp: self.options.now.nanoseconds)
                if builder.isFull { result.append(builder.finish()) }
            }
        }
        if builder.rowCount > 0 { result.append(builder.finish()) }
        return result
    }
}
