internal import Glibc
internal import LeatCore

/// What a backup holds.
public struct StoreBackup: Sendable {
    public var segmentCount = 0
    public var rowCount = 0
    /// Bytes of the segments.
    public var byteCount: UInt64 = 0
    /// Segments that had to be copied, since the target is on another file system.
    public var copiedCount = 0
}

extension Store {
    /// Makes a copy of a data folder, which a server may be using meanwhile; `target` must be absent or empty.
    ///
    /// All rows that were acknowledged before the call are in it. Segments and ids, which never change, get a second name
    /// (a hard link); the journal and the catalog are copied.
    public static func backup(_ options: StoreOptions, to target: String) throws(StorageError) -> StoreBackup {
        let path = "\(options.path)/\(StorageFileNames.catalog)"
        guard try options.isPresent(path) else {
            throw .damaged(path: options.path, reason: "it has no catalog; is it a data folder?")
        }
        let writer = BackupWriter(fileSystem: options.fileSystem, source: options.path, target: target)
        return try writer.run { (copy) throws(StorageError) in
            let catalog = try SQLiteCatalog(readOnly: path)
            try catalog.copy(to: copy)
            try catalog.close()
            let copied = try SQLiteCatalog(readOnly: copy)
            let contents = try copied.contents()
            try copied.close()
            return contents
        }
    }
}

/// Copies a data folder that may be in use.
///
/// The order makes it consistent: first the journal, then the catalog, then the segments that this catalog names. A row
/// that is sealed in between is in a segment, and the catalog says so; a segment that a merge takes away before it has
/// its link makes the catalog be copied again. The catalog gets its name last, so that a backup that was cut short is
/// none.
struct BackupWriter {
    let fileSystem: any FileSystem
    let source: String
    let target: String

    /// Copies everything; `copyCatalog` writes the catalog to a path and says what is in it.
    func run(
        _ copyCatalog: (String) throws(StorageError) -> CatalogContents
    ) throws(StorageError) -> StoreBackup {
        do throws(FileSystemError) {
            try self.prepare()
            try self.copyJournal()
        } catch {
            throw .file(error)
        }
        let copy = "\(self.target)/\(StorageFileNames.incompleteCatalog)"
        var backup = StoreBackup()
        var linked: Set<String> = []
        for attempt in 1... {
            do throws(FileSystemError) {
                if try self.fileSystem.status(copy) != nil { try self.fileSystem.remove(copy) }
            } catch {
                throw .file(error)
            }
            let contents = try copyCatalog(copy)
            do throws(FileSystemError) {
                guard try self.link(contents, &linked, &backup) else {
                    if attempt < StorageLimits.backupAttemptCountMax { continue }
                    throw FileSystemError(operation: "link segments of", path: self.source, code: ENOENT)
                }
                try self.linkIDs()
                try self.finish(contents, copy)
            } catch {
                throw .file(error)
            }
            return backup
        }
        preconditionFailure("an endless loop ended")
    }

    private func prepare() throws(FileSystemError) {
        if try self.fileSystem.status(self.target) != nil, try !self.fileSystem.list(self.target).isEmpty {
            throw FileSystemError(operation: "back up to", path: self.target, code: ENOTEMPTY)
        }
        for folder in [StorageFileNames.segments, StorageFileNames.ids, StorageFileNames.journal] {
            try self.fileSystem.createDirectory("\(self.target)/\(folder)")
        }
    }

    // MARK: journal

    private func copyJournal() throws(FileSystemError) {
        let folder = "\(self.source)/\(StorageFileNames.journal)"
        for name in try self.fileSystem.list(folder) where name.hasSuffix(StorageFileNames.journalSuffix) {
            // A file that is gone had only rows that are in segments, which come later.
            let target = "\(self.target)/\(StorageFileNames.journal)/\(name)"
            _ = try Self.ifPresent { () throws(FileSystemError) in try self.copy("\(folder)/\(name)", to: target) }
        }
    }

