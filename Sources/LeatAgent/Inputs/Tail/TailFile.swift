internal import LeatCore

/// One followed file: its identity, how far it was read, and what its lines turn into.
///
/// While nothing happens it holds no buffer, so that thousands of idle files cost about a kilobyte each.
final class TailFile {
    /// Number of the source; see `SourcePosition`.
    let source: UInt64
    /// The followed name that led here; shown in records and tags, whatever the file is called now.
    let path: String
    /// Where it lay when that name was a link; or the name that it had, in the folder into which it was moved; else empty.
    var place: String
    let tag: RouteTag
    /// `,"path":"…"`, appended to each record.
    let recordTail: [UInt8]

    var file: any File
    var identity: FileIdentity
    var state: TailFileState
    var marker: ContentMarker
    var shaper: LineShaper
    var isInsideCutLine = false
    /// Whether the file was truncated under a writer that goes on at its old offset, so that zeros come first: a hole, and
    /// no line.
    var mayBeginWithHole = false
    /// How its bytes are read when the input has a decoder; what was guessed while `isEncodingKnown` does not say so.
    var encoding = FileEncoding.utf8
    var isEncodingKnown = false
    /// Bytes of unfinished events, as `TailInput.heldByteCount` counts them.
    var heldByteCount = 0
    /// When it was last written, as of the last read; nanoseconds since 1970.
    var modifiedAtNanoseconds: Int64

    /// Lines of these streams before `replayEnd` complete events that a restart interrupted; others were delivered.
    var replayed: [PendingStart]?
    var replayEnd: UInt64 = 0

    /// The file that had the name before, which must be read to its end first; unfinished lines come from it.
    var predecessor: TailFile?
    /// Whether the file is waiting in the queue of files to read.
    var isQueued = false
    var isClosed = false
    /// Followed names that lead here now.
    var names: Set<String> = []
    /// Compressed copies of the file that were found, to be looked at again when it is closed.
    var copies: Set<String> = []
    /// Numbers under which changes are reported, see `FolderWatch.key`.
    var places: Set<UInt64> = []

    init(
        source: UInt64,
        path: String,
        place: String,
        tag: RouteTag,
        recordTail: [UInt8],
        file: any File,
        identity: FileIdentity,
        state: TailFileState,
        marker: ContentMarker,
        shaper: LineShaper,
        modifiedAtNanoseconds: Int64
    ) {
        self.source = source
        self.path = path
        self.place = place
        self.tag = tag
        self.recordTail = recordTail
        self.file = file
        self.identity = identity
        self.state = state
        self.marker = marker
        self.shaper = shaper
        self.modifiedAtNanoseconds = modifiedAtNanoseconds
    }

    /// What is to be remembered of the file.
    var position: SourcePosition {
        var position = SourcePosition(
            source: self.source,
            path: self.path,
            identity: self.identity,
            offset: self.state.offset,
            marker: self.marker
        )
        position.place = self.place
        position.isInsideCutLine = self.isInsideCutLine
        position.pending = self.shaper.pending
        position.modifiedAtNanoseconds = self.modifiedAtNanoseconds
        return position
    }
}

extension FileIdentity {
    /// The identity of an open file; `prefixByteCount` bytes of its beginning, or as many as there are.
    static func of(
        _ file: any File,
        status: FileStatus,
        prefixByteCount: Int = Self.prefixByteCountMax
    ) throws(FileSystemError) -> FileIdentity {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, prefixByteCount), alignment: 8)
        defer { buffer.deallocate() }
        let count = try file.read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<prefixByteCount]))
        return FileIdentity(
            device: status.device,
            inode: status.inode,
            prefixByteCount: count,
            prefixDigest: Digest.xxh3(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        )
    }
}

extension ContentMarker {
    /// The marker of the bytes before `offset` of an open file; `nil` when the file is shorter.
    static func of(_ file: any File, before offset: UInt64, byteCount: Int) throws(FileSystemError) -> ContentMarker? {
        guard offset >= UInt64(byteCount) else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, byteCount), alignment: 8)
        defer { buffer.deallocate() }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<byteCount])
        guard try file.read(at: offset - UInt64(byteCount), into: target) == byteCount else { return nil }
        return ContentMarker(byteCount: byteCount, digest: Digest.xxh3(UnsafeRawBufferPointer(target)))
    }

    /// Whether the bytes before `offset` of an open file are these.
    func isBefore(_ offset: UInt64, in file: any File) throws(FileSystemError) -> Bool {
        // No bytes are the same everywhere, whatever digest was noted with them.
        if self.byteCount == 0 { return true }
        return try Self.of(file, before: offset, byteCount: self.byteCount) == self
    }
}
