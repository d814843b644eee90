internal import LeatCore

/// What earlier runs knew of files, and where each file that is found now goes on.
///
/// A file is the one that was read when its first bytes and the bytes before the offset are the same; the inode only
/// says where to look first. Files that were rotated away while the agent was down are found among the siblings of the
/// followed name: `NAME.*`, so also `0.log.20261120-120000`.
struct TailResume {
    /// A rotated file to read before the one that has the name now.
    struct Earlier {
        let path: String
        let handle: any File
        /// How far it was read; `nil` for one that was never seen.
        let known: SourcePosition?
    }

    /// How to begin with a file.
    struct Start {
        /// How far it was read; `nil` for one that was never seen.
        var known: SourcePosition?
        /// Whether an earlier run followed the same name, so that this content came later.
        var isNew = false
        /// Oldest first.
        var earlier: [Earlier] = []
    }

    /// Positions older than this whose file is not there are forgotten, in nanoseconds.
    private static let keptNanoseconds: Int64 = 7 * 86_400 * 1_000_000_000

    /// Most deleted files that are remembered.
    private static let deletedCountMax = 256

    private let disk: any FileSystem
    /// Files that are gone, oldest first.
    private var deleted: [SourcePosition] = []
    private var bySource: [UInt64: SourcePosition] = [:]
    private var byFile: [FileKey: [UInt64]] = [:]
    private var byPath: [String: [UInt64]] = [:]
    /// Sources that have a file, in any input.
    let claims: SourceClaims

    init(known: [SourcePosition], disk: any FileSystem, claims: SourceClaims) {
        self.disk = disk
        self.claims = claims
        for position in known { self.add(position) }
    }

    private mutating func add(_ position: SourcePosition) {
        self.bySource[position.source] = position
        let key = FileKey(device: position.identity.device, inode: position.identity.inode)
        self.byFile[key, default: []].append(position.source)
        self.byPath[position.path, default: []].append(position.source)
    }

    /// Keeps the position of a closed file, should one of its names be followed again.
    mutating func remember(_ position: SourcePosition) {
        self.claims.sources.remove(position.source)
        if self.bySource[position.source] == nil {
            self.add(position)
        } else {
            self.bySource[position.source] = position
        }
    }

    /// Keeps what is known of a deleted file for a while, should a compressed copy of it be followed.
    mutating func rememberDeleted(_ position: SourcePosition) {
        self.deleted.append(position)
        if self.deleted.count > Self.deletedCountMax { self.deleted.removeFirst(Self.deletedCountMax / 2) }
    }

    /// Decides how to begin with an open file.
    ///
    /// `hasOld` says that the name led to another file a moment ago, so that nothing can have happened between.
    mutating func start(
        path: String,
        handle: any File,
        status: FileStatus,
        hasOld: Bool
    ) throws(FileSystemError) -> Start {
        var start = Start()
        let history = (self.byPath[path] ?? []).sorted().compactMap { self.bySource[$0] }
            .filter { !self.claims.sources.contains($0.source) }
        for source in (self.byFile[FileKey(status)] ?? []).sorted(by: >) {
            guard let position = self.bySource[source], !self.claims.sources.contains(source) else { continue }
            if try Self.isSame(position, handle) {
                start.known = position
                break
            }
        }
        if start.known == nil, handle is GzipLog { start.known = try self.compressed(handle) }
        start.isNew = start.known == nil && (hasOld || !history.isEmpty)
        if let known = start.known { self.claims.sources.insert(known.source) }
        if !hasOld, !history.isEmpty || !(start.known?.pending.isEmpty ?? true) {
            start.earlier = try self.earlier(path: path, history: history, known: start.known, status: status)
        }
        return start
    }

    /// The file that was compressed into an open one, which has another inode.
    private func compressed(_ handle: any File) throws(FileSystemError) -> SourcePosition? {
        let identity = try FileIdentity.of(handle, status: try handle.status())
        for position in (self.deleted + self.bySource.values).sorted(by: { $0.source > $1.source })
        where position.identity.prefixByteCount > 0
            && (position.identity.prefixByteCount < identity.prefixByteCount
                || position.identity.prefixDigest == identity.prefixDigest)
        {
            guard !self.claims.sources.contains(position.source) else { continue }
            if try Self.isSame(position, handle) { return position }
        }
        return nil
    }

    /// Whether an open file holds the bytes that a position describes.
    private static func isSame(_ position: SourcePosition, _ handle: any File) throws(FileSystemError) -> Bool {
        let status = try handle.status()
        guard status.byteCount >= position.offset else { return false }
        let count = position.identity.prefixByteCount
        let identity = try FileIdentity.of(handle, status: status, prefixByteCount: count)
        guard identity.prefixByteCount == count, identity.prefixDigest == position.identity.prefixDigest else {
            return false
        }
        return try ContentMarker.of(handle, before: position.offset, byteCount: position.marker.byteCount)
            == position.marker
    }

    /// The rotated files of a followed name that were not read to their end.
    private mutating func earlier(
        path: String,
        history: [SourcePosition],
        known: SourcePosition?,
        status: FileStatus
    ) throws(FileSystemError) -> [Earlier] {
        var wanted = history.filter { !$0.isFinished && $0.source != known?.source }
        self.addPendingSources(of: wanted + [known].compactMap { $0 }, to: &wanted)
        let last = history.last
        let looksForNewer = last != nil && last?.source != known?.source
        guard !wanted.isEmpty || looksForNewer else { return [] }
        var result: [Earlier] = []
        var unseen: [(modifiedAt: Int64, path: String, handle: any File)] = []
        for sibling in try self.siblings(of: path, except: FileKey(status)) {
            if let index = try wanted.firstIndexThrowing({ position throws(FileSystemError) in
                try Self.isSame(position, sibling.handle)
            }) {
                let position = wanted.remove(at: index)
                self.claims.sources.insert(position.source)
                result.append(Earlier(path: sibling.path, handle: sibling.handle, known: position))
            } else if looksForNewer, let last, sibling.modifiedAt >= last.modifiedAtNanoseconds,
                try !self.isKnown(sibling.handle)
            {
                unseen.append(sibling)
            } else {
                sibling.handle.close()
            }
        }
        result.sort { ($0.known?.source ?? 0) < ($1.known?.source ?? 0) }
        unseen.sort { ($0.modifiedAt, $0.path) < ($1.modifiedAt, $1.path) }
        return result + unseen.map { Earlier(path: $0.path, handle: $0.handle, known: nil) }
    }

