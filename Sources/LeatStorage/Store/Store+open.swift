internal import LeatCore
internal import Synchronization

extension Store {
    /// Whether a folder holds data, so that nothing is created by opening it.
    public static func isDataFolder(_ options: StoreOptions) throws(StorageError) -> Bool {
        try options.isPresent("\(options.path)/\(StorageFileNames.catalog)")
    }

    /// Opens the data folder, creating it when absent, and recovers what the last process left.
    public static func open(_ options: StoreOptions) throws(StorageError) -> Store {
        do {
            try options.fileSystem.createDirectory(options.path)
        } catch {
            throw .file(error)
        }
        let catalogPath = "\(options.path)/\(StorageFileNames.catalog)"
        let incomplete = "\(options.path)/\(StorageFileNames.incompleteCatalog)"
        if try options.isPresent(incomplete), try !options.isPresent(catalogPath) {
            throw .damaged(path: options.path, reason: "it is a backup that was cut short; make it again")
        }
        let lock = options.locksFolder ? try DataFolderLock(folder: options.path) : nil
        do {
            return try Self.open(options, catalog: try SQLiteCatalog(path: catalogPath), lock: lock)
        } catch {
            lock?.release()
            throw error
        }
    }

    /// Opens a data folder with another catalog.
    static func open(
        _ options: StoreOptions,
        catalog: any Catalog,
        lock: DataFolderLock? = nil
    ) throws(StorageError) -> Store {
        let segments = "\(options.path)/\(StorageFileNames.segments)"
        let journal = "\(options.path)/\(StorageFileNames.journal)"
        let ids = "\(options.path)/\(StorageFileNames.ids)"
        do throws(FileSystemError) {
            for folder in [segments, journal, ids] { try options.fileSystem.createDirectory(folder) }
            try options.fileSystem.syncDirectory(options.path)
        } catch {
            throw .file(error)
        }
        let objects = DirectoryObjects(fileSystem: options.fileSystem, root: segments)
        let files = JournalFiles(fileSystem: options.fileSystem, folder: journal)
        var unnamed = try UnnamedFiles(objects: objects, catalog: catalog, folder: options.path)
        try unnamed.settle(now: options.time.now())
        let contents = unnamed.contents
        let footers = FooterCache()
        let store = Store(
            options: options,
            catalog: catalog,
            objects: objects,
            idObjects: DirectoryObjects(fileSystem: options.fileSystem, root: ids),
            footers: footers,
            journalFiles: files,
            lock: lock,
            state: StoreState(contents, objects: objects, footers: footers),
            keys: BatchKeyMemory(catalog: catalog)
        )
        store.state.withLock { state in
            state.nextSegment.raise(to: unnamed.numberMax + 1)
            state.notices += unnamed.notices
            state.damaged += unnamed.damaged
        }
        try store.loadIDs()
        var recovery = Recovery(store: store, contents: contents)
        try recovery.run()
        store.start(recovery.journalThread(folder: journal))
        return store
    }

    private func start(_ journal: JournalThread) {
        let journalThread = WorkerThread(name: "journal") { journal.run() }
        self.threads.withLock { $0.append(journalThread) }
        guard self.options.runsInBackground else { return }
        let sealingThread = WorkerThread(name: "sealing") { self.runSealing() }
        let mergingThread = WorkerThread(name: "merging") { self.runMerging() }
        self.threads.withLock { $0 += [sealingThread, mergingThread] }
    }

    /// Merges and applies the retention until the store is closed.
    private func runMerging() {
        while true {
            let isClosed = self.sealing.wait(milliseconds: StorageLimits.mergeIntervalMilliseconds) { signal -> Bool? in
                signal.isClosed ? true : nil
            }
            if isClosed == true { return }
            do {
                try self.applyRetention()
                try self.mergeDue(all: false)
            } catch {
                self.state.withLock { $0.fault = error.description }
            }
        }
    }

    /// Seals what is due until the store is closed.
    private func runSealing() {
        while true {
            let isClosed = self.sealing.wait(milliseconds: 1_000) { signal -> Bool? in
                guard signal.isWanted || signal.isClosed else { return nil }
                signal.isWanted = false
                return signal.isClosed
            }
            if isClosed == true { return }
            do {
                try self.sealDue(all: false)
            } catch {
                self.state.withLock { $0.fault = error.description }
            }
        }
    }

    /// Seals the open rows, removes the journal and closes the files; appends that come later are refused.
    public func close() throws(StorageError) {
        let wasClosed = self.state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        self.wakeWaiting()
        self.sealing.update { $0.isClosed = true }
        self.queue.update { $0.isClosed = true }
        let threads = self.threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
        defer { self.lock?.release() }
        try self.seal()
        try self.catalog.close()
    }

    /// Ends all threads and leaves the files as they are, as a kill would; for tests.
    func abandon() {
        self.state.withLock { $0.isClosed = true }
        self.wakeWaiting()
        self.sealing.update { $0.isClosed = true }
        self.queue.update { $0.isClosed = true }
        for thread in self.threads.withLock({ $0 }) { thread.join() }
        self.lock?.release()
    }
}

extension StoreState {
    init(_ contents: CatalogContents, objects: any ObjectStore, footers: FooterCache) {
        self.init()
        self.catalogVersion = contents.version
        self.nextSegment = contents.nextSegment
        self.nextRepository = contents.nextRepository
        var names: [Int64: String] = [:]
        for record in contents.repositories {
            names[record.id] = record.repository.name
            var known = RepositoryState(record: record)
            known.sealedThrough = contents.sealedThrough[record.id] ?? [:]
            known.knownTags = Set(known.sealedThrough.keys)
            self.repositories[record.repository.name] = known
        }
        for record in contents.segments {
            guard let name = names[record.repositoryID] else { continue }
            self.repositories[name]?.segments.append(SegmentHandle(record, objects: objects, footers: footers))
        }
    }
}
