internal import LeatCore
internal import LeatQuery
internal import LeatStorage

extension IngestBatch {
    /// The batch that a parser makes of this one: events may become several or none, and may get tags.
    ///
    /// Senders' `_id`s stay only if every row stays one row: they are of the events that were sent, not of those that a
    /// script makes of them.
    ///
    /// - Parameter script: The parser of a part, if it has one.
    /// - Returns: What is to be stored.
    func parsed(by script: (IngestPart) -> ParserScript?) -> IngestBatch {
        var result = self
        result.parts = []
        var keepsRows = true
        for part in self.parts {
            guard let script = script(part) else {
                result.parts.append(part)
                continue
            }
            let pieces = script.events(of: part.batch).flatMap { Self.split($0, part.tags) }
            keepsRows = keepsRows && pieces.count == 1 && pieces[0].batch.rowCount == part.batch.rowCount
            result.parts += pieces
        }
        if keepsRows {
            for index in result.parts.indices { result.parts[index].ids = self.parts[index].ids }
        }
        return result
    }

    /// The rows of a batch by the values of their tags.
    private static func split(_ batch: Batch, _ tags: DatasourceTags) -> [IngestPart] {
        let names = batch.fieldNames.filter { $0.hasPrefix("#") }
        guard !names.isEmpty else { return [IngestPart(tags: tags, batch: batch)] }
        let columns = names.map { Self.column($0, of: batch) }
        var rowsOfTags: [[String?]: [Int]] = [:]
        var order: [[String?]] = []
        for row in 0..<batch.rowCount {
            let values = columns.map { column in
                column.flatMap { $0.isPresent(at: row) ? String(decoding: $0.copied(at: row), as: UTF8.self) : nil }
            }
            if rowsOfTags[values] == nil { order.append(values) }
            rowsOfTags[values, default: []].append(row)
        }
        return order.map { values in
            let own = zip(names, values).compactMap { name, value in
                value.map { DatasourceTags.Tag(name: name, value: String($0.prefix(ServerLimits.tagByteCountMax))) }
            }
            return IngestPart(
                tags: DatasourceTags(tags.tags + own),
                batch: Self.picked(rowsOfTags[values] ?? [], of: batch, without: names)
            )
        }
    }

    private static func picked(_ rows: [Int], of batch: Batch, without names: [String]) -> Batch {
        if rows.count == batch.rowCount {
            var whole = batch
            for name in names { whole.drop(name) }
            return whole
        }
        var builder = BatchBuilder()
        let columns = batch.fieldNames.filter { !names.contains($0) }.compactMap { name in
            Self.column(name, of: batch).map { (name, $0) }
        }
        for row in rows {
            for (name, column) in columns where column.isPresent(at: row) {
                builder.append(column.copied(at: row), to: builder.columnIndex(of: name))
            }
            builder.endRow(timestamp: batch.timestamps[row])
        }
        return builder.finish()
    }

    private static func column(_ name: String, of batch: Batch) -> Column? {
        do {
            return try batch.column(name)
        } catch {
            preconditionFailure("a batch in memory is damaged: \(error)")
        }
    }
}

extension Column {
    /// The text of a row that has the field; for few rows, since it copies.
    func copied(at row: Int) -> [UInt8] {
        self.withText(at: row) { Array($0) }
    }
}
