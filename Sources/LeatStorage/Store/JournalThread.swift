internal import Glibc
internal import LeatCore
internal import Synchronization

/// Decides what of each batch is stored, writes groups of them with one sync, and answers those who wait.
///
/// All of it happens on one thread, so that row numbers, keys and ids need no other order than that of the journal.
final class JournalThread: @unchecked Sendable {
    // Sound as Sendable: after its start only its thread touches the mutable parts.
    private let store: Store
    private let writer: JournalWriter
    private var nextRows: [Int64: Int64]
    private var sequence: UInt64
    private var durable: UInt64
    /// The last frame that was accepted, perhaps in the group under way.
    private var previous: UInt64

    init(
        store: Store,
        writer: JournalWriter,
        nextRows: [Int64: Int64],
        lastSequence: UInt64
    ) {
        self.store = store
        self.writer = writer
        self.nextRows = nextRows
        self.sequence = lastSequence
        self.durable = lastSequence
        self.previous = lastSequence
    }

    private enum Work {
        case group([PendingAppend])
        case endFile
        case stop
    }

    /// Runs until the queue is closed and empty.
    func run() {
        while true {
            let work: Work = self.store.queue.wait { queue in
                if !queue.pending.isEmpty { return .group(queue.takeGroup()) }
                if queue.endedFiles < queue.fileEndsWanted { return .endFile }
                return queue.isClosed ? .stop : nil
            }
            switch work {
            case .group(let group): self.write(group)
            case .endFile:
                self.writer.closeFile()
                self.store.queue.update { $0.endedFiles = $0.fileEndsWanted }
            case .stop:
                self.writer.closeFile()
                return
            }
        }
    }

    /// A batch that goes to the journal.
    private struct Accepted {
        var entry: PendingAppend
        var frame: JournalFrame
        var outcome: AppendOutcome
        var open: [(tags: DatasourceTags, rows: OpenRows)]
    }

    private func write(_ group: [PendingAppend]) {
        var accepted: [Accepted] = []
        var answers: [(PendingAppend, Result<AppendOutcome, StorageError>)] = []
        let room = self.roomError()
        for entry in group {
            do throws(StorageError) {
                if let room { throw room }
                switch try self.decide(entry) {
                case .stored(let outcome): answers.append((entry, .success(outcome)))
                case .new(let batch): accepted.append(batch)
                }
            } catch {
                answers.append((entry, .failure(error)))
            }
        }
        if !accepted.isEmpty {
            do throws(FileSystemError) {
                let byteCount = try self.writer.write(accepted.map(\.frame))
                self.durable = self.previous
                self.publish(accepted, byteCount: byteCount)
                for batch in accepted { answers.append((batch.entry, .success(batch.outcome))) }
            } catch {
                self.takeBack(accepted)
                // Answers to repeats in this group rest on rows that are not stored either.
                answers = answers.map { ($0.0, .failure(.journalFailed(error))) }
                for batch in accepted { answers.append((batch.entry, .failure(.journalFailed(error)))) }
                self.store.state.withLock { $0.fault = "\(error)" }
            }
            self.countSyncs()
        }
        for (entry, result) in answers { entry.continuation.resume(returning: result) }
    }

    private func roomError() -> StorageError? {
        let options = self.store.options
        do {
            let space = try options.fileSystem.space(options.path)
            guard space.free < options.reservedByteCount else { return nil }
            return .diskFull(freeByteCount: space.free, reservedByteCount: options.reservedByteCount)
        } catch {
            return .file(error)
        }
    }

    private enum Decision {
        case stored(AppendOutcome)
        case new(Accepted)
    }

    private func decide(_ entry: PendingAppend) throws(StorageError) -> Decision {
        var outcome = AppendOutcome()
        outcome.refused = entry.batch.refused
        if let key = entry.batch.key {
            let verdict = try self.store.verdict(key, repositoryID: entry.repositoryID)
            switch verdict {
            case .new: break
            case .differs: outcome.differsFromFirst = true
            case .stored(let refused):
                outcome.isRepeat = true
                outcome.refused = refused
                self.store.state.withLock { $0.counters.repeatedBatchCount += 1 }
                return .stored(outcome)
            }
        }
        do throws(DamagedBlock) {
            return .new(try self.accept(entry, outcome))
        } catch {
            throw .damaged(path: error.path, reason: error.reason)
        }
    }

    /// Leaves out rows whose `_id` was stored before and numbers the others.
    private func accept(_ entry: PendingAppend, _ given: AppendOutcome) throws(DamagedBlock) -> Accepted {
        var outcome = given
        var entry = entry
        let milliseconds = entry.batch.arrivedAt.milliseconds
        var isChanged = false
        for index in entry.batch.parts.indices {
            let given = entry.ids[index]
            let repeated = self.store.ids.withLock { ids in
                ids.record(given, repositoryID: entry.repositoryID, arrivedAtMilliseconds: milliseconds)
            }
            outcome.repeatedIDs.append(repeated)
            if repeated.isEmpty { continue }
            let kept = Self.rows(entry.batch.parts[index].batch.rowCount, without: repeated)
            entry.batch.parts[index].batch = try entry.batch.parts[index].batch.gathered(kept)
            entry.ids[index] = kept.map { entry.ids[index][$0] }
            entry.byteCounts[index] = try Store.byteCount(of: entry.batch.parts[index].batch)
            isChanged = true
        }
        if isChanged { entry.payload = try JournalFrame.payload(of: entry.batch.parts.map(\.batch)) }
        let firstRow = self.nextRows[entry.repositoryID] ?? 0
        self.sequence += 1
        let meta = JournalFrame.Meta(
            previous: self.previous,
            repositoryID: entry.repositoryID,
            firstRow: firstRow,
            arrivedAtNanoseconds: entry.batch.arrivedAt.nanoseconds,
            parts: zip(entry.batch.parts, entry.ids).map { part, ids in
                JournalFrame.Part(tags: part.tags, rowCount: part.batch.rowCount, ids: ids)
            },
            key: entry.batch.key,
            refused: entry.batch.refused
        )
        let frame = JournalFrame(sequence: self.sequence, durable: self.durable, meta: meta, payload: entry.payload)
        let parts = zip(entry.batch.parts, entry.byteCounts).map { ($0.batch, $1) }
        let open = try self.store.openRows(meta, parts, repository: entry.batch.repository)
        self.nextRows[entry.repositoryID] = firstRow + meta.parts.reduce(0) { $0 + Int64($1.rowCount) }
        self.previous = self.sequence
        outcome.stored = open.map(\.rows.batch)
        if let key = entry.batch.key {
            self.store.record(key, meta)
        }
        return Accepted(entry: entry, frame: frame, outcome: outcome, open: open.filter { $0.rows.batch.rowCount > 0 })
    }

