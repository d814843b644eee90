internal import Glibc
internal import LeatCore
internal import Synchronization

extension Store {
    /// Stores a batch; returns once it is durable and snapshots show it.
    ///
    /// Waits without blocking a thread while too many rows wait to be sealed, and throws `overloaded` when that lasts.
    public func append(_ batch: IngestBatch) async throws(StorageError) -> AppendOutcome {
        var batch = batch
        let byteCounts = try Self.byteCounts(of: batch)
        let byteCount = byteCounts.reduce(0, +)
        guard byteCount <= JournalFrame.payloadByteCountMax / 2 else {
            throw .batchTooLarge(byteCount: byteCount, limit: JournalFrame.payloadByteCountMax / 2)
        }
        try await self.waitForRoom(byteCount)
        let repositoryID = try self.assignDatasources(&batch)
        let payload: JournalFrame.Payload
        do {
            for index in batch.parts.indices { batch.parts[index].batch = try batch.parts[index].batch.compacted() }
            payload = try JournalFrame.payload(of: batch.parts.map(\.batch))
        } catch {
            throw .damaged(path: error.path, reason: error.reason)
        }
        let ids = batch.parts.map { part in part.ids?.map(Self.digest) ?? [] }
        let result = await withCheckedContinuation { continuation in
            let entry = PendingAppend(
                batch: batch,
                repositoryID: repositoryID,
                ids: ids,
                payload: payload,
                byteCounts: byteCounts,
                continuation: continuation
            )
            let isTaken = self.queue.update { queue in
                guard !queue.isClosed else { return false }
                queue.pending.append(entry)
                return true
            }
            if !isTaken { continuation.resume(returning: .failure(.closed)) }
        }
        return try result.get()
    }

    /// Bytes of values per part.
    private static func byteCounts(of batch: IngestBatch) throws(StorageError) -> [Int] {
        var counts: [Int] = []
        for part in batch.parts {
            precondition(part.batch.selection == nil, "rows to be stored must not be narrowed by a selection")
            do {
                counts.append(try Self.byteCount(of: part.batch))
            } catch {
                throw .damaged(path: error.path, reason: error.reason)
            }
        }
        return counts
    }

    /// Bytes of the values of rows as plain text, and of their times.
    static func byteCount(of batch: Batch) throws(DamagedBlock) -> Int {
        var count = 8 * batch.rowCount
        for name in batch.fieldNames { count += try batch.column(name)?.valueByteCount ?? 0 }
        return count
    }

    /// The repository's id; tags beyond the limit move from the datasource into the rows.
    private func assignDatasources(_ batch: inout IngestBatch) throws(StorageError) -> Int64 {
        let found: (id: Int64, datasources: [DatasourceTags])? = self.state.withLock { state in
            guard var known = state.repositories[batch.repository] else { return nil }
            var datasources: [DatasourceTags] = []
            for part in batch.parts {
                let datasource = known.datasource(for: part.tags)
                known.knownTags.insert(datasource)
                datasources.append(datasource)
            }
            state.repositories[batch.repository]?.knownTags = known.knownTags
            return (known.record.id, datasources)
        }
        guard let found else { throw self.unknown(batch.repository) }
        for (index, datasource) in found.datasources.enumerated() where datasource != batch.parts[index].tags {
            for tag in batch.parts[index].tags.tags {
                let rowCount = batch.parts[index].batch.rowCount
                let column = ConstantColumn(value: ByteSlice(tag.value), rowCount: rowCount)
                batch.parts[index].batch.set(tag.name, to: .constant(column))
            }
            batch.parts[index].tags = datasource
        }
        return found.id
    }

    private func waitForRoom(_ byteCount: Int) async throws(StorageError) {
        let start = self.options.time.monotonicNanoseconds()
        while true {
            let limit = self.options.unsealedByteCountMax
            let view = self.state.withLock { state in
                (isClosed: state.isClosed, unsealed: state.unsealedByteCount)
            }
            if view.isClosed { throw .closed }
            if view.unsealed == 0 || view.unsealed + byteCount <= limit { return }
            let waited = (self.options.time.monotonicNanoseconds() &- start) / 1_000_000
            if waited >= UInt64(StorageLimits.roomWaitMilliseconds) {
                throw .overloaded(unsealedByteCount: view.unsealed)
            }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let waits = self.state.withLock { state in
                    guard !state.isClosed, state.unsealedByteCount + byteCount > limit else { return false }
                    state.waiting.append(continuation)
                    return true
                }
                if waits { self.sealing.update { $0.isWanted = true } } else { continuation.resume() }
            }
        }
    }

    /// Wakes all appends that wait for room; each looks again.
    func wakeWaiting() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// xxh128 of an `_id`; never 0, which stands for none.
    private static func digest(_ id: ByteSlice?) -> UInt128 {
        guard let id else { return 0 }
        let digest = id.withUnsafeBytes { Digest.xxh128($0) }
        return max(1, UInt128(digest.high) << 64 | UInt128(digest.low))
    }
}
