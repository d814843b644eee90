internal import LeatCore
internal import LeatQuery

/// The answer to a live query: stored rows first if asked for, oldest first, then each row as it is stored.
///
/// Rows come in the order of their arrival. A row that is stored while the history is read is sent once.
struct LiveStream: Sendable {
    let query: LiveQuery
    let presence: ClientPresence
    let metrics: ServerMetrics
    /// How rows are written; never CSV.
    let form: RowsForm
    /// Whether the client understands lines of control data.
    let wantsControl: Bool
    /// Whether the token of the client still counts.
    let isAllowed: @Sendable () -> Bool

    /// Writes until the client goes, its token is deleted or expires, the query fails or the server stops.
    func write(history: RunningQuery?, to writer: inout ReplyWriter) async throws {
        // An empty piece sends the head, so that the client knows that it is connected.
        if self.wantsControl { try await writer.write(QueryEndpoint.control(["live": true])) }
        // Ids of stored rows that were sent, so that the digest's copies of them are left out.
        var sent: Set<Int64> = []
        if let history {
            if let failure = try await self.write(history, &sent, to: &writer) {
                return try await self.end(failure, to: &writer)
            }
        } else if self.form == .json {
            try await writer.write([UInt8(ascii: "[")])
        }
        var isFirst = sent.isEmpty
        self.presence.onGone { self.query.end() }
        let ticker = LiveTicker(self.query)
        defer { ticker.stop() }
        var lastWrite = ContinuousClock.now
        for await _ in self.query.signals {
            guard self.isAllowed() else {
                return try await self.end("the token has been deleted or has expired", to: &writer)
            }
            let waiting = self.query.take()
            var bytes: [UInt8] = []
            for row in waiting.rows where !sent.contains(row.id) {
                if self.form == .json, !isFirst { bytes += RowsText.arraySeparator.utf8 }
                isFirst = false
                bytes += row.text
            }
            if !bytes.isEmpty {
                try await writer.write(bytes)
                lastWrite = .now
            }
            if waiting.droppedCount > 0 {
                self.metrics.liveRowsDropped(waiting.droppedCount)
                if self.wantsControl {
                    try await writer.write(QueryEndpoint.control(["dropped": JSONValue(waiting.droppedCount)]))
                }
            }
            if let failure = waiting.failure {
                try await self.end("\(failure)", to: &writer)
                return
            }
            if self.wantsControl, lastWrite.duration(to: .now) >= .seconds(ServerLimits.heartbeatSeconds) {
                try await writer.write(QueryEndpoint.control(["heartbeat": true]))
                lastWrite = .now
            }
        }
        try await self.end(nil, to: &writer)
    }

    /// Writes what is stored already; why that could not be had, if so.
    private func write(
        _ history: RunningQuery,
        _ sent: inout Set<Int64>,
        to writer: inout ReplyWriter
    ) async throws -> String? {
        while history.result == nil {
            _ = await history.wait(milliseconds: 500)
            if self.presence.isGone {
                history.cancel()
                throw CancellationError()
            }
        }
        let result: QueryResult
        switch history.result {
        case .success(let rows): result = rows
        case .failure(let failure): return "\(failure)"
        case nil: throw CancellationError()
        }
        let rows = QueryRows(batches: result.rows.batches, order: result.rows.order.reversed())
        for row in rows.order {
            sent.insert(try StoredIDs.id(of: rows.batches[Int(row.batch)], row: Int(row.row)))
        }
        var text = RowsText(rows, columns: nil, form: self.form, isOpen: true)
        while let piece = try text.piece() { try await writer.write(piece) }
        if self.wantsControl, !result.warnings.isEmpty {
            let warnings = JSONValue.array(result.warnings.map { .string($0) })
            try await writer.write(QueryEndpoint.control(["warnings": warnings]))
        }
        return nil
    }

    private func end(_ error: String?, to writer: inout ReplyWriter) async throws {
        if self.wantsControl {
            var line: [JSONValue.Member] = [
                .init("done", true), .init("warnings", []), .init("partial", false), .init("columns", .null),
                .init("aggregate", false),
            ]
            if let error { line.append(.init("error", .string(error))) }
            try await writer.write(QueryEndpoint.control(.object(line)))
        }
        if self.form == .json { try await writer.write(Array(RowsText.arrayEnd.utf8)) }
        try await writer.finish()
    }
}
