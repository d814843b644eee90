internal import LeatCore

/// What a check of all files found.
public struct StoreCheck: Sendable {
    public var segmentCount = 0
    public var blockCount = 0
    public var rowCount = 0
    public var byteCount: UInt64 = 0
    /// A line per damaged place: the path, the offset and what is wrong.
    public var damaged: [String] = []

    public init() {}
}

extension Store {
    /// Reads every segment and checks every checksum and every column.
    public func verify() -> StoreCheck {
        var check = StoreCheck()
        for segment in self.segments {
            check.segmentCount += 1
            check.byteCount += UInt64(segment.record.byteCount)
            do {
                for block in try segment.blocks() {
                    check.blockCount += 1
                    Self.verify(block, &check)
                }
            } catch {
                check.damaged.append(error.description)
            }
        }
        return check
    }

    private static func verify(_ block: StoredBlock, _ check: inout StoreCheck) {
        let batch: Batch
        do {
            _ = try block.blockFilter()
            batch = try block.read(keepingColumns: false)
            check.rowCount += batch.rowCount
        } catch {
            check.damaged.append(error.description)
            return
        }
        for page in block.summary.pages.dropFirst() {
            do {
                _ = try batch.column(block.names[page.name])
            } catch {
                check.damaged.append(error.description)
            }
        }
    }

    /// Makes a new catalog from what the segments say of themselves; the old one is kept beside it.
    ///
    /// Tokens, documents, retentions and the keys of batches that are no longer in the journal are not in segments.
    public static func rebuildCatalog(_ options: StoreOptions) throws(StorageError) -> StoreCheck {
        let lock = options.locksFolder ? try DataFolderLock(folder: options.path) : nil
        defer { lock?.release() }
        let path = "\(options.path)/\(StorageFileNames.catalog)"
        do {
            for suffix in ["", "-wal", "-shm"] where try options.fileSystem.status(path + suffix) != nil {
                try options.fileSystem.rename(path + suffix, to: path + ".old" + suffix)
            }
        } catch {
            throw .file(error)
        }
        let segments = "\(options.path)/\(StorageFileNames.segments)"
        let objects = DirectoryObjects(fileSystem: options.fileSystem, root: segments)
        let catalog = try SQLiteCatalog(path: path)
        let check = try Self.fill(catalog, from: objects, now: options.time.now())
        try catalog.close()
        return check
    }

    /// Enters all segments of `objects` into an empty catalog.
    static func fill(
        _ catalog: any Catalog,
        from objects: any ObjectStore,
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
            let name = Self.freeName(footer.repository, id: footer.repositoryID, among: repositories)
            let repository = Repository(name: name, createdAt: now, retention: .standard)
            var known =
                repositories[footer.repositoryID]
                ?? RepositoryRecord(id: footer.repositoryID, repository: repository, nextRow: 0)
            for block in footer.blocks {
                let last = block.rows.upperBound
                known.nextRow.raise(to: last + 1)
                let tags = footer.datasources[block.datasource]
                change.sealedThrough[footer.repositoryID, default: [:]][tags, default: last].raise(to: last)
            }
            repositories[footer.repositoryID] = known
        }
        change.putRepositories = repositories.values.sorted { $0.id < $1.id }
        _ = try catalog.publish(change, expecting: try catalog.contents().version)
        return check
    }

    /// The name of a repository, unless another one has it: files of one that was deleted may have been left.
    private static func freeName(_ name: String, id: Int64, among known: [Int64: RepositoryRecord]) -> String {
        known.values.contains { $0.repository.name == name && $0.id != id } ? "\(name.prefix(40))-\(id)" : name
    }

    private var segments: [SegmentHandle] {
        self.repositories.flatMap { repository in self.segments(of: repository.name) }
    }
}
