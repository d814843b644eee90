internal import LeatCore
internal import LeatQuery
internal import LeatStorage
internal import Logging
internal import Synchronization

/// Fulfils deletions one after the other, on a thread of its own; what a stop interrupts goes on at the next start.
final class DeletionQueue: Sendable {
    /// The kind of the catalog's documents.
    private static let kind = "deletion"

    private struct State {
        var deletions: [String: Deletion] = [:]
        var ends: [String: Outcome<Deletion>] = [:]
        var isStopped = false
    }

    private let store: Store
    private let time: any TimeSource
    private let logger: Logger
    private let state: Mutex<State>
    private let thread = BlockingPool(name: "deletion", threadCount: 1)

    /// Reads the deletions of the catalog and goes on with those that are not done.
    ///
    /// - Throws: When the catalog cannot be read.
    init(_ store: Store, time: any TimeSource, logger: Logger) throws {
        self.store = store
        self.time = time
        self.logger = logger
        var state = State()
        for (name, bytes) in try store.documents(kind: Self.kind) {
            guard let deletion = Deletion(document: try JSONValue(bytes)) else {
                throw StorageError.catalog("deletion '\(name)' cannot be read")
            }
            state.deletions[name] = deletion
        }
        self.state = Mutex(state)
        for deletion in self.all where deletion.state == .running { self.start(deletion) }
    }

    /// All deletions that are remembered, newest first.
    var all: [Deletion] {
        self.state.withLock { state in
            state.deletions.values.sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }
        }
    }

    func deletion(_ id: String) -> Deletion? { self.state.withLock { $0.deletions[id] } }

    /// Keeps a wish and begins with it; it survives a crash from here on.
    ///
    /// Blocks.
    ///
    /// - Parameters:
    ///   - request: What to delete, checked by `selection`.
    ///   - repository: Where.
    /// - Returns: The wish.
    /// - Throws: `StorageError` when it cannot be kept.
    func add(_ request: QueryRequest, repository: String) throws -> Deletion {
        let now = self.time.now()
        let deletion = Deletion(
            id: String(SystemRandom.uint64(), radix: 36),
            repository: repository,
            queryString: request.queryString,
            start: request.start,
            end: request.end,
            createdAt: now,
            bound: try self.store.sealedRowBound(of: repository)
        )
        try self.store.setDocument(deletion.document.bytes, kind: Self.kind, name: deletion.id)
        self.state.withLock { $0.deletions[deletion.id] = deletion }
        self.start(deletion)
        return deletion
    }

    /// Waits until a deletion has ended, at most `milliseconds`; the deletion as it is then.
    func wait(for deletion: Deletion, milliseconds: Int64) async -> Deletion {
        let end = self.state.withLock { $0.ends[deletion.id] }
        return await end?.wait(milliseconds: milliseconds) ?? self.deletion(deletion.id) ?? deletion
    }

    /// Ends the work after the segment under way.
    func stop() { self.state.withLock { $0.isStopped = true } }

    /// The events that a wish is about.
    ///
    /// - Throws: 400 when the query does more than find events, `QueryErrors` when it is none.
    static func selection(
        _ queryString: String,
        start: Timestamp?,
        end: Timestamp?,
        now: Timestamp,
        blocks: StoredBlocks
    ) throws -> EventSelection {
        var options = QueryOptions(now: now, start: start, end: end)
        options.blocks = blocks
        let plan = try QueryPlan(try QueryParser.parse(queryString), options: options)
        guard let selection = EventSelection(plan) else {
            throw RequestFault.text(
                400,
                "bad_request",
                "only a query that finds events can name what to delete; this one makes rows of its own"
            )
        }
        return selection
    }

    private func start(_ deletion: Deletion) {
        self.state.withLock { $0.ends[deletion.id] = Outcome() }
        self.thread.start { self.run(deletion) }
    }

    private func run(_ deletion: Deletion) {
        var deletion = deletion
        do {
            guard let outcome = try self.fulfil(deletion) else { return }
            deletion.deletedCount = outcome.rowCount
            deletion.reasons = outcome.damaged
            deletion.state = outcome.damaged.isEmpty ? .done : .incomplete
        } catch StorageError.closed {
            return
        } catch {
            deletion.state = .failed
            deletion.reasons = ["\(error)"]
        }
        self.end(deletion)
    }

    /// Removes the events; `nil` when the server stops.
    private func fulfil(_ deletion: Deletion) throws -> DeletionOutcome? {
        if self.state.withLock({ $0.isStopped }) { return nil }
        // One that was deleted and made again has other events.
        guard let repository = self.store.repository(named: deletion.repository),
            repository.createdAt <= deletion.createdAt
        else { return DeletionOutcome() }
        let selection = try Self.selection(
            deletion.queryString,
            start: deletion.start,
            end: deletion.end,
            now: deletion.createdAt,
            blocks: StoredBlocks(store: self.store, repository: deletion.repository)
        )
        let outcome = try self.store.deleteRows(
            of: deletion.repository,
            below: deletion.bound,
            times: selection.times,
            shouldStop: { self.state.withLock { $0.isStopped } },
            choose: { try selection.rows(of: $0) }
        )
        return outcome.isStopped ? nil : outcome
    }

    private func end(_ deletion: Deletion) {
        do {
            try self.store.setDocument(deletion.document.bytes, kind: Self.kind, name: deletion.id)
            try self.forgetOldest()
        } catch {
            // It runs again at the next start and finds nothing left.
            self.logger.error("a deletion is not noted as done", metadata: ["error": "\(error)"])
        }
        self.logger.info(
            "deletion ended",
            metadata: [
                "id": "\(deletion.id)", "repository": "\(deletion.repository)", "state": "\(deletion.state.rawValue)",
                "events": "\(deletion.deletedCount)",
            ]
        )
        let end = self.state.withLock { state in
            state.deletions[deletion.id] = deletion
            return state.ends.removeValue(forKey: deletion.id)
        }
        end?.fulfil(deletion)
    }

    private func forgetOldest() throws {
        let ended = self.all.filter { $0.state != .running }
        for old in ended.dropFirst(ServerLimits.deletionCountMax) {
            try self.store.setDocument(nil, kind: Self.kind, name: old.id)
            self.state.withLock { $0.deletions[old.id] = nil }
        }
    }
}
