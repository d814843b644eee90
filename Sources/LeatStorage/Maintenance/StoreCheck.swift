internal import Glibc
internal import LeatCore

/// What a check of all files found.
public struct StoreCheck: Sendable {
    public var segmentCount = 0
    public var blockCount = 0
    public var rowCount = 0
    public var byteCount: UInt64 = 0
    /// Frames of the journal, whose rows may be in segments as well.
    public var frameCount = 0
    /// Files in the folder of segments that the catalog does not name; the next start enters or removes them.
    public var unnamedCount = 0
    /// A line per damaged place: the path, the offset and what is wrong.
    public var damaged: [String] = []

    public init() {}
}

extension Store {
    /// Reads every segment and checks every checksum and every column.
    public func verify() -> StoreCheck {
        var checker = StoreChecker()
        for repository in self.repositories {
            for segment in self.segments(of: repository.name) {
                if let damage = checker.check(segment) { checker.check.damaged.append(damage) }
            }
        }
        return checker.check
    }

    /// Checks all files of a data folder: catalog, segments, journal and ids.
    ///
    /// Nothing is changed, and a server may be using the folder meanwhile: a segment that a merge takes away is no damage.
    public static func verify(_ options: StoreOptions) throws(StorageError) -> StoreCheck {
        let path = "\(options.path)/\(StorageFileNames.catalog)"
        let catalog = try SQLiteCatalog(readOnly: path)
        let segments = "\(options.path)/\(StorageFileNames.segments)"
        var checker = StoreChecker()
        checker.check.damaged += try catalog.faults().map { "\(path) is damaged: \($0)" }
        do {
            try checker.check(catalog, DirectoryObjects(fileSystem: options.fileSystem, root: segments))
            try checker.checkJournal(options, removedThrough: try catalog.contents().journalRemovedThrough)
        } catch .catalog where !checker.check.damaged.isEmpty {
            // What the catalog's damaged rows named cannot be checked.
        }
        let ids = "\(options.path)/\(StorageFileNames.ids)"
        try checker.checkIDs(DirectoryObjects(fileSystem: options.fileSystem, root: ids))
        try catalog.close()
        return checker.check
    }
}

/// A check under way.
struct StoreChecker {
    var check = StoreCheck()

    /// Checks all segments that a catalog names.
    mutating func check(_ catalog: any Catalog, _ objects: any ObjectStore) throws(StorageError) {
        let contents = try catalog.contents()
        var missing: [(number: Int64, damage: String)] = []
        // Each footer is read once.
        let footers = FooterCache(byteCountMax: 0)
        for record in contents.segments {
            let segment = SegmentHandle(record, objects: objects, footers: footers)
            guard let damage = self.check(segment) else { continue }
            missing.append((record.number, damage))
        }
        // Whatever a server has merged or removed since may be gone.
        let later = Set(try catalog.contents().segments.map(\.number))
        self.check.damaged += missing.filter { later.contains($0.number) }.map(\.damage)
        let named = Set(contents.segments.map(\.key))
        self.check.unnamedCount = try objects.list().filter { !named.contains($0.key) }.count
    }

    /// Checks a segment; what is wrong with the file as a whole.
    mutating func check(_ segment: SegmentHandle) -> String? {
        self.check.segmentCount += 1
        self.check.byteCount += UInt64(segment.record.byteCount)
        do {
            let blocks = try segment.blocks()
            let rowCount = blocks.reduce(0) { $0 + $1.rowCount }
            for block in blocks {
                self.check.blockCount += 1
                self.check(block)
            }
            guard Int64(rowCount) == segment.record.rowCount else {
                return "\(segment.location) has \(rowCount) rows, the catalog says \(segment.record.rowCount)"
            }
            return nil
        } catch {
            return error.description
        }
    }

    private mutating func check(_ block: StoredBlock) {
        let batch: Batch
        do {
            _ = try block.blockFilter()
            batch = try block.read(keepingColumns: false)
            self.check.rowCount += batch.rowCount
        } catch {
            self.check.damaged.append(error.description)
            return
        }
        for page in block.summary.pages.dropFirst() {
            do {
                _ = try batch.column(block.names[page.name])
            } catch {
                self.check.damaged.append(error.description)
            }
        }
    }

    mutating func checkJournal(_ options: StoreOptions, removedThrough: UInt64) throws(StorageError) {
        let files = JournalFiles(
            fileSystem: options.fileSystem,
            folder: "\(options.path)/\(StorageFileNames.journal)"
        )
        var reading = JournalReading(removedThrough: removedThrough)
        do {
            self.check.damaged += try files.keptDamage()
            for number in try files.list() {
                let path = files.path(number)
                // A server may have removed it since the folder was listed.
                guard try options.fileSystem.status(path) != nil else { continue }
                for frame in reading.newFrames(in: try options.fileSystem.contents(path), path: path) {
                    self.check.frameCount += 1
                    do throws(FormatError) {
                        _ = try JournalFrame.batches(of: frame)
                    } catch {
                        self.check.damaged.append("\(path) is damaged in frame \(frame.sequence): \(error.reason)")
                    }
                }
            }
        } catch {
            throw .file(error)
        }
        self.check.damaged += reading.damage
    }

    mutating func checkIDs(_ objects: any ObjectStore) throws(StorageError) {
        for object in try objects.list() where StorageFileNames.number(in: object.key) != nil {
            do {
                _ = try RowIDRun(try objects.get(object.key))
            } catch let error as FormatError {
                self.check.damaged.append(
                    "\(objects.location(of: object.key)) is damaged at byte \(error.offset): \(error.reason)"
                )
            } catch StorageError.file(let error) where error.code == ENOENT {
                // Its day was over.
            } catch let error as StorageError {
                throw error
            } catch {
                preconditionFailure("an error of neither kind: \(error)")
            }
        }
    }
}
