internal import LeatCore

extension Store {
    /// Makes a new catalog from what the segments say of themselves; the old one is kept beside it.
    ///
    /// Tokens, documents, retentions and the keys of batches that are no longer in the journal are not in segments. The
    /// repositories come back without a retention, so that nothing goes before somebody has set it again.
    public static func rebuildCatalog(_ options: StoreOptions) throws(StorageError) -> StoreCheck {
        let segments = "\(options.path)/\(StorageFileNames.segments)"
        let path = "\(options.path)/\(StorageFileNames.catalog)"
        guard try options.isPresent(segments) else {
            throw .damaged(path: options.path, reason: "it has no folder '\(StorageFileNames.segments)'")
        }
        let lock = options.locksFolder ? try DataFolderLock(folder: options.path) : nil
        defer { lock?.release() }
        do {
            for suffix in ["", "-wal", "-shm"] where try options.fileSystem.status(path + suffix) != nil {
                try options.fileSystem.rename(path + suffix, to: path + ".old" + suffix)
            }
        } catch {
            throw .file(error)
        }
        let objects = DirectoryObjects(fileSystem: options.fileSystem, root: segments)
        let catalog = try SQLiteCatalog(path: path)
        let inJournal = try Self.repositoriesInJournal(options)
        let check = try Self.fill(catalog, from: objects, journalRepositories: inJournal, now: options.time.now())
        try catalog.close()
        return check
    }

    /// The repositories whose rows are in the journal.
    private static func repositoriesInJournal(_ options: StoreOptions) throws(StorageError) -> Set<Int64> {
        let files = JournalFiles(
            fileSystem: options.fileSystem,
            folder: "\(options.path)/\(StorageFileNames.journal)"
        )
        var found: Set<Int64> = []
        do {
            for number in try files.list() {
                let replay = JournalReplay(file: try options.fileSystem.contents(files.path(number)))
                found.formUnion(replay.frames.map(\.meta.repositoryID))
            }
        } catch {
            throw .file(error)
        }
        return found
    }

    /// Enters all segments of `objects` into an empty catalog.
    ///
    /// A repository that has rows in the journal alone gets a name of its own, since the journal has only its number.
    static func fill(
        _ catalog: any Catalog,
        from objects: any ObjectStore,
        journalRepositories: Set<Int64> = [],
        now: Timestamp
    ) throws(StorageError) -> StoreCheck {
        var check = StoreCheck()
        var found: [(record: SegmentRecord, footer: SegmentFooter)] = []
        for object in try objects.list() {
            guard object.key.hasSuffix(StorageFileNames.segmentSuffix),
                let number = StorageFileNames.number(in: object.key)
            else { continue }
            let file = try objects.get(object.key)
            do {
                let footer = try SegmentFooter(file: file)
                found.append((SegmentRecord(footer, number: number, byteCount: file.count), footer))
            } catch {
                check.damaged.append(
                    "\(objects.location(of: object.key)) is damaged at byte \(error.offset): \(error.reason)"
                )
            }
        }
        // What a merge has taken over may still be there.
        let replaced = Set(found.flatMap(\.footer.replaced))
        var change = CatalogChange()
        var repositories: [Int64: RepositoryRecord] = [:]
        for (record, footer) in found where !replaced.contains(record.number) {
            change.addedSegments.append(record)
            check.segmentCount += 1
            check.blockCount += footer.blocks.count
            check.rowCount += Int(record.rowCount)
            check.byteCount += UInt64(record.byteCount)
            footer.enter(in: &repositories, &change, now: now)
        }
        for id in journalRepositories where repositories[id] == nil {
            repositories[id] = RepositoryRecord(found: id, name: "repository-\(id)", among: repositories, now: now)
        }
        change.putRepositories = repositories.values.sorted { $0.id < $1.id }
        _ = try catalog.publish(change, expecting: try catalog.contents().version)
        return check
    }
}

extension SegmentFooter {
    /// Rows of one datasource that lie together.
    struct Part {
        var tags: DatasourceTags
        var rows: ClosedRange<Int64>
    }

    var parts: [Part] { self.blocks.map { Part(tags: self.datasources[$0.datasource], rows: $0.rows) } }

    /// Notes which rows of which datasources are in the segment, and makes its repository when that is not known.
    func enter(in repositories: inout [Int64: RepositoryRecord], _ change: inout CatalogChange, now: Timestamp) {
        var known =
            repositories[self.repositoryID]
            ?? RepositoryRecord(found: self.repositoryID, name: self.repository, among: repositories, now: now)
        for part in self.parts {
            let last = part.rows.upperBound
            known.nextRow.raise(to: last + 1)
            change.sealedThrough[self.repositoryID, default: [:]][part.tags, default: last].raise(to: last)
        }
        repositories[self.repositoryID] = known
    }
}

extension RepositoryRecord {
    /// A repository of which only files tell: without a retention, so that nothing goes before somebody has set one.
    ///
    /// It gets another name if a known one has its own: files of one that was deleted may have been left.
    fileprivate init(found id: Int64, name: String, among known: [Int64: RepositoryRecord], now: Timestamp) {
        let isTaken = known.values.contains { $0.repository.name == name && $0.id != id }
        let repository = Repository(
            name: isTaken ? "\(name.prefix(40))-\(id)" : name,
            createdAt: now,
            retention: Retention(ageSeconds: nil, byteCount: nil)
        )
        self.init(id: id, repository: repository, nextRow: 0)
    }
}
