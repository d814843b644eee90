internal import LeatCore
internal import Synchronization

/// Brings the rows back that were in the journal when the last process ended.
struct Recovery {
    private let store: Store
    private var nextRows: [Int64: Int64] = [:]
    private var reading: JournalReading
    private var lastFile: UInt64 = 0
    private var replayedIDs = RowIDMemory()
    private var replayedKeys: Set<ReplayedKey> = []

    private struct ReplayedKey: Hashable {
        var repositoryID: Int64
        var key: BatchKey
    }

    init(store: Store, contents: CatalogContents) {
        self.store = store
        self.reading = JournalReading(removedThrough: contents.journalRemovedThrough)
        let records = store.state.withLock { state in state.repositories.values.map(\.record) }
        for record in records { self.nextRows[record.id] = record.nextRow }
    }

    mutating func run() throws(StorageError) {
        let numbers: [UInt64]
        do {
            numbers = try self.store.journalFiles.list()
        } catch {
            throw .file(error)
        }
        for number in numbers {
            try self.replay(number)
            // Rows beyond what memory may hold are sealed on the way.
            let options = self.store.options
            if self.store.state.withLock({ $0.openByteCount }) >= options.openByteCountMax {
                try self.store.sealDue(all: false)
            }
        }
        try self.report()
        self.raiseNextRows()
    }

    private mutating func replay(_ number: UInt64) throws(StorageError) {
        let path = self.store.journalFiles.path(number)
        let file: ByteSlice
        do {
            file = try self.store.options.fileSystem.contents(path)
        } catch {
            throw .file(error)
        }
        self.lastFile = max(self.lastFile, number)
        let replay = JournalReplay(file: file)
        self.store.journalFiles.opened(number)
        self.store.journalFiles.wrote(number, byteCount: UInt64(file.count), replay.frames)
        self.store.journalFiles.closed(number)
        for frame in self.reading.newFrames(in: replay, path: path) { try self.restore(frame, path: path) }
    }

    private mutating func restore(_ frame: JournalFrame, path: String) throws(StorageError) {
        let meta = frame.meta
        let count = meta.parts.reduce(0) { $0 + Int64($1.rowCount) }
        self.nextRows[meta.repositoryID, default: 0].raise(to: meta.firstRow + count)
        guard let known = self.store.state.withLock({ $0.repository(id: meta.repositoryID) }) else { return }
        if let key = meta.key {
            // A frame whose writing failed may be there all the same, and then its repeat is there too.
            let isFirst = self.replayedKeys.insert(ReplayedKey(repositoryID: meta.repositoryID, key: key)).inserted
            guard isFirst else { return }
            let verdict = try self.store.verdict(key, repositoryID: meta.repositoryID)
            if case .stored = verdict {} else { self.store.record(key, meta) }
        }
        let arrival = Timestamp(nanoseconds: meta.arrivedAtNanoseconds).milliseconds
        // An id is one too many only if an earlier frame of the journal has it: those that were saved may be of this one.
        var repeated: [[Int]] = []
        for part in meta.parts {
            repeated.append(
                self.replayedIDs.record(part.ids, repositoryID: meta.repositoryID, arrivedAtMilliseconds: arrival)
            )
            _ = self.store.ids.withLock { ids in
                ids.record(part.ids, repositoryID: meta.repositoryID, arrivedAtMilliseconds: arrival)
            }
        }
        if Self.isSealed(meta, known) { return }
        do {
            try self.restoreRows(frame, known, without: repeated)
        } catch {
            // Its checksum is right, so this is a mistake of the writer; the others are none the worse.
            self.reading.note(unreadable: frame, path: path, reason: error.reason)
        }
    }

    private func restoreRows(
        _ frame: JournalFrame,
        _ known: RepositoryState,
        without repeated: [[Int]]
    ) throws(FormatError) {
        let name = known.record.repository.name
        let batches = try JournalFrame.batches(of: frame)
        var open: [(tags: DatasourceTags, rows: OpenRows)] = []
        do {
            var parts: [(batch: Batch, byteCount: Int)] = []
            for batch in batches { parts.append((batch, try Store.byteCount(of: batch))) }
            open = try self.store.openRows(frame.meta, parts, repository: name)
            for (index, rows) in repeated.enumerated() where !rows.isEmpty {
                open[index].rows = try open[index].rows.without(rows)
            }
        } catch {
            throw FormatError(offset: 0, reason: error.reason)
        }
        self.store.state.withLock { state in
            for (tags, rows) in open where rows.batch.rowCount > 0 {
                state.repositories[name]?.knownTags.insert(tags)
                guard rows.rows.upperBound > known.sealedThrough[tags] ?? -1 else { continue }
                state.repositories[name]?.datasources[tags, default: OpenDatasource()].growing.append(rows)
                state.openByteCount += rows.byteCount
            }
        }
        for (tags, _) in open { self.store.joinSmall(repository: name, tags) }
    }

    /// Whether all rows of a frame are in segments; sealing takes whole frames of a datasource.
    private static func isSealed(_ meta: JournalFrame.Meta, _ known: RepositoryState) -> Bool {
        var row = meta.firstRow
        for part in meta.parts where part.rowCount > 0 {
            row += Int64(part.rowCount)
            if row - 1 > known.sealedThrough[part.tags] ?? -1 { return false }
        }
        return true
    }

    /// Names what is missing.
    private func report() throws(StorageError) {
        self.store.journalFiles.foundDamaged(self.reading.damagedPaths)
        var damaged = self.reading.damage
        do {
            damaged += try self.store.journalFiles.keptDamage()
        } catch {
            throw .file(error)
        }
        self.store.state.withLock { state in
            state.damaged += damaged
            state.counters.damagedCount += UInt64(damaged.count)
            // Nobody knows whose rows they were, so every answer may be incomplete.
            for name in state.repositories.keys { state.repositories[name]?.damaged += damaged }
        }
    }

    private func raiseNextRows() {
        let nextRows = self.nextRows
        self.store.state.withLock { state in
            for name in state.repositories.keys {
                guard let id = state.repositories[name]?.record.id else { continue }
                state.repositories[name]?.record.nextRow.raise(to: nextRows[id] ?? 0)
            }
        }
    }

    /// The thread that goes on where the journal ended.
    func journalThread(folder: String) -> JournalThread {
        let options = self.store.options
        let writer = JournalWriter(
            fileSystem: options.fileSystem,
            files: self.store.journalFiles,
            folder: folder,
            time: options.time,
            nextNumber: self.lastFile + 1
        )
        return JournalThread(
            store: self.store,
            writer: writer,
            nextRows: self.nextRows,
            lastSequence: self.reading.lastSequence
        )
    }
}
