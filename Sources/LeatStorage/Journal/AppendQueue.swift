internal import LeatCore

/// A batch that waits for the journal.
struct PendingAppend: Sendable {
    var batch: IngestBatch
    var repositoryID: Int64
    /// Digests of the rows' `_id`s per part, if there are some; 0 where a row has none.
    var ids: [[UInt128]]
    var payload: JournalFrame.Payload
    var byteCounts: [Int]
    var continuation: CheckedContinuation<Result<AppendOutcome, StorageError>, Never>

    var byteCount: Int { self.byteCounts.reduce(0, +) }
}

/// What the appending tasks give to the journal's thread.
struct AppendQueue {
    var pending: [PendingAppend] = []
    var isClosed = false
    /// Raised to make the thread end its file, so that it can be removed; answered by `endedFiles`.
    var fileEndsWanted = 0
    var endedFiles = 0

    /// The oldest batches that share a sync.
    mutating func takeGroup() -> [PendingAppend] {
        var byteCount = 0
        var count = 0
        for entry in self.pending {
            byteCount += entry.payload.stored.count
            if count > 0 && byteCount > StorageLimits.groupByteCountMax { break }
            count += 1
        }
        let group = Array(self.pending.prefix(count))
        self.pending.removeFirst(count)
        return group
    }
}
