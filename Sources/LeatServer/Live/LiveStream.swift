internal import LeatCore
internal import LeatQuery

/// The answer to a live query: stored rows first if asked for, oldest first, then each row as it is stored.
///
/// Rows come in the order of their arrival. A row that is stored while the history is read is sent once.
struct LiveStream: Sendable {
    let query: LiveQuery
    let presence: ClientPresence
    let metrics: ServerMetrics
    /// Whether the client understands lines of control data.
    let wantsControl: Bool

    /// Writes until the client goes, the query fails or the server stops.
    func write(history: RunningQuery?, to writer: inout ReplyWriter) async throws {
        // An empty piece sends the head, so that the client knows that it is connected.
        if self.wantsControl { try await writer.write(QueryEndpoint.control(["live": true])) }
        var sent = SentRows()
        if let history { try await self.write(history, &sent, to: &writer) }
        self.presence.onGone { self.query.end() }
        let ticker = LiveTicker(self.query)
        defer { ticker.stop() }
        var lastWrite = ContinuousClock.now
        for await _ in self.query.signals {
            let waiting = self.query.take()
            for rows in waiting.rows {
                guard let new = sent.new(of: rows) else { continue }
                try await self.write(new, to: &writer)
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

    private func write(_ history: RunningQuery, _ sent: inout SentRows, to writer: inout ReplyWriter) async throws {
        while history.result == nil {
            _ = await history.wait(milliseconds: 500)
            if self.presence.isGone { return history.cancel() }
        }
        guard case .success(let result) = history.result else { return }
        let rows = QueryRows(batches: result.rows.batches, order: result.rows.order.reversed())
        sent.remember(rows)
        try await self.write(rows, to: &writer)
        if self.wantsControl, !result.warnings.isEmpty {
            let warnings = JSONValue.array(result.warnings.map { .string($0) })
            try await writer.write(QueryEndpoint.control(["warnings": warnings]))
        }
    }

    private func write(_ rows: QueryRows, to writer: inout ReplyWriter) async throws {
        var text = RowsText(rows, columns: nil, form: .ndjson)
        while let piece = try text.piece() { try await writer.write(piece) }
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
        try await writer.finish()
    }
}

/// The ids of rows that a stream has sent from storage, so that the digest's copies of them are left out.
struct SentRows {
    private var ids: Set<String> = []

    /// Remembers stored rows; only the newest arrivals can come again.
    mutating func remember(_ rows: QueryRows) {
        for id in Self.ids(of: rows) { self.ids.insert(id) }
    }

    /// The rows that were not sent, oldest arrival first; `nil` when there are none.
    func new(of rows: QueryRows) -> QueryRows? {
        let order = Array(rows.order.reversed())
        guard !self.ids.isEmpty else { return QueryRows(batches: rows.batches, order: order) }
        let reversed = QueryRows(batches: rows.batches, order: order)
        let kept = zip(order, Self.ids(of: reversed)).filter { !self.ids.contains($0.1) }.map(\.0)
        return kept.isEmpty ? nil : QueryRows(batches: rows.batches, order: kept)
    }

    private static func ids(of rows: QueryRows) -> [String] {
        var renderers: [UInt32: RowRenderer] = [:]
        return rows.order.map { row in
            let renderer: RowRenderer
            if let known = renderers[row.batch] {
                renderer = known
            } else {
                do {
                    renderer = try RowRenderer(rows.batches[Int(row.batch)], columns: ["@id"])
                } catch {
                    return ""
                }
                renderers[row.batch] = renderer
            }
            return renderer.fields(row: Int(row.row)).first?.value ?? ""
        }
    }
}
