internal import LeatCore

/// A log that is open, and what it was when it was opened.
struct OpenLog {
    let path: String
    let handle: any File
    let status: FileStatus

    var key: FileKey { FileKey(self.status) }

    /// When it was last written, nanoseconds since 1970.
    var modifiedAt: Int64 { self.status.modifiedAt.nanoseconds }

    var isCompressed: Bool { self.handle is GzipLog }

    init(path: String, handle: any File, status: FileStatus) {
        self.path = path
        self.handle = handle
        self.status = status
    }

    /// An open regular file; `nil` when the name leads to none, or not any more.
    init?(_ path: String, on disk: any FileSystem) throws(FileSystemError) {
        guard let handle = try GzipLog.openLog(path, on: disk) else { return nil }
        self.path = path
        self.handle = handle
        do throws(FileSystemError) {
            self.status = try handle.status()
        } catch {
            handle.close()
            throw error
        }
        guard self.status.kind == .regular else {
            handle.close()
            return nil
        }
    }
}

/// The files beside a followed name that may have had it, found in as many passes as it takes.
///
/// One pass is not enough: a file that gets its next name while the folder is walked through has neither the old nor the
/// new name in it. What was found is kept open, so that it does not matter what becomes of its name.
struct Siblings {
    private(set) var found: [OpenLog] = []
    /// What could not be opened.
    private(set) var failures: [FileSystemError] = []
    private var seen: Set<FileKey> = []
    /// Names that led nowhere: once that is a file that moved, twice a broken link.
    private var missing: Set<String> = []

    /// Looks once; says whether nothing was found that was not known, and nothing moved under the eyes.
    mutating func look(
        for search: TailResume.Search,
        in lists: FolderLists,
        on disk: any FileSystem,
        isTaken: (FileKey) -> Bool
    ) throws(FileSystemError) -> Bool {
        guard let oldest = search.oldest else { return true }
        let keys = Set(search.wanted.map(\.key))
        var isStill = true
        for path in try lists.candidates(search.places, keys: keys).sorted() {
            guard let status = try disk.status(path) else {
                if self.missing.insert(path).inserted { isStill = false }
                continue
            }
            let key = FileKey(status)
            guard status.kind == .regular, !self.seen.contains(key), !isTaken(key) else { continue }
            guard status.modifiedAt.nanoseconds >= oldest || keys.contains(key) else {
                self.seen.insert(key)
                continue
            }
            // The original is found instead.
            if try GzipLog.isBesideOriginal(path, on: disk) { continue }
            isStill = false
            do throws(FileSystemError) {
                guard let log = try OpenLog(path, on: disk) else { continue }
                guard log.key == key else {
                    log.handle.close()
                    continue
                }
                self.found.append(log)
            } catch {
                self.failures.append(error)
            }
            self.seen.insert(key)
        }
        return isStill
    }

    /// Closes a file that was found, and is none of these; it is not found again.
    mutating func remove(_ key: FileKey) {
        guard let index = self.found.firstIndex(where: { $0.key == key }) else { return }
        self.found.remove(at: index).handle.close()
    }

    /// Takes a file that had the name and lost it.
    mutating func add(_ log: OpenLog) {
        self.seen.insert(log.key)
        self.found.append(log)
    }
}
