internal import LeatCore
internal import Synchronization

/// Why the sealing thread should look.
struct SealingSignal {
    var isWanted = false
    var isClosed = false
}

extension Store {
    /// Seals all open rows; returns when they are in segments.
    public func seal() throws(StorageError) {
        try self.sealDue(all: true)
    }

    /// Seals what is due: full blocks always, the rest when `all`, when it is old, or when memory is short.
    func sealDue(all: Bool) throws(StorageError) {
        let result: Result<Void, StorageError> = self.publishing.withLock { _ in
            Result { () throws(StorageError) in
                for repository in self.repositories {
                    try self.encodeBlocks(of: repository.name, all: all)
                    try self.writeSegment(of: repository.name, all: all)
                }
                try self.dropJournal()
            }
        }
        self.wakeWaiting()
        try result.get()
    }

    // MARK: blocks

    /// Encodes full blocks, and with `all`, or if the rows are old, those that are not full.
    private func encodeBlocks(of repository: String, all: Bool) throws(StorageError) {
        let now = self.options.time.now().milliseconds
        let limit = now - self.options.sealAgeSeconds * 1000
        let isShort = self.state.withLock { $0.openByteCount >= self.options.openByteCountMax }
        let due = self.state.withLock { state -> [DatasourceTags] in
            let datasources = state.repositories[repository]?.datasources ?? [:]
            return datasources.filter { _, datasource in
                guard let oldest = datasource.growing.first else { return false }
                return all || isShort || datasource.hasFullBlock || oldest.arrivedAt <= limit
            }.keys.sorted { $0.description < $1.description }
        }
        for tags in due {
            // Rows that arrive meanwhile wait for a full block, however short memory was when this began.
            var takesRest = all || isShort
            while try self.encodeBlock(of: repository, tags, all: takesRest, olderThan: limit) { takesRest = all }
        }
    }

    /// Encodes the oldest rows of a datasource, if there are enough of them.
    private func encodeBlock(
        of repository: String,
        _ tags: DatasourceTags,
        all: Bool,
        olderThan limit: Int64
    ) throws(StorageError) -> Bool {
        let frozen = self.state.withLock { state -> [OpenRows] in
            guard var datasource = state.repositories[repository]?.datasources[tags],
                let oldest = datasource.growing.first,
                all || datasource.hasFullBlock || oldest.arrivedAt <= limit
            else { return [] }
            let count = datasource.prefixOfBlock()
            let frozen = Array(datasource.growing.prefix(count))
            datasource.growing.removeFirst(count)
            datasource.frozen = frozen
            state.repositories[repository]?.datasources[tags] = datasource
            return frozen
        }
        if frozen.isEmpty { return false }
        let start = self.options.time.monotonicNanoseconds()
        let encoded: EncodedBlock
        do {
            encoded = try BlockEncoder.encode(try Batch.joining(frozen.map(\.batch)), tags: tags)
        } catch {
            self.state.withLock { state in
                state.repositories[repository]?.datasources[tags]?.frozen = []
                state.repositories[repository]?.datasources[tags]?.growing.insert(contentsOf: frozen, at: 0)
            }
            throw .damaged(path: error.path, reason: error.reason)
        }
        let block = SealedBlock(encoded: encoded, stored: StoredBlock(encoded, repository: repository))
        self.state.withLock { state in
            state.counters.sealNanoseconds += self.options.time.monotonicNanoseconds() &- start
            guard state.repositories[repository]?.datasources[tags] != nil else { return }
            state.repositories[repository]?.datasources[tags]?.frozen = []
            state.repositories[repository]?.datasources[tags]?.encoded.append(block)
            state.openByteCount -= frozen.reduce(0) { $0 + $1.byteCount }
            state.encodedByteCount += encoded.bytes.count
        }
        self.claimMemory()
        self.wakeWaiting()
        return true
    }

    /// Has kept columns make room for the rows that are in no segment.
    func claimMemory() {
        let byteCount = self.state.withLock { state in
            state.openByteCount * StorageLimits.memoryPerOpenByte + state.encodedByteCount
        }
        self.claim.set(byteCount)
    }