    /// Files that were not read to their end and whose followed name is gone, oldest first.
    ///
    /// They are looked for where they lay, and beside it under a rotated name.
    mutating func orphans(_ isFollowed: (String) -> Bool) throws(FileSystemError) -> [(name: String, file: Earlier)] {
        var result: [(name: String, file: Earlier)] = []
        for position in self.bySource.values.sorted(by: { $0.source < $1.source })
        where !position.isFinished && !self.claims.sources.contains(position.source) && isFollowed(position.path) {
            guard try self.disk.status(position.path) == nil, let found = try self.lookFor(position) else { continue }
            self.claims.sources.insert(position.source)
            result.append((position.path, Earlier(path: found.path, handle: found.handle, known: position)))
        }
        return result
    }

    /// The file of a position, where it lay or beside it.
    private func lookFor(_ position: SourcePosition) throws(FileSystemError) -> (path: String, handle: any File)? {
        let place = position.place.isEmpty ? position.path : position.place
        guard try self.disk.status(place.parentFolder) != nil else { return nil }
        let key = FileKey(device: position.identity.device, inode: position.identity.inode)
        var found: (path: String, handle: any File)?
        var candidates = try self.siblings(of: place, except: nil).map { (path: $0.path, handle: $0.handle) }
        if let status = try self.disk.status(place), status.kind == .regular {
            candidates.insert((place, try self.disk.open(place, .read)), at: 0)
        }
        for candidate in candidates {
            let isSame = try Self.isSame(position, candidate.handle)
            // Without bytes to compare, only the number tells.
            let isKey = try FileKey(candidate.handle.status()) == key
            if found == nil, isSame, isKey || position.identity.prefixByteCount > 0 {
                found = candidate
            } else {
                candidate.handle.close()
            }
        }
        return found
    }

    /// Files that are finished but hold the beginning of an unfinished event.
    private func addPendingSources(of positions: [SourcePosition], to wanted: inout [SourcePosition]) {
        for start in positions.flatMap(\.pending) {
            if let index = wanted.firstIndex(where: { $0.source == start.source }) {
                if !wanted[index].pending.contains(start) { wanted[index].pending.append(start) }
            } else if !positions.contains(where: { $0.source == start.source }),
                var position = self.bySource[start.source]
            {
                position.pending = [start]
                wanted.append(position)
            }
        }
    }

    private func isKnown(_ handle: any File) throws(FileSystemError) -> Bool {
        let status = try handle.status()
        for source in self.byFile[FileKey(status)] ?? [] {
            if let position = self.bySource[source], try Self.isSame(position, handle) { return true }
        }
        return false
    }

    /// The open siblings of the file that a followed name leads to.
    private func siblings(
        of path: String,
        except current: FileKey?
    ) throws(FileSystemError) -> [(modifiedAt: Int64, path: String, handle: any File)] {
        let target = PathText.resolved(path)
        let prefix = target.lastPathComponent + "."
        let folder = target.parentFolder
        var result: [(Int64, String, any File)] = []
        for name in try self.disk.list(folder) where name.hasPrefix(prefix) && !name.hasSuffix(".tmp") {
            let place = folder + "/" + name
            guard let status = try self.disk.status(place), status.kind == .regular, FileKey(status) != current else {
                continue
            }
            let file = try self.disk.open(place, .read)
            let handle: any File = GzipLog.isName(place) ? GzipLog(file) : file
            result.append((status.modifiedAt.nanoseconds, place, handle))
        }
        return result
    }

    /// Forgets positions whose files have not been there for long.
    mutating func forgetOld(now: Int64, _ forget: (UInt64) -> Void) {
        for (source, position) in self.bySource where now - position.modifiedAtNanoseconds > Self.keptNanoseconds {
            guard !self.claims.sources.contains(source) else { continue }
            self.bySource[source] = nil
            forget(source)
        }
    }
}

/// Which sources of earlier runs have a file in this one; shared by all inputs, so that two never go on with the same.
final class SourceClaims {
    var sources: Set<UInt64> = []

    /// Files that are open in all inputs, and how many may be.
    ///
    /// The buffer and the outputs need descriptors too: without one nothing could be written, and no file be closed.
    var openFileCount = 0
    let openFileCountMax: Int

    init(openFileCountMax: Int = .max) { self.openFileCountMax = openFileCountMax }

    var hasRoom: Bool { self.openFileCount < self.openFileCountMax }

    /// The claims of a process that may open `descriptorCountMax` files; a share of them is for everything else.
    static func of(descriptorCountMax: Int) -> SourceClaims {
        SourceClaims(openFileCountMax: max(descriptorCountMax / 2, descriptorCountMax - 256))
    }
}

extension Array {
    /// `firstIndex(where:)` for a condition that looks at the disk.
    fileprivate func firstIndexThrowing(
        _ isWanted: (Element) throws(FileSystemError) -> Bool
    ) throws(FileSystemError) -> Int? {
        for index in self.indices where try isWanted(self[index]) { return index }
        return nil
    }
}
