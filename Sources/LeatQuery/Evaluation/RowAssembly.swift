internal import LeatCore

extension KeptRows {
    /// The rows put together into batches of their own, whose order is their place, with the fields `names` or all.
    func assembled(names: [String]? = nil) throws(QueryFailure) -> [EventRows] {
        let names = names ?? self.fieldNames
        var result: [EventRows] = []
        var start = 0
        while start < self.order.count {
            let end = min(start + Batch.rowCountMax, self.order.count)
            let batch = try self.batch(start..<end, names: names)
            result.append(.ordered(batch, sequence: result.count))
            start = end
        }
        return result
    }

    /// All names that a row may have, in the order of the batches.
    var fieldNames: [String] {
        var seen: Set<String> = []
        var names: [String] = []
        for rows in self.batches {
            for name in rows.fieldNames where seen.insert(name).inserted { names.append(name) }
        }
        return names
    }

    private func batch(_ range: Range<Int>, names: [String]) throws(QueryFailure) -> Batch {
        var columns: [(name: String, column: Column)] = []
        for name in names {
            var builder = TextColumnBuilder(rowCapacity: range.count)
            var presence = Bitmap(repeating: false, count: range.count)
            var sources = [Column??](repeating: nil, count: self.batches.count)
            for index in range {
                let (batch, row) = self.order[index]
                if sources[batch] == nil { sources[batch] = .some(try self.batches[batch].column(name)) }
                if let column = sources[batch] ?? nil, column.isPresent(at: row) {
                    column.withBytes(at: row) { builder.append($0) }
                    presence.set(index - range.lowerBound)
                } else {
                    builder.appendEmpty()
                }
            }
            guard !presence.isEmpty else { continue }
            let isFull = presence.isFull
            let column = PlainColumn(values: builder.finish(), presence: isFull ? nil : presence)
            columns.append((name, .plain(column)))
        }
        return Batch(timestamps: [Int64](repeating: 0, count: range.count), source: MemoryColumns(columns))
    }

    /// The rows as they leave the engine: batches in which the time is a column.
    func queryRows() throws(QueryFailure) -> QueryRows {
        var batches: [Batch] = []
        for rows in self.batches { batches.append(try rows.outgoing()) }
        return QueryRows(
            batches: batches,
            order: self.order.map { QueryRows.Reference(batch: $0.batch, row: $0.row) }
        )
    }
}

extension EventRows {
    /// The batch with the time of its events as a column.
    func outgoing() throws(QueryFailure) -> Batch {
        var batch = self.batch
        if self.areEvents, !batch.isChanged("@timestamp"), let time = try self.column("@timestamp") {
            batch.set("@timestamp", to: time)
        }
        batch.selection = nil
        return batch
    }
}