    // MARK: segments

    /// Writes the encoded blocks of a repository to a segment, if they are enough, old or `all` is wanted.
    private func writeSegment(of repository: String, all: Bool) throws(StorageError) {
        let limit = self.options.time.now().milliseconds - self.options.sealAgeSeconds * 1000
        let found = self.state.withLock { state -> (record: RepositoryRecord, blocks: [SealedBlock], number: Int64)? in
            guard let known = state.repositories[repository] else { return nil }
            let blocks = known.datasources.sorted { $0.key.description < $1.key.description }.flatMap {
                $0.value.encoded
            }
            let byteCount = blocks.reduce(0) { $0 + $1.encoded.bytes.count }
            let oldest = blocks.map(\.encoded.summary.arrivals.lowerBound).min() ?? .max
            guard !blocks.isEmpty,
                all || byteCount >= StorageLimits.segmentByteCountTarget || oldest <= limit
            else { return nil }
            let number = state.nextSegment
            state.nextSegment += 1
            return (known.record, blocks, number)
        }
        guard let found else { return }
        let (parts, footer) = SegmentWriter.assemble(
            found.blocks.map(\.encoded),
            repositoryID: found.record.id,
            repository: repository,
            createdAt: self.options.time.now().milliseconds
        )
        let record = SegmentRecord(footer, number: found.number, byteCount: parts.reduce(0) { $0 + $1.count })
        try self.objects.put(record.key, parts)
        var change = CatalogChange()
        change.addedSegments = [record]
        for block in found.blocks {
            let last = block.encoded.summary.rows.upperBound
            change.sealedThrough[found.record.id, default: [:]][block.encoded.tags, default: last].raise(to: last)
        }
        // Row numbers are never given twice, also when the journal that named them is gone.
        var repositoryRecord = found.record
        repositoryRecord.nextRow.raise(to: (found.blocks.map(\.encoded.summary.rows.upperBound).max() ?? -1) + 1)
        change.putRepositories = [repositoryRecord]
        try self.publish(change)
        self.state.withLock { state in
            state.repositories[repository]?.record.nextRow.raise(to: repositoryRecord.nextRow)
            self.replace(found.blocks, in: repository, by: self.handle(of: record), &state)
            state.counters.sealedSegmentCount += 1
            state.counters.sealedRowCount += UInt64(record.rowCount)
            let sealed = change.sealedThrough[found.record.id] ?? [:]
            state.repositories[repository]?.sealedThrough.merge(sealed) { max($0, $1) }
        }
        self.claimMemory()
    }

    private func replace(
        _ blocks: [SealedBlock],
        in repository: String,
        by segment: SegmentHandle,
        _ state: inout StoreState
    ) {
        guard state.repositories[repository]?.record.id == segment.record.repositoryID else { return }
        for block in blocks {
            let tags = block.encoded.tags
            state.repositories[repository]?.datasources[tags]?.encoded.removeAll { $0.stored === block.stored }
            state.encodedByteCount -= block.encoded.bytes.count
            if state.repositories[repository]?.datasources[tags]?.isEmpty ?? false {
                state.repositories[repository]?.datasources[tags] = nil
            }
        }
        state.repositories[repository]?.segments.append(segment)
    }

    /// Publishes a change; the caller holds `publishing`.
    func publish(_ change: CatalogChange) throws(StorageError) {
        let version = self.state.withLock { $0.catalogVersion }
        let published = try self.catalog.publish(change, expecting: version)
        self.state.withLock { $0.catalogVersion = published }
    }

    // MARK: journal

