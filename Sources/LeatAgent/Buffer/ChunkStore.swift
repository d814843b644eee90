internal import LeatCore

/// The disk buffer: gathers frames into chunks, makes them durable, and keeps each chunk until every output has settled it.
///
/// `append` only copies into memory; a flush writes and syncs what gathered, all chunks or none, while more gathers. Only
/// then may a chunk be closed, so that what is sent is always on disk and belongs to reads all of whose frames are.
/// Positions follow the same rule: `positions` holds what the last complete flush made durable.
///
/// When the disk fails, nothing is forgotten: the events stay in memory, `isFull` stops the inputs, and the next
/// flush tries again.
final class ChunkStore {
    let names: BufferFileNames
    let limits: BufferLimits
    let disk: any FileSystem
    let time: any TimeSource

    /// Names of the outputs of the configuration, by number.
    let outputNames: [String]

    /// Called for each chunk that is ready to be sent, in the order of their numbers.
    var chunkClosed: (ClosedChunk) -> Void = { _ in }

    /// Called for each chunk that is about to be deleted, after its positions are durable.
    var chunkRemoved: (UInt64) -> Void = { _ in }

    /// How far each source has been read, as far as that is durable.
    var positions: Positions

    /// Chunks on disk that at least one output has not settled.
    var closed: [UInt64: ClosedChunk] = [:]

    var open: [ChunkKind: OpenChunk] = [:]
    /// Chunks that take no more frames and are sent as soon as those that they have are durable.
    var closing: [OpenChunk] = []
    /// The flush that is under way.
    var current: ChunkFlush?
    var flushingByteCount = 0
    /// Chunks whose sync failed.
    var abandoned: [OpenChunk] = []
    /// Whether a new chunk's name may not be durable yet.
    var isFolderChanged = false
    var spares: SpareBuffers
    var newPositions: [UInt64: SourcePosition?] = [:]
    /// What reads changed of the events that filters hold back, oldest first, as far as no flush has taken it.
    var newHeld: [(read: UInt64, section: HeldSection)] = []
    /// Number of the newest read that changed it.
    private var heldRead: UInt64
    /// Number of the newest read of all.
    var lastRead: UInt64 = 0
    /// Where the first reads of sources began of which nothing is durable.
    var firstOffsets: [UInt64: UInt64] = [:]
    var settled: [ClosedChunk] = []
    var nextChunk: UInt64
    var closedSinceCheckpoint = 0
    var isPositionsFileOld = false
    var cachedByteCount = 0

    /// Bytes of all chunks on disk.
    var chunkByteCount: UInt64 = 0

    /// Bytes of events that no flush has taken.
    var gatheredByteCount = 0

    /// Bytes of events that are not known to be on disk.
    var unwrittenByteCount: Int { self.gatheredByteCount + self.flushingByteCount }

    /// Bytes of requests on their way, counted by the outputs.
    var sendingByteCount = 0

    /// The last failure of the disk; `nil` once a flush has succeeded.
    var failure: FileSystemError?

    /// Bytes that the disk had free when it was last looked at; `nil` when it does not say.
    var freeByteCount: UInt64?

    init(
        names: BufferFileNames,
        limits: BufferLimits,
        disk: any FileSystem,
        time: any TimeSource,
        outputNames: [String],
        recovered: RecoveredBuffer
    ) {
        self.names = names
        self.limits = limits
        self.disk = disk
        self.time = time
        self.outputNames = outputNames
        self.positions = recovered.positions
        self.heldRead = recovered.positions.held.read
        self.nextChunk = recovered.nextChunk
        for chunk in recovered.chunks {
            self.closed[chunk.number] = chunk
            self.chunkByteCount += UInt64(chunk.byteCount)
        }
        self.isPositionsFileOld = true
        self.spares = SpareBuffers(countMax: 1, byteCountMax: 2 * limits.backlogFlushByteCount)
        self.settled = recovered.chunks.filter { $0.remaining.isEmpty && $0.orphans.isEmpty }
        self.examineDisk()
    }

    /// Why inputs must stop reading; `nil` while they need not.
    var fullness: BufferFullness? {
        if let failure { return .failed(failure) }
        if self.unwrittenByteCount >= self.limits.unwrittenByteCountMax { return .memory }
        // What is not written yet takes room too.
        guard let free = self.freeByteCount, free < self.limits.diskReserveByteCount + UInt64(self.unwrittenByteCount)
        else { return nil }
        return .disk(folder: self.names.folder, free: free, reserve: self.limits.diskReserveByteCount)
    }

    /// Whether inputs must stop reading.
    var isFull: Bool { self.fullness != nil }