    private func copy(_ source: String, to target: String) throws(FileSystemError) {
        let bytes = try self.fileSystem.contents(source)
        let file = try self.fileSystem.open(target, .createNew)
        defer { file.close() }
        for start in stride(from: 0, to: bytes.count, by: StorageLimits.backupPieceByteCount) {
            let end = min(start + StorageLimits.backupPieceByteCount, bytes.count)
            try file.write([bytes[start..<end]], at: UInt64(start))
        }
        try file.sync()
    }

    // MARK: segments and ids

    /// Links all segments; `false` when one of them is gone.
    private func link(
        _ contents: CatalogContents,
        _ linked: inout Set<String>,
        _ backup: inout StoreBackup
    ) throws(FileSystemError) -> Bool {
        for record in contents.segments where !linked.contains(record.key) {
            let folder = record.key.split(separator: "/").dropLast().joined(separator: "/")
            try self.fileSystem.createDirectory("\(self.target)/\(StorageFileNames.segments)/\(folder)")
            guard let isCopied = try self.link("\(StorageFileNames.segments)/\(record.key)") else { return false }
            linked.insert(record.key)
            backup.copiedCount += isCopied ? 1 : 0
        }
        backup.segmentCount = contents.segments.count
        backup.rowCount = contents.segments.reduce(0) { $0 + Int($1.rowCount) }
        backup.byteCount = contents.segments.reduce(0) { $0 + UInt64($1.byteCount) }
        // What an earlier attempt linked and a merge has taken over since.
        for key in linked.subtracting(contents.segments.map(\.key)) {
            try self.fileSystem.remove("\(self.target)/\(StorageFileNames.segments)/\(key)")
            linked.remove(key)
        }
        return true
    }

    private func linkIDs() throws(FileSystemError) {
        for name in try self.fileSystem.list("\(self.source)/\(StorageFileNames.ids)")
        where name.hasSuffix(StorageFileNames.idsSuffix) {
            _ = try self.link("\(StorageFileNames.ids)/\(name)")
        }
    }

    /// Gives a file a name in the target, or copies it to another file system; `nil` when it is gone.
    private func link(_ name: String) throws(FileSystemError) -> Bool? {
        let (source, target) = ("\(self.source)/\(name)", "\(self.target)/\(name)")
        return try Self.ifPresent { () throws(FileSystemError) -> Bool in
            do throws(FileSystemError) {
                try self.fileSystem.link(source, to: target)
                return false
            } catch {
                guard [EXDEV, EPERM, EMLINK, ENOTSUP].contains(error.code) else { throw error }
                try self.copy(source, to: target)
                return true
            }
        }
    }

    /// What `body` gives, `nil` when a file that it needs is gone.
    private static func ifPresent<Value>(
        _ body: () throws(FileSystemError) -> Value
    ) throws(FileSystemError) -> Value? {
        do throws(FileSystemError) {
            return try body()
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    // MARK: the end

    /// Makes everything durable, and last of all the catalog a catalog.
    private func finish(_ contents: CatalogContents, _ copy: String) throws(FileSystemError) {
        let segments = "\(self.target)/\(StorageFileNames.segments)"
        let repositories = Set(contents.segments.map { String($0.repositoryID) })
        for folder in repositories.sorted() { try self.fileSystem.syncDirectory("\(segments)/\(folder)") }
        try self.fileSystem.syncDirectory(segments)
        try self.fileSystem.syncDirectory("\(self.target)/\(StorageFileNames.ids)")
        try self.fileSystem.syncDirectory("\(self.target)/\(StorageFileNames.journal)")
        let catalog = try self.fileSystem.open(copy, .readWrite)
        defer { catalog.close() }
        try catalog.sync()
        try self.fileSystem.syncDirectory(self.target)
        try self.fileSystem.rename(copy, to: "\(self.target)/\(StorageFileNames.catalog)")
        try self.fileSystem.syncDirectory(self.target)
    }
}
