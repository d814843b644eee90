/// What makes a file that file, whatever it is called.
///
/// A name says nothing after a rotation and an inode number is used again after a deletion, so that the first bytes
/// count too. While a file is shorter than `prefixByteCountMax`, the digest covers what there was.
struct FileIdentity: Hashable, Sendable {
    /// The most bytes that the digest covers: more than the banner that many programs begin each file with.
    static let prefixByteCountMax = 1_024

    var device: UInt64
    var inode: UInt64
    /// How many bytes of the file's beginning the digest covers.
    var prefixByteCount: Int
    /// XXH3-64 of these bytes.
    var prefixDigest: UInt64
}

/// A digest of the bytes just before an offset, by which a rewritten file is told from one that grew.
struct ContentMarker: Hashable, Sendable {
    static let byteCountMax = 256

    var byteCount: Int
    /// XXH3-64 of these bytes.
    var digest: UInt64

    static let none = ContentMarker(byteCount: 0, digest: 0)
}

/// Where an event begins whose end had not been read.
struct PendingStart: Hashable, Sendable {
    /// What tells it from others in the same file, such as `stdout`.
    var stream: String
    /// The source in which it begins: the file itself, or one that was rotated away since.
    var source: UInt64
    /// Offset in bytes of its first line.
    var offset: UInt64
}

/// How far a source has been read: what is durable in frames and in the file `positions`.
struct SourcePosition: Hashable, Sendable {
    /// Number of the source, unique in a state folder for ever: one file from its first byte to its last.
    var source: UInt64
    /// The followed name that led to the file.
    var path: String
    /// Where the file lay when that name was a link; empty when the name was its own.
    var place = ""
    var identity: FileIdentity
    /// Bytes before this offset are done with, but for the pending events.
    var offset: UInt64
    /// The bytes before `offset`.
    var marker: ContentMarker
    /// Whether `offset` lies inside a line whose beginning was delivered cut; the rest of it is skipped.
    var isInsideCutLine = false
    /// Whether the file will never be read again: it was rotated or deleted and read to its end.
    var isFinished = false
    /// Unfinished events; their lines are read again after a restart.
    var pending: [PendingStart] = []
    /// Number of the newest read.
    var read: UInt64 = 0
    /// When the file was last seen to change, nanoseconds since 1970.
    var modifiedAtNanoseconds: Int64 = 0
}

extension SourcePosition {
    private static let insideCutLine: UInt8 = 1
    private static let finished: UInt8 = 2

    /// Appends the position in the form that `init(from:)` reads; see docs/formats/chunk.md.
    func encode(to bytes: inout [UInt8]) {
        bytes.appendInteger(self.source)
        bytes.appendInteger(self.identity.device)
        bytes.appendInteger(self.identity.inode)
        bytes.appendInteger(UInt16(self.identity.prefixByteCount))
        bytes.appendInteger(self.identity.prefixDigest)
        bytes.appendInteger(self.offset)
        bytes.appendInteger(UInt16(self.marker.byteCount))
        bytes.appendInteger(self.marker.digest)
        bytes.appendInteger((self.isInsideCutLine ? Self.insideCutLine : 0) | (self.isFinished ? Self.finished : 0))
        bytes.appendInteger(self.read)
        bytes.appendInteger(self.modifiedAtNanoseconds)
        bytes.appendCounted(self.path.utf8.prefix(Int(UInt16.max)))
        bytes.appendCounted(self.place.utf8.prefix(Int(UInt16.max)))
        bytes.appendInteger(UInt16(self.pending.count))
        for start in self.pending {
            bytes.appendCounted(start.stream.utf8.prefix(Int(UInt16.max)))
            bytes.appendInteger(start.source)
            bytes.appendInteger(start.offset)
        }
    }

    init?(from reader: inout FieldReader) {
        guard let source = reader.integer(UInt64.self), let device = reader.integer(UInt64.self),
            let inode = reader.integer(UInt64.self), let prefixByteCount = reader.integer(UInt16.self),
            let prefixDigest = reader.integer(UInt64.self), let offset = reader.integer(UInt64.self),
            let markerByteCount = reader.integer(UInt16.self), let markerDigest = reader.integer(UInt64.self),
            let flags = reader.integer(UInt8.self), let read = reader.integer(UInt64.self),
            let modifiedAt = reader.integer(Int64.self), let path = reader.countedText(),
            let place = reader.countedText(), let pendingCount = reader.integer(UInt16.self)
        else { return nil }
        self.init(
            source: source,
            path: path,
            identity: FileIdentity(
                device: device,
                inode: inode,
                prefixByteCount: Int(prefixByteCount),
                prefixDigest: prefixDigest
            ),
            offset: offset,
            marker: ContentMarker(byteCount: Int(markerByteCount), digest: markerDigest)
        )
        self.place = place
        self.isInsideCutLine = flags & Self.insideCutLine != 0
        self.isFinished = flags & Self.finished != 0
        self.read = read
        self.modifiedAtNanoseconds = modifiedAt
        for _ in 0..<pendingCount {
            guard let stream = reader.countedText(), let source = reader.integer(UInt64.self),
                let offset = reader.integer(UInt64.self)
            else { return nil }
            self.pending.append(PendingStart(stream: stream, source: source, offset: offset))
        }
    }
}
