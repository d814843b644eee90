internal import LeatCore
internal import LeatQuery
internal import Synchronization

/// A query that stays open: the digest offers rows, one client takes those that pass.
///
/// Rows that pass wait in memory until the client takes them, at most `ServerLimits.liveRowCountMax`; of more the oldest
/// are dropped and counted.
final class LiveQuery: Sendable {
    /// What waits for the client.
    struct Waiting {
        var rows: [QueryRows] = []
        /// Rows that were dropped since the client last took some.
        var droppedCount = 0
        var failure: QueryFailure?
    }

    private let execution: LiveExecution
    private let waiting = Mutex((content: Waiting(), rowCount: 0))
    private let wake: AsyncStream<Void>.Continuation
    /// Yields when rows wait; ends with the query.
    let signals: AsyncStream<Void>

    init(_ execution: LiveExecution) {
        self.execution = execution
        (self.signals, self.wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Runs the query over rows that were just stored.
    func offer(_ batch: Batch) {
        do throws(QueryFailure) {
            let rows = try self.execution.consume(batch)
            guard rows.count > 0 || self.execution.plan.isAggregate else { return }
            self.add(rows)
        } catch {
            self.waiting.withLock { $0.content.failure = error }
            self.wake.yield()
            self.wake.finish()
        }
    }

    private func add(_ rows: QueryRows) {
        self.waiting.withLock { waiting in
            waiting.content.rows.append(rows)
            waiting.rowCount += rows.count
            while waiting.rowCount > ServerLimits.liveRowCountMax, waiting.content.rows.count > 1 {
                let dropped = waiting.content.rows.removeFirst().count
                waiting.rowCount -= dropped
                waiting.content.droppedCount += dropped
            }
        }
        self.wake.yield()
    }

    /// Takes what waits.
    func take() -> Waiting {
        self.waiting.withLock { waiting in
            let content = waiting.content
            waiting = (Waiting(), 0)
            return content
        }
    }

    /// Wakes the client and lets its loop come round, as a heartbeat does.
    func nudge() { self.wake.yield() }

    /// Ends the signals.
    func end() { self.wake.finish() }
}
