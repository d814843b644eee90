internal import LeatCore

/// Which events share a chunk.
struct ChunkKind: Hashable, Sendable {
    let outputs: OutputSet
    /// Of an input that drops its oldest events; `nil` for all others.
    let ring: ChunkRing?
}

/// `storage.type memrb`: what an input keeps until it is delivered, of which the oldest goes when it is too much.
struct ChunkRing: Hashable, Sendable {
    /// The input's number in the configuration.
    let input: Int
    let byteCountMax: Int
}

/// A chunk that still takes frames, or waits for its last ones to become durable.
///
/// Its bytes are in three places, in this order: durable on disk, in a flush that is under way, and in memory since.
final class OpenChunk {
    let header: ChunkHeader
    let kind: ChunkKind

    /// The file; `nil` until the first write.
    private(set) var file: (any File)?

    /// Durable bytes on disk; 0 while there are none.
    private(set) var byteCount = 0

    /// Bytes for the end of the file; the header first while nothing is durable or on its way.
    var unwritten: [UInt8]

    /// What a flush that is under way writes behind the durable bytes; empty without one.
    private var flushing: [UInt8] = []

    /// Bytes of the header at the front of `unwritten`; 0 once a flush has taken it.
    private var headerByteCount: Int

    /// All bytes of the chunk, while it was written in one go.
    var content: [UInt8]?

    /// `buffer` is empty memory that can be used again.
    init(header: ChunkHeader, kind: ChunkKind, buffer: [UInt8]) {
        self.header = header
        self.kind = kind
        self.unwritten = buffer
        self.unwritten.append(contentsOf: header.encode())
        self.headerByteCount = self.unwritten.count
    }

    var outputs: OutputSet { self.kind.outputs }

    var number: UInt64 { self.header.number }

    /// Whether there are frames that no flush has taken.
    var hasUnwritten: Bool { self.unwritten.count > self.headerByteCount }

    /// Whether a flush is under way.
    var isFlushing: Bool { !self.flushing.isEmpty }

    /// Hands everything that gathered to a flush; `buffer` is empty memory for what comes next.
    func beginFlush(names: BufferFileNames, buffer: [UInt8]) -> ChunkFlush.Part {
        precondition(!self.isFlushing, "a chunk is flushed once at a time")
        self.flushing = self.unwritten
        self.unwritten = buffer
        self.headerByteCount = 0
        return ChunkFlush.Part(
            chunk: self.number,
            path: names.chunk(self.number),
            file: self.file,
            offset: UInt64(self.byteCount),
            bytes: self.flushing
        )
    }

    /// Notes that a flush has made its bytes durable; gives back memory that can be used again.
    func commit(_ part: ChunkFlush.Part) -> [UInt8] {
        self.file = part.file
        let isWhole = self.byteCount == 0
        self.byteCount += self.flushing.count
        var bytes: [UInt8] = []
        swap(&bytes, &self.flushing)
        if isWhole {
            self.content = bytes
            return []
        }
        bytes = self.content ?? []
        self.content = nil
        return bytes
    }

    /// Takes the bytes of a failed flush back; the next one writes them at the same place.
    func takeBack(_ part: ChunkFlush.Part) {
        self.file = part.file
        if self.byteCount == 0 { self.headerByteCount = self.header.encode().count }
        self.flushing.append(contentsOf: self.unwritten)
        self.unwritten = self.flushing
        self.flushing = []
    }

    /// Cuts what is not durable from the end of the file, durably.
    func cutUnwritten() throws(FileSystemError) {
        try self.file?.truncate(to: UInt64(self.byteCount))
        try self.file?.sync()
    }

    /// Takes over the frames that another chunk could not make durable.
    func takeUnwritten(of other: OpenChunk) {
        self.unwritten.append(contentsOf: other.unwritten.dropFirst(other.headerByteCount))
    }
}