    /// Whether so much has gathered that it should be flushed as soon as the disk is free.
    ///
    /// While inputs have more to read at once, more is gathered: a flush costs the same however long it is.
    func isFlushDue(hasBacklog: Bool) -> Bool {
        self.gatheredByteCount >= (hasBacklog ? self.limits.backlogFlushByteCount : self.limits.flushByteCount)
    }

    /// Whether a flush is under way, so that the next one must wait.
    var isFlushing: Bool { self.current != nil }

    /// Whether a flush would change anything.
    var needsFlush: Bool {
        self.gatheredByteCount > 0 || !self.newPositions.isEmpty || !self.abandoned.isEmpty || !self.closing.isEmpty
    }

    /// A number for a source or a read that was never given before.
    func nextSequence() -> UInt64 {
        self.positions.sequence += 1
        return self.positions.sequence
    }

    /// Takes the events of one read, and how far the source was read with it.
    ///
    /// Events of a ring are in chunks of their own, so that the oldest can be dropped. What the read changed of the events
    /// that filters hold back is in a chunk for no output.
    func append(
        _ frames: [NewFrame],
        position: SourcePosition?,
        startOffset: UInt64,
        ring: ChunkRing? = nil,
        held changes: [HeldChange] = []
    ) {
        var position = position
        let read = self.nextSequence()
        self.lastRead = read
        position?.read = read
        var head = EventFrameHead(
            read: read,
            frameCount: frames.count + (changes.isEmpty ? 0 : 1),
            tag: [],
            position: position,
            startOffset: startOffset,
            durableOffset: position.map { self.durableOffset(of: $0.source, from: startOffset) } ?? 0,
            changesHeld: !changes.isEmpty
        )
        for frame in frames {
            head.tag = frame.tag.bytes
            let kind = ChunkKind(outputs: frame.outputs, ring: ring)
            self.append(to: kind) { head.encode(frame.events, to: &$0) }
            // As many as a request will have.
            self.gatheredByteCount += frame.events.count * frame.events.commonTail.count
        }
        if !changes.isEmpty {
            head.tag = []
            let section = HeldSection(after: self.heldRead, changes: changes)
            self.append(to: ChunkKind(outputs: OutputSet(), ring: nil)) {
                head.encode(EventList(), held: section, to: &$0)
            }
            self.newHeld.append((read, section))
            self.heldRead = read
        }
        if let position { self.newPositions[position.source] = .some(position) }
    }

    /// How far a source is durable; where its first read began while nothing of it is.
    private func durableOffset(of source: UInt64, from startOffset: UInt64) -> UInt64 {
        if let known = self.positions.sources[source] { return known.offset }
        let first = self.firstOffsets[source] ?? startOffset
        self.firstOffsets[source] = first
        return first
    }

    /// Appends a frame to the chunk that gathers its kind.
    private func append(to kind: ChunkKind, _ body: (inout [UInt8]) -> Void) {
        let chunk = self.openChunk(of: kind)
        let before = chunk.unwritten.count
        if before > BufferLimits.largeBufferByteCount {
            chunk.unwritten.reserveCapacity(self.limits.backlogFlushByteCount + (1 << 20))
        }
        Frame.append(to: &chunk.unwritten, body)
        self.gatheredByteCount += chunk.unwritten.count - before
    }

    /// Forgets a source whose file is gone for good; takes effect with the next flush.
    func forget(source: UInt64) { self.newPositions[source] = .some(nil) }

    /// Marks a source as read to its end for good; takes effect with the next flush.
    func finish(source: UInt64) {
        let known = self.newPositions[source] ?? self.positions.sources[source]
        guard var position = known else { return }
        position.isFinished = true
        position.pending = []
        self.newPositions[source] = .some(position)
    }

    /// How long a chunk gets; those of a ring so short that dropping one drops little.
    func byteCountMax(of chunk: OpenChunk) -> Int {
        let share = chunk.kind.ring.map { max(1, $0.byteCountMax / 4) } ?? .max
        return min(self.limits.chunkByteCountMax, share)
    }

    /// Chunks of a ring that wait, oldest first.
    func waiting(in ring: ChunkRing) -> [ClosedChunk] {
        self.closed.values.filter { $0.ring == ring && !$0.remaining.isEmpty }.sorted { $0.number < $1.number }
    }

    private func openChunk(of kind: ChunkKind) -> OpenChunk {
        if let chunk = self.open[kind] { return chunk }
        let chunk = self.makeChunk(of: kind)
        self.open[kind] = chunk
        return chunk
    }

    func makeChunk(of kind: ChunkKind) -> OpenChunk {
        let number = self.nextChunk
        self.nextChunk += 1
        return OpenChunk(
            header: ChunkHeader(
                number: number,
                createdAtNanoseconds: self.time.now().nanoseconds,
                outputs: kind.outputs.indices.map { self.outputNames[$0] }
            ),
            kind: kind,
            buffer: self.spares.take()
        )
    }
}