    /// Removes journal files whose rows are all in segments; the caller holds `publishing`.
    private func dropJournal() throws(StorageError) {
        let unneeded = self.unneededJournal()
        guard !unneeded.isEmpty else { return }
        try self.saveIDs()
        // Keys of batches are in the catalog before the frames that name them go.
        var change = CatalogChange()
        self.keys.withLock { $0.addUnpublished(to: &change) }
        change.putRepositories = self.state.withLock { state in state.repositories.values.map(\.record) }
        change.journalRemovedThrough = self.journalFiles.lastSequence(of: unneeded)
        change.forgetsBatchesBefore = self.options.time.now().milliseconds - StorageLimits.batchHashMilliseconds
        try self.publish(change)
        self.keys.withLock { $0.published(change) }
        do {
            try self.journalFiles.remove(unneeded)
        } catch {
            throw .file(error)
        }
    }

    private func unneededJournal() -> [UInt64] {
        let sealed = self.state.withLock { state in
            Dictionary(uniqueKeysWithValues: state.repositories.values.map { ($0.record.id, $0.sealedThrough) })
        }
        return self.journalFiles.unneeded { id, tags, row in
            guard let datasources = sealed[id] else { return true }
            return (datasources[tags] ?? -1) >= row
        }
    }

    // MARK: small batches

    /// Joins batches of few rows, so that many small requests do not make many small blocks.
    ///
    /// Only the journal's thread calls it. The cost per row is logarithmic, as a batch is joined only with others of its
    /// size class.
    func joinSmall(repository: String, _ tags: DatasourceTags) {
        while true {
            let tail = self.state.withLock { state -> [OpenRows] in
                let growing = state.repositories[repository]?.datasources[tags]?.growing ?? []
                guard let last = growing.last, last.batch.rowCount < StorageLimits.joinedRowCountMax else { return [] }
                let limit = Self.sizeClass(last.batch.rowCount)
                let tail = growing.reversed().prefix { Self.sizeClass($0.batch.rowCount) <= limit }
                return tail.count >= StorageLimits.joinedBatchCount ? Array(tail.reversed()) : []
            }
            guard let first = tail.first, let last = tail.last, let joined = Self.joined(tail) else { return }
            let rows = OpenRows(
                batch: joined,
                rows: first.rows.lowerBound...last.rows.upperBound,
                arrivedAt: first.arrivedAt,
                byteCount: tail.reduce(0) { $0 + $1.byteCount }
            )
            self.state.withLock { state in
                guard var growing = state.repositories[repository]?.datasources[tags]?.growing,
                    // Sealing may have taken rows meanwhile.
                    growing.count >= tail.count,
                    growing[growing.count - tail.count].rows.lowerBound == first.rows.lowerBound
                else { return }
                growing.removeLast(tail.count)
                growing.append(rows)
                state.repositories[repository]?.datasources[tags]?.growing = growing
            }
        }
    }

    /// The batches as one; `nil` when they cannot be read, which cannot be since they are in memory.
    private static func joined(_ open: [OpenRows]) -> Batch? {
        do {
            return try Batch.joining(open.map(\.batch))
        } catch {
            assertionFailure("\(error)")
            return nil
        }
    }

    /// Powers of 16.
    private static func sizeClass(_ rowCount: Int) -> Int { (Int.bitWidth - rowCount.leadingZeroBitCount + 3) / 4 }
}

extension Int64 {
    /// Raises the number to another one that is larger.
    mutating func raise(to other: Int64) { self = Swift.max(self, other) }
}

extension SegmentRecord {
    init(_ footer: SegmentFooter, number: Int64, byteCount: Int) {
        let times = footer.blocks.map(\.times)
        let arrivals = footer.blocks.map(\.arrivals)
        self.init(
            number: number,
            repositoryID: footer.repositoryID,
            byteCount: Int64(byteCount),
            rowCount: Int64(footer.blocks.reduce(0) { $0 + $1.rowCount }),
            plainByteCount: Int64(footer.blocks.reduce(0) { $0 + $1.plainByteCount }),
            times: (times.map(\.lowerBound).min() ?? 0)...(times.map(\.upperBound).max() ?? 0),
            arrivals: (arrivals.map(\.lowerBound).min() ?? 0)...(arrivals.map(\.upperBound).max() ?? 0)
        )
    }
}
