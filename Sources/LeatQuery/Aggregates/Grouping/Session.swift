internal import LeatCore

/// `session`: an aggregate over each run of events without a pause of `pause` or more.
struct SessionFunction: SequenceFunction {
    let function: (any AggregatePlan)?
    /// Nanoseconds.
    let pause: Int64

    var columns: [String]? { self.function?.columns.map { ["@timestamp", "_duration"].adding($0) } }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        var start = 0
        while start < rows.count {
            let first = try rows.number("@timestamp", start) ?? 0
            var end = start + 1
            var last = first
            while end < rows.count {
                let time = try rows.number("@timestamp", end) ?? last
                if (time - last) * 1_000_000 >= Double(self.pause) { break }
                last = time
                end += 1
            }
            try writer.scoped { () throws(QueryFailure) in
                try writer.set(writer.column("@timestamp"), to: first)
                try writer.set(writer.column("_duration"), to: last - first)
                guard let function = self.function else { return try next() }
                try function.emit(over: rows, start..<end, into: writer, context, then: next)
            }
            start = end
        }
    }
}

/// `series`: runs of events with the values of fields put together; a run ends where a pipeline or a length of time
/// says so.
struct SeriesFunction: SequenceFunction {
    /// Bytes of the values that all runs of a group collect; `nil`: what the query may hold.
    let byteCountMax: Int?
    let fields: [String]
    let separator: String
    let start: FilterNode?
    let end: FilterNode?
    /// Nanoseconds.
    let pause: Int64?
    /// Nanoseconds.
    let duration: Int64?

    var columns: [String]? { ["@timestamp", "_duration"].adding(self.fields) }

    func emit(
        _ rows: SequenceRows,
        into writer: RowWriter,
        _ context: StageContext,
        then next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        let starts = try rows.passing(self.start, context)
        let ends = try rows.passing(self.end, context)
        var run: Range<Int>?
        var room = self.byteCountMax ?? .max
        defer {
            if room < 0 {
                let limit = "memlimit, \(self.byteCountMax ?? 0) bytes"
                context.warn("series collected more than \(limit): the rest is left out")
            }
        }
        for index in 0..<rows.count {
            if let open = run {
                let begins = self.start != nil && starts.contains(index)
                let breaks = try self.breaks(rows, open, index)
                if begins || breaks {
                    try self.emit(rows, open, writer, &room, next)
                    run = nil
                }
            }
            if let open = run {
                run = open.lowerBound..<index + 1
            } else if self.start == nil || starts.contains(index) {
                run = index..<index + 1
            }
            if let open = run, self.end != nil && ends.contains(index) {
                try self.emit(rows, open, writer, &room, next)
                run = nil
            }
        }
        if let open = run { try self.emit(rows, open, writer, &room, next) }
    }

    private func breaks(_ rows: SequenceRows, _ run: Range<Int>, _ index: Int) throws(QueryFailure) -> Bool {
        let time = try rows.number("@timestamp", index) ?? 0
        let last = try rows.number("@timestamp", run.upperBound - 1) ?? 0
        let first = try rows.number("@timestamp", run.lowerBound) ?? 0
        if let pause = self.pause, (time - last) * 1_000_000 > Double(pause) { return true }
        if let duration = self.duration, (time - first) * 1_000_000 > Double(duration) { return true }
        return false
    }

    private func emit(
        _ rows: SequenceRows,
        _ run: Range<Int>,
        _ writer: RowWriter,
        _ room: inout Int,
        _ next: () throws(QueryFailure) -> Void
    ) throws(QueryFailure) {
        try writer.scoped { () throws(QueryFailure) in
            let first = try rows.number("@timestamp", run.lowerBound) ?? 0
            let last = try rows.number("@timestamp", run.upperBound - 1) ?? first
            try writer.set(writer.column("@timestamp"), to: first)
            try writer.set(writer.column("_duration"), to: last - first)
            for field in self.fields where field != "@timestamp" {
                var values: [[UInt8]] = []
                for index in run where room >= 0 {
                    guard let value = try rows.value(field, index) else { continue }
                    room -= value.count
                    if room >= 0 { values.append(value) }
                }
                guard !values.isEmpty else { continue }
                let joined = Array(values.joined(separator: Array(self.separator.utf8)))
                try writer.set(writer.column(field), to: joined)
            }
            try next()
        }
    }
}

extension SequenceRows {
    /// The rows that pass a filter.
    func passing(_ filter: FilterNode?, _ context: StageContext) throws(QueryFailure) -> Set<Int> {
        guard let filter else { return [] }
        var passing: [Bitmap] = []
        for batch in self.batches {
            passing.append(try filter.evaluate(batch, within: batch.selection, context))
        }
        return Set(self.order.indices.filter { passing[self.order[$0].batch][self.order[$0].row] })
    }
}
