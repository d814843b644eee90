internal import LeatCore
internal import Synchronization

/// The events of all repositories of one data folder.
///
/// Calls come from any thread. `append` waits without blocking its thread; the other calls may read files and belong off
/// the cooperative pool.
public final class Store: Sendable {
    let options: StoreOptions
    let catalog: any Catalog
    let objects: any ObjectStore
    let footers: FooterCache
    /// What rows that are in no segment hold of the memory that columns may take.
    let claim = ColumnCache.Claim(on: .shared)
    /// The same for rows that are encoded anew; only who holds `merging` changes it.
    let mergeClaim = ColumnCache.Claim(on: .shared)
    let journalFiles: JournalFiles
    let state: Mutex<StoreState>
    let queue = Monitor(AppendQueue())
    /// Held by whoever seals, merges or publishes.
    let publishing = Mutex(())
    /// Held by whoever merges; taken before `publishing`.
    let merging = Mutex(())
    let keys: Mutex<BatchKeyMemory>
    let ids = Mutex(RowIDMemory())
    let idObjects: any ObjectStore
    let threads = Mutex<[WorkerThread]>([])
    let sealing = Monitor(SealingSignal())
    let lock: DataFolderLock?

    init(
        options: StoreOptions,
        catalog: any Catalog,
        objects: any ObjectStore,
        idObjects: any ObjectStore,
        footers: FooterCache,
        journalFiles: JournalFiles,
        lock: DataFolderLock?,
        state: StoreState,
        keys: BatchKeyMemory
    ) {
        self.options = options
        self.catalog = catalog
        self.objects = objects
        self.idObjects = idObjects
        self.footers = footers
        self.journalFiles = journalFiles
        self.lock = lock
        self.state = Mutex(state)
        self.keys = Mutex(keys)
    }

    /// The rows of a repository as they are now.
    ///
    /// `timeRange` is of event time, in nanoseconds; blocks that lie outside it are left out.
    public func snapshot(
        repository: String,
        timeRange: ClosedRange<Int64>? = nil
    ) throws(StorageError) -> Snapshot {
        let view = self.state.withLock { state in
            state.repositories[repository].map { known in
                (
                    segments: known.segments,
                    open: known.datasources.values.flatMap(\.blocks),
                    damaged: known.damaged
                )
            }
        }
        guard let view else { throw self.unknown(repository) }
        let isWanted: (ClosedRange<Int64>) -> Bool = { timeRange?.overlaps($0) ?? true }
        var blocks = view.open.filter { isWanted($0.timeRange) }
        var damaged = view.damaged
        for segment in view.segments where isWanted(segment.record.times) {
            do {
                for block in try segment.blocks() where isWanted(block.timeRange) { blocks.append(block) }
            } catch {
                damaged.append(error.description)
            }
        }
        blocks.sort { $0.timeRange.upperBound > $1.timeRange.upperBound }
        return Snapshot(blocks: blocks, damaged: damaged)
    }

    /// All repositories, sorted by name.
    public var repositories: [Repository] {
        self.state.withLock { state in
            state.repositories.values.map(\.record.repository).sorted { $0.name < $1.name }
        }
    }

    public func repository(named name: String) -> Repository? {
        self.state.withLock { $0.repositories[name]?.record.repository }
    }

    /// The segments of a repository.
    func segments(of repository: String) -> [SegmentHandle] {
        self.state.withLock { $0.repositories[repository]?.segments ?? [] }
    }

    /// The handle of a segment that is new in the catalog.
    func handle(of record: SegmentRecord) -> SegmentHandle {
        SegmentHandle(record, objects: self.objects, footers: self.footers)
    }

    func unknown(_ name: String) -> StorageError {
        let names = self.repositories.map(\.name)
        return .unknownRepository(name: name, nearest: NearestName.find(name, among: names))
    }

    /// Figures for the status page and the metrics.
    public func status() -> StoreStatus {
        var status = self.state.withLock { state in
            var status = StoreStatus()
            status.counters = state.counters
            status.fault = state.fault
            status.unsealedByteCount = state.unsealedByteCount
            status.notices = state.notices
            let shared = Set(state.damaged)
            let own = state.repositories.values.flatMap(\.damaged).filter { !shared.contains($0) }
            status.damaged = state.damaged + Set(own).sorted()
            status.repositories = state.repositories.values.map { RepositoryStatus($0) }
            return status
        }
        status.repositories.sort { $0.repository.name < $1.repository.name }
        status.journalByteCount = self.journalFiles.byteCount
        if status.fault == nil { status.fault = self.roomFault?.description }
        return status
    }

    /// Documents of one kind that the server keeps in the catalog, such as tokens and parsers, by name.
    ///
    /// What is in them is the caller's business.
    public func documents(kind: String) throws(StorageError) -> [String: [UInt8]] {
        try self.catalog.documents(kind: kind)
    }

    /// Writes a document (durable on return), or removes it (`nil`).
    public func setDocument(_ content: [UInt8]?, kind: String, name: String) throws(StorageError) {
        try self.catalog.setDocument(content, kind: kind, name: name)
    }
}

extension RepositoryStatus {
    init(_ state: RepositoryState) {
        self.init(repository: state.record.repository)
        self.openRowCount = state.openRowCount
        self.rowCount = self.openRowCount
        self.segmentCount = state.segments.count
        self.datasourceCount = state.knownTags.count
        if state.sharesDatasources {
            self.warnings.append(
                "more than \(StorageLimits.datasourceCountMax) combinations of tags: further ones share "
                    + "\(StorageLimits.overflowDatasourceCount) datasources, which makes queries for them slower; tags are "
                    + "for what has few values"
            )
        }
        var times: [ClosedRange<Int64>] = state.datasources.values.flatMap(\.blocks).map(\.timeRange)
        for segment in state.segments {
            self.rowCount += Int(segment.record.rowCount)
            self.byteCount += UInt64(segment.record.byteCount)
            self.plainByteCount += UInt64(segment.record.plainByteCount)
            times.append(segment.record.times)
        }
        guard let first = times.map(\.lowerBound).min(), let last = times.map(\.upperBound).max() else { return }
        self.timeRange = first...last
    }
}
