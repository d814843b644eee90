internal import LeatCore
internal import Synchronization

/// The journal files that are on disk, and which rows each of them still protects.
final class JournalFiles: Sendable {
    /// Last row per repository and datasource.
    typealias Coverage = [Int64: [DatasourceTags: Int64]]

    private struct Entry {
        var byteCount: UInt64
        var coverage: Coverage
        var lastSequence: UInt64 = 0
        var isOpen: Bool
        var isDamaged = false
    }

    private let fileSystem: any FileSystem
    private let folder: String
    private let entries = Mutex<[UInt64: Entry]>([:])

    init(fileSystem: any FileSystem, folder: String) {
        self.fileSystem = fileSystem
        self.folder = folder
    }

    func path(_ number: UInt64) -> String { "\(self.folder)/\(StorageFileNames.journal(number))" }

    var byteCount: UInt64 { self.entries.withLock { $0.values.reduce(0) { $0 + $1.byteCount } } }

    func opened(_ number: UInt64) {
        self.entries.withLock { $0[number] = Entry(byteCount: 0, coverage: [:], isOpen: true) }
    }

    /// Notes frames in a file, before its rows can be sealed.
    func wrote(_ number: UInt64, byteCount: UInt64, _ frames: [JournalFrame]) {
        let lastSequence = frames.map(\.sequence).max() ?? 0
        self.entries.withLock { entries in
            entries[number]?.byteCount = byteCount
            entries[number]?.lastSequence = lastSequence
            for frame in frames {
                let meta = frame.meta
                var row = meta.firstRow
                // A part without rows, all of them repeats, protects nothing: its datasource may never have a segment.
                for part in meta.parts where part.rowCount > 0 {
                    row += Int64(part.rowCount)
                    entries[number]?.coverage[meta.repositoryID, default: [:]][part.tags] = row - 1
                }
            }
        }
    }

    /// Notes that acknowledged rows in a file could not be read.
    func foundDamaged(_ paths: Set<String>) {
        self.entries.withLock { entries in
            for number in entries.keys where paths.contains(self.path(number)) { entries[number]?.isDamaged = true }
        }
    }

    func closed(_ number: UInt64) { self.entries.withLock { $0[number]?.isOpen = false } }

    /// Files that no longer protect anything: all their rows are in segments.
    func unneeded(isSealed: (_ repositoryID: Int64, DatasourceTags, _ row: Int64) -> Bool) -> [UInt64] {
        self.entries.withLock { entries in
            entries.filter { _, entry in
                !entry.isOpen
                    && entry.coverage.allSatisfy { id, rows in rows.allSatisfy { isSealed(id, $0.key, $0.value) } }
            }.keys.sorted()
        }
    }

    /// The last frame in some files.
    func lastSequence(of numbers: [UInt64]) -> UInt64 {
        self.entries.withLock { entries in numbers.compactMap { entries[$0]?.lastSequence }.max() ?? 0 }
    }

    /// Removes files, but keeps those that were found damaged under another name: what is left in them may be of use.
    ///
    /// A crash in between leaves some of them; replay finds that their rows are sealed.
    func remove(_ numbers: [UInt64]) throws(FileSystemError) {
        for number in numbers {
            let path = self.path(number)
            if self.entries.withLock({ $0[number]?.isDamaged ?? false }) {
                try self.fileSystem.rename(path, to: path + StorageFileNames.damagedSuffix)
            } else {
                try self.fileSystem.remove(path)
            }
            self.entries.withLock { $0[number] = nil }
        }
        if !numbers.isEmpty { try self.fileSystem.syncDirectory(self.folder) }
    }

    /// A line for each damaged file that was kept.
    func keptDamage() throws(FileSystemError) -> [String] {
        try self.fileSystem.list(self.folder).filter {
            $0.hasSuffix(StorageFileNames.journalSuffix + StorageFileNames.damagedSuffix)
        }.map { "\(self.folder)/\($0) was damaged and cost rows; it is kept until you remove it" }
    }

    /// Journal files in the folder, oldest first.
    func list() throws(FileSystemError) -> [UInt64] {
        try self.fileSystem.list(self.folder).filter { $0.hasSuffix(StorageFileNames.journalSuffix) }
            .compactMap { StorageFileNames.number(in: $0).flatMap { UInt64(exactly: $0) } }.sorted()
    }
}
