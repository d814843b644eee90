internal import LeatCore

/// What earlier runs knew of files, and where each file that is found now goes on.
///
/// A file is the one that was read when its first bytes and the bytes before the offset are the same; the inode only
/// says where to look first. Files that were rotated away while the agent was down are found among the siblings of the
/// followed name: `NAME.*`, so also `0.log.20261120-120000`.
struct TailResume {
    /// A rotated file to read before the one that has the name now.
    struct Earlier {
        let log: OpenLog
        /// How far it was read; `nil` for one that was never seen.
        let known: SourcePosition?
    }

    /// Positions older than this whose file is not there are forgotten, in nanoseconds.
    private static let keptNanoseconds: Int64 = 7 * 86_400 * 1_000_000_000

    /// Most deleted files that are remembered.
    private static let deletedCountMax = 256

    let disk: any FileSystem
    /// Files that are gone, oldest first.
    private var deleted: [SourcePosition] = []
    /// Until when files were looked at before this run, nanoseconds since 1970; `nil`: never.
    let lastSeen: Int64?
    /// When this run began, nanoseconds since 1970.
    let startedAt: Int64
    private(set) var bySource: [UInt64: SourcePosition] = [:]
    private(set) var byFile: [FileKey: [UInt64]] = [:]
    private(set) var byPath: [String: [UInt64]] = [:]
    /// Sources that have a file, in any input.
    let claims: SourceClaims

    init(known: KnownSources, now: Timestamp, disk: any FileSystem, claims: SourceClaims) {
        self.startedAt = now.nanoseconds
        self.disk = disk
        self.claims = claims
        self.lastSeen = known.lastSeen
        for position in known.positions { self.add(position) }
    }

    private mutating func add(_ position: SourcePosition) {
        self.bySource[position.source] = position
        self.byFile[position.key, default: []].append(position.source)
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

    /// Keeps what is known of a deleted file for a while, should a compressed copy of it be found; the sources that are too
    /// many by now.
    mutating func rememberDeleted(_ position: SourcePosition) -> [UInt64] {
        self.claims.sources.remove(position.source)
        self.bySource[position.source] = nil
        self.deleted.append(position)
        guard self.deleted.count > Self.deletedCountMax else { return [] }
        defer { self.deleted.removeFirst(Self.deletedCountMax / 2) }
        return self.deleted.prefix(Self.deletedCountMax / 2).map(\.source)
    }

    /// Whether an earlier run, or this one, has a position of a source.
    func isKnown(source: UInt64) -> Bool { self.bySource[source] != nil }

    /// Followed names of which something is known.
    var paths: [String] { self.byPath.keys.sorted() }

    /// Whether something is known of a followed name.
    func hasPath(where isWanted: (String) -> Bool) -> Bool { self.byPath.keys.contains(where: isWanted) }

    /// Positions of a name that no file has, oldest first.
    func history(of path: String) -> [SourcePosition] {
        (self.byPath[path] ?? []).sorted().compactMap { self.bySource[$0] }
            .filter { !self.claims.sources.contains($0.source) }
    }

    /// How far a file was read that is found under a followed name; `nil` for one that was never seen.
    ///
    /// One without bytes to compare comes last, since its number may have been given to another file, and is that of another
    /// log when its name was another one.
    func position(of log: OpenLog, path: String) throws(FileSystemError) -> SourcePosition? {
        let positions = (self.byFile[log.key] ?? []).sorted(by: >).compactMap { self.bySource[$0] }
            .filter { !self.claims.sources.contains($0.source) }
        for position in positions where !position.isEmpty {
            if try Self.isSame(position, log.handle) { return position }
        }
        if log.isCompressed, let position = try self.compressed(log.handle) { return position }
        return positions.first { $0.isEmpty && $0.path == path }
    }

    /// The file that was compressed into an open one, which has another inode.
    ///
    /// The one of which most was read comes first: many files begin alike.
    func compressed(_ handle: any File) throws(FileSystemError) -> SourcePosition? {
        let identity = try FileIdentity.of(handle, status: try handle.status())
        let positions = self.deleted + self.bySource.values
        for position in positions.sorted(by: { ($0.offset, $0.source) > ($1.offset, $1.source) })
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
    static func isSame(_ position: SourcePosition, _ handle: any File) throws(FileSystemError) -> Bool {
        let status = try handle.status()
        guard status.byteCount >= position.offset else { return false }
        let count = position.identity.prefixByteCount
        // Without bytes to compare, only the number tells.
        if count == 0 { return FileKey(status) == position.key }
        let identity = try FileIdentity.of(handle, status: status, prefixByteCount: count)
        guard identity.prefixByteCount == count, identity.prefixDigest == position.identity.prefixDigest else {
            return false
        }
        return try position.marker.isBefore(position.offset, in: handle)
    }

    /// Files that are finished but hold the beginning of an unfinished event.
    func addPendingSources(of positions: [SourcePosition], to wanted: inout [SourcePosition]) {
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

    /// Whether one more file may be opened beside some that wait to be taken up.
    func hasRoom(beside waitingCount: Int) -> Bool { self.openFileCount + waitingCount < self.openFileCountMax }

    /// The claims of a process that may open `descriptorCountMax` files; a share of them is for everything else.
    static func of(descriptorCountMax: Int) -> SourceClaims {
        SourceClaims(openFileCountMax: max(descriptorCountMax / 2, descriptorCountMax - 256))
    }
}

extension SourcePosition {
    /// Device and inode of the file.
    var key: FileKey { FileKey(device: self.identity.device, inode: self.identity.inode) }

    /// Whether the file had no bytes when it was last seen, so that only its number can be compared.
    var isEmpty: Bool { self.identity.prefixByteCount == 0 }
}
