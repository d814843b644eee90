internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// A query that stays open: the digest offers rows, one client takes those that pass.
///
/// Rows that pass are written in the client's form at once, so that a waiting row holds no more memory than its own bytes. While the
/// client does not take them, at most `ServerLimits.liveRowCountMax` rows and `liveByteCountMax` bytes wait; more are
/// dropped and counted.
final class LiveQuery: Sendable {
    /// A row that passed.
    struct Row: Sendable {
        /// Its `@id`; -1 when it has none.
        let id: Int64
        /// The row in the client's form.
        let text: [UInt8]
    }

    /// What waits for the client, the row that arrived first comes first.
    struct Waiting: Sendable {
        var rows: [Row] = []
        var byteCount = 0
        /// Rows that were dropped since the client last took some.
        var droppedCount = 0
        var failure: QueryFailure?
    }

    /// Whether rows pass, or wait until the history was read.
    private enum Gate {
        case open
        case held([Batch])
    }

    private let execution: LiveExecution
    private let form: RowsForm
    private let waiting = Mutex(Waiting())
    private let gate = Mutex(Gate.open)
    private let damages = Mutex<[String]>([])
    private let wake: AsyncStream<Void>.Continuation
    /// Yields when rows wait; ends with the query.
    let signals: AsyncStream<Void>

    /// - Parameters:
    ///   - execution: The query.
    ///   - form: How rows are written; never CSV.
    init(_ execution: LiveExecution, form: RowsForm = .ndjson) {
        self.execution = execution
        self.form = form
        (self.signals, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Keeps rows that are offered until `release`.
    func hold() { self.gate.withLock { $0 = .held([]) } }

    /// Runs the query over the rows that were kept, but those whose `@id` is at most `id`: they were in the history.
    func release(after id: Int64) {
        while true {
            let batches: [Batch]? = self.gate.withLock { gate in
                guard case .held(let batches) = gate, !batches.isEmpty else {
                    gate = .open
                    return nil
                }
                gate = .held([])
                return batches
            }
            guard let batches else { return }
            for batch in batches {
                if let rest = StoredIDs.rows(of: batch, after: id) { self.run(rest) }
            }
        }
    }

    /// Takes rows that were just stored.
    func offer(_ batch: Batch) {
        let isHeld = self.gate.withLock { gate in
            guard case .held(let batches) = gate else { return false }
            gate = .held(batches + [batch])
            return true
        }
        if !isHeld { self.run(batch) }
    }

    /// Runs the query over rows.
    func run(_ batch: Batch) {
        do throws(QueryFailure) {
            let rows = try self.execution.consume(batch)
            if rows.count > 0 { self.add(rows) }
        } catch {
            self.waiting.withLock { $0.failure = error }
            self.wake.yield()
            self.wake.finish()
        }
    }

    /// Notes events that could not be read.
    func miss(_ damage: DamagedBlock) {
        self.damages.withLock { if !$0.contains(damage.description) { $0.append(damage.description) } }
    }

    /// Events that could not be read.
    var warnings: [String] { self.damages.withLock { $0 } }

    /// Takes what waits.
    func take() -> Waiting {
        self.waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
    }

    /// Wakes the client and lets its loop come round, as a heartbeat does.
    func nudge() { self.wake.yield() }

    /// Ends the signals.
    func end() { self.wake.finish() }

    private func add(_ rows: QueryRows) {
        let isFull = self.waiting.withLock { waiting in
            guard
                waiting.rows.count + rows.count > ServerLimits.liveRowCountMax
                    || waiting.byteCount > ServerLimits.liveByteCountMax
            else { return false }
            waiting.droppedCount += rows.count
            return true
        }
        guard !isFull else {
            self.wake.yield()
            return
        }
        do {
            let written = try Self.write(rows, self.form)
            self.waiting.withLock { waiting in
                waiting.rows += written
                for row in written { waiting.byteCount += row.text.count }
            }
        } catch {
            self.miss(error)
        }
        self.wake.yield()
    }

    /// Rows as text, the one that arrived first comes first.
    private static func write(_ rows: QueryRows, _ form: RowsForm) throws(DamagedBlock) -> [Row] {
        var renderers: [UInt32: RowRenderer] = [:]
        var result: [Row] = []
        result.reserveCapacity(rows.count)
        for reference in rows.order.reversed() {
            let batch = rows.batches[Int(reference.batch)]
            let renderer: RowRenderer
            if let known = renderers[reference.batch] {
                renderer = known
            } else {
                renderer = try RowRenderer(batch)
                renderers[reference.batch] = renderer
            }
            var text: [UInt8] = []
            RowsText.append(Int(reference.row), of: renderer, as: form, to: &text)
            result.append(Row(id: try StoredIDs.id(of: batch, row: Int(reference.row)), text: text))
        }
        return result
    }
}