    private static func rows(_ count: Int, without left: [Int]) -> [Int] {
        let left = Set(left)
        return (0..<count).filter { !left.contains($0) }
    }

    private func publish(_ accepted: [Accepted], byteCount: Int) {
        let isFull = self.store.state.withLock { state in
            state.fault = nil
            for batch in accepted {
                state.counters.appendedBatchCount += 1
                state.counters.journalFrameCount += 1
                state.counters.repeatedIDCount += UInt64(batch.outcome.repeatedIDs.reduce(0) { $0 + $1.count })
                // The repository may be gone by now; then so are the rows.
                let name = batch.entry.batch.repository
                guard state.repositories[name]?.record.id == batch.entry.repositoryID else { continue }
                for (tags, rows) in batch.open {
                    state.repositories[name]?.datasources[tags, default: OpenDatasource()].growing.append(rows)
                    state.openByteCount += rows.byteCount
                    state.counters.appendedRowCount += UInt64(rows.batch.rowCount)
                    state.counters.appendedByteCount += UInt64(rows.byteCount)
                }
            }
            state.counters.journalByteCount += UInt64(byteCount)
            return accepted.contains { batch in
                let name = batch.entry.batch.repository
                return batch.open.contains { state.repositories[name]?.datasources[$0.tags]?.hasFullBlock ?? false }
            } || state.openByteCount >= self.store.options.openByteCountMax
        }
        self.store.claimMemory()
        for batch in accepted {
            for (tags, _) in batch.open { self.store.joinSmall(repository: batch.entry.batch.repository, tags) }
        }
        if isFull { self.store.sealing.update { $0.isWanted = true } }
    }

    private func takeBack(_ accepted: [Accepted]) {
        self.previous = self.durable
        for batch in accepted {
            if let key = batch.entry.batch.key, !batch.outcome.differsFromFirst {
                self.store.forget(key, repositoryID: batch.entry.repositoryID)
            }
            self.store.ids.withLock { ids in
                for list in batch.entry.ids { ids.forget(list, repositoryID: batch.entry.repositoryID) }
            }
        }
    }

    private func countSyncs() {
        let (syncs, failureCount) = self.writer.takeSyncs()
        self.store.state.withLock { state in
            state.counters.syncFailureCount += failureCount
            for nanoseconds in syncs {
                state.counters.syncCount += 1
                state.counters.syncNanoseconds += nanoseconds
                let bounds = StoreCounters.syncHistogramBounds
                let slot = bounds.firstIndex { nanoseconds <= $0 * 1_000_000 } ?? bounds.count
                state.counters.syncHistogram[slot] += 1
            }
        }
    }
}

extension Store {
    func verdict(_ key: BatchKey, repositoryID: Int64) throws(StorageError) -> BatchKeyMemory.Verdict {
        let result = self.keys.withLock { keys in
            Result { () throws(StorageError) in try keys.verdict(key, repositoryID: repositoryID) }
        }
        return try result.get()
    }

    /// Remembers the key of a frame; its series was loaded by `verdict`.
    func record(_ key: BatchKey, _ meta: JournalFrame.Meta) {
        self.keys.withLock { keys in
            keys.record(
                key,
                repositoryID: meta.repositoryID,
                arrivedAtMilliseconds: Timestamp(nanoseconds: meta.arrivedAtNanoseconds).milliseconds,
                refused: meta.refused
            )
        }
    }

    func forget(_ key: BatchKey, repositoryID: Int64) {
        self.keys.withLock { $0.forget(key, repositoryID: repositoryID) }
    }

    /// The rows of a frame, and the bytes that they count for, as they are kept in memory.
    func openRows(
        _ meta: JournalFrame.Meta,
        _ batches: [(batch: Batch, byteCount: Int)],
        repository: String
    ) throws(DamagedBlock) -> [(tags: DatasourceTags, rows: OpenRows)] {
        var open: [(tags: DatasourceTags, rows: OpenRows)] = []
        var next = meta.firstRow
        let milliseconds = Timestamp(nanoseconds: meta.arrivedAtNanoseconds).milliseconds
        for (part, (batch, byteCount)) in zip(meta.parts, batches) {
            let end = next + Int64(part.rowCount)
            let fields = try OpenRows.fields(
                of: batch,
                rows: Array(next..<end),
                arrivedAtMilliseconds: milliseconds,
                repository: repository,
                tags: part.tags
            )
            let rows = OpenRows(
                batch: fields,
                rows: next...max(next, end - 1),
                arrivedAt: milliseconds,
                byteCount: byteCount
            )
            open.append((part.tags, rows))
            next = end
        }
        return open
    }
}
