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
    private(set) var positions: Positions

    /// Chunks on disk that at least one output has not settled.
    private(set) var closed: [UInt64: ClosedChunk] = [:]

    private var open: [ChunkKind: OpenChunk] = [:]
    /// Chunks that take no more frames and are sent as soon as those that they have are durable.
    private var closing: [OpenChunk] = []
    /// The flush that is under way.
    private var current: ChunkFlush?
    private var flushingByteCount = 0
    /// Chunks whose sync failed.
    private var abandoned: [OpenChunk] = []
    /// Whether a new chunk's name may not be durable yet.
    private var isFolderChanged = false
    private var spares: SpareBuffers
    private var newPositions: [UInt64: SourcePosition?] = [:]
    /// What reads changed of the events that filters hold back, oldest first, as far as no flush has taken it.
    private var newHeld: [(read: UInt64, section: HeldSection)] = []
    /// Number of the newest read that changed it.
    private var heldRead: UInt64
    /// Number of the newest read of all.
    private var lastRead: UInt64 = 0
    /// Where the first reads of sources began of which nothing is durable.
    private var firstOffsets: [UInt64: UInt64] = [:]
    private var settled: [ClosedChunk] = []
    private var nextChunk: UInt64
    private var closedSinceCheckpoint = 0
    private var isPositionsFileOld = false
    private var cachedByteCount = 0

    /// Bytes of all chunks on disk.
    private(set) var chunkByteCount: UInt64 = 0

    /// Bytes of events that no flush has taken.
    private(set) var gatheredByteCount = 0

    /// Bytes of events that are not known to be on disk.
    var unwrittenByteCount: Int { self.gatheredByteCount + self.flushingByteCount }

    /// Bytes of requests on their way, counted by the outputs.
    var sendingByteCount = 0

    /// The last failure of the disk; `nil` once a flush has succeeded.
    private(set) var failure: FileSystemError?

    /// Whether the disk has less free than the reserve.
    private var isDiskLow = false

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
    }

    /// Whether inputs must stop reading: the buffer in memory or the disk is full.
    var isFull: Bool {
        self.unwrittenByteCount >= self.limits.unwrittenByteCountMax || self.isDiskLow || self.failure != nil
            || self.limits.chunksByteCountMax.map { self.chunkByteCount >= $0 } == true
    }

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
    private func byteCountMax(of chunk: OpenChunk) -> Int {
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

    private func makeChunk(of kind: ChunkKind) -> OpenChunk {
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

// MARK: - Making durable

extension ChunkStore {
    /// Writes and syncs everything that gathered, then closes the chunks that an output waits for or that are long
    /// enough; blocks.
    ///
    /// `isWanted` says whether an output of the set could send the chunk now. After an error everything is still in
    /// memory and `failure` is set.
    func flush(isWanted: (OutputSet) -> Bool) {
        guard let flush = self.beginFlush(isWanted: isWanted) else { return }
        flush.run()
        self.finishFlush(flush)
    }

    /// Takes everything that gathered for a flush, which `run` and then `finishFlush` must follow; `nil` when there is
    /// nothing to do, or when the disk has failed.
    func beginFlush(isWanted: (OutputSet) -> Bool) -> ChunkFlush? {
        precondition(self.current == nil, "one flush at a time")
        self.examineDisk()
        do throws(FileSystemError) {
            try self.finishAbandoned()
        } catch {
            self.failure = error
            return nil
        }
        for chunk in self.open.values.sorted(by: { $0.number < $1.number }) where chunk.hasUnwritten {
            let isLong = chunk.byteCount + chunk.unwritten.count >= self.byteCountMax(of: chunk)
            // What filters hold is in the positions soon: a chunk of it is never needed for long.
            guard isLong || chunk.outputs.isEmpty || isWanted(chunk.outputs) else { continue }
            self.open[chunk.kind] = nil
            self.closing.append(chunk)
        }
        let chunks = self.changedChunks
        guard !chunks.isEmpty || !self.newPositions.isEmpty else {
            self.failure = nil
            return nil
        }
        let flush = ChunkFlush(
            parts: chunks.map { chunk in
                let keepsGathering = self.open[chunk.kind] === chunk
                return chunk.beginFlush(names: self.names, buffer: keepsGathering ? self.spares.take() : [])
            },
            positions: self.newPositions,
            held: self.newHeld,
            lastRead: self.lastRead,
            isFolderChanged: self.isFolderChanged,
            disk: self.disk,
            folder: self.names.chunks
        )
        self.newPositions.removeAll(keepingCapacity: true)
        self.newHeld.removeAll()
        self.flushingByteCount = self.gatheredByteCount
        self.gatheredByteCount = 0
        self.current = flush
        return flush
    }

    /// Chunks with something to write, by number.
    private var changedChunks: [OpenChunk] {
        (self.closing + self.open.values).filter(\.hasUnwritten).sorted { $0.number < $1.number }
    }

    /// Takes the outcome of a flush: what it wrote is durable and may be sent, or is in memory again.
    func finishFlush(_ flush: ChunkFlush) {
        precondition(self.current === flush, "the flush that is under way")
        self.current = nil
        self.isFolderChanged = flush.isFolderChanged
        self.failure = flush.failure
        if flush.failure == nil { self.commit(flush) } else { self.takeBack(flush) }
        self.flushingByteCount = 0
    }

    private func commit(_ flush: ChunkFlush) {
        for (source, position) in flush.positions {
            self.positions.sources[source] = position
            self.firstOffsets[source] = nil
        }
        for (read, section) in flush.held { self.positions.held.apply(section, of: read) }
        self.positions.wholeRead = max(self.positions.wholeRead, flush.lastRead)
        if !flush.positions.isEmpty || !flush.held.isEmpty { self.isPositionsFileOld = true }
        for part in flush.takeParts() {
            guard let chunk = self.chunk(part.chunk) else { continue }
            self.chunkByteCount += UInt64(part.bytes.count)
            self.spares.keep(chunk.commit(part))
        }
        let closing = self.closing
        self.closing.removeAll(keepingCapacity: true)
        for chunk in closing { self.closeFinished(chunk) }
        for chunk in Array(self.open.values) where chunk.byteCount >= self.byteCountMax(of: chunk) {
            if !chunk.hasUnwritten { self.close(chunk) }
        }
    }

    /// A chunk that takes frames or waits for its last ones to become durable.
    private func chunk(_ number: UInt64) -> OpenChunk? {
        self.closing.first { $0.number == number } ?? self.open.values.first { $0.number == number }
    }

    private func takeBack(_ flush: ChunkFlush) {
        // What came since is newer.
        self.newPositions.merge(flush.positions) { newer, _ in newer }
        self.newHeld = flush.held + self.newHeld
        self.gatheredByteCount += self.flushingByteCount
        for part in flush.takeParts() { self.chunk(part.chunk)?.takeBack(part) }
        if let number = flush.unsyncedChunk, let chunk = self.chunk(number) { self.abandon(chunk) }
    }

    /// Closes what an output could send now; everything in it is durable since the last flush.
    func closeWanted(_ isWanted: (OutputSet) -> Bool) {
        guard self.failure == nil else { return }
        for chunk in self.open.values.sorted(by: { $0.number < $1.number })
        where !chunk.hasUnwritten && !chunk.isFlushing && chunk.byteCount > 0 && isWanted(chunk.outputs) {
            self.close(chunk)
        }
    }

    /// After a failed sync the chunk's new bytes go to a new file.
    ///
    /// The system may have dropped pages, so that nothing that was not durable before can be trusted in the old one.
    private func abandon(_ chunk: OpenChunk) {
        let successor = self.makeChunk(of: chunk.kind)
        successor.takeUnwritten(of: chunk)
        if self.open[chunk.kind] === chunk {
            self.open[chunk.kind] = successor
        } else {
            self.closing.removeAll { $0 === chunk }
            self.closing.append(successor)
        }
        self.abandoned.append(chunk)
    }

    /// Cuts from abandoned files what their successors hold now, then treats them as any other.
    private func finishAbandoned() throws(FileSystemError) {
        while let chunk = self.abandoned.first {
            if chunk.byteCount > 0 {
                try chunk.cutUnwritten()
                self.closeFinished(chunk)
            } else {
                chunk.file?.close()
                let path = self.names.chunk(chunk.number)
                if try self.disk.status(path) != nil { try self.disk.remove(path) }
                try self.disk.syncDirectory(self.names.chunks)
            }
            self.abandoned.removeFirst()
        }
    }

    private func close(_ chunk: OpenChunk) {
        self.open[chunk.kind] = nil
        self.closeFinished(chunk)
    }

    private func closeFinished(_ chunk: OpenChunk) {
        chunk.file?.close()
        let closed = ClosedChunk(
            number: chunk.number,
            byteCount: chunk.byteCount,
            createdAtNanoseconds: chunk.header.createdAtNanoseconds,
            remaining: chunk.outputs
        )
        closed.ring = chunk.kind.ring
        if let content = chunk.content, self.cachedByteCount + content.count <= self.limits.cachedByteCountMax {
            closed.cached = content
            self.cachedByteCount += content.count
        } else if let content = chunk.content {
            self.spares.keep(content)
        }
        chunk.content = nil
        self.closed[chunk.number] = closed
        self.closedSinceCheckpoint += 1
        if closed.remaining.isEmpty {
            self.dropCached(closed)
            self.settled.append(closed)
        }
        self.chunkClosed(closed)
    }

    /// Looks at the free space of the disk, so that reading stops before writes fail.
    private func examineDisk() {
        do throws(FileSystemError) {
            self.isDiskLow = try self.disk.space(self.names.folder).free < self.limits.diskReserveByteCount
        } catch {
            // Unknown is not full: the writes themselves will tell.
            self.isDiskLow = false
        }
    }
}

// MARK: - Sending and deleting

extension ChunkStore {
    /// The frames of a chunk, from memory or disk.
    func load(_ chunk: ClosedChunk) throws(FileSystemError) -> LoadedChunk {
        if let cached = chunk.cached { return LoadedChunk(number: chunk.number, content: .memory(cached)) }
        let bytes = try self.disk.contents(self.names.chunk(chunk.number))
        return LoadedChunk(number: chunk.number, content: .disk(bytes))
    }

    /// Gives back memory that was kept for further flushes.
    func releaseSpareMemory() { self.spares.removeAll() }

    /// Gives the chunk's memory back; it stays on disk.
    func dropCached(_ chunk: ClosedChunk) {
        guard let cached = chunk.cached else { return }
        chunk.cached = nil
        self.cachedByteCount -= cached.count
        self.spares.keep(cached)
    }

    /// Says that an output is done with a chunk; the last one makes it deletable.
    func settle(_ chunk: ClosedChunk, by output: Int) {
        guard chunk.remaining.contains(output) else { return }
        chunk.remaining = chunk.remaining.subtracting(OutputSet(bits: 1 << UInt64(output)))
        guard chunk.remaining.isEmpty else { return }
        self.dropCached(chunk)
        if chunk.orphans.isEmpty { self.settled.append(chunk) }
    }

    /// Whether so many chunks wait for deletion, or were closed, that positions should be written now.
    var isCheckpointDue: Bool {
        self.settled.count >= self.limits.settledChunkCountMax
            || self.closedSinceCheckpoint >= self.limits.closedChunkCountMax
    }

    /// Whether a checkpoint would change anything.
    var needsCheckpoint: Bool { !self.settled.isEmpty || self.isPositionsFileOld }

    /// Writes the positions if they are newer than the file, then deletes the settled chunks.
    func checkpoint() throws(FileSystemError) {
        if self.isPositionsFileOld || !self.settled.isEmpty {
            let open = self.closing + self.open.values + self.abandoned
            self.positions.firstOpenChunk = open.map(\.number).min() ?? self.nextChunk
            try self.disk.replace(self.names.positions, with: PositionsFile.encode(self.positions))
            self.isPositionsFileOld = false
            self.closedSinceCheckpoint = 0
        }
        guard !self.settled.isEmpty else { return }
        for chunk in self.settled {
            let path = self.names.chunk(chunk.number)
            if try self.disk.status(path) != nil { try self.disk.remove(path) }
        }
        // Cursors may forget a chunk only when it cannot come back.
        try self.disk.syncDirectory(self.names.chunks)
        for chunk in self.settled {
            self.chunkRemoved(chunk.number)
            self.closed[chunk.number] = nil
            self.chunkByteCount -= min(self.chunkByteCount, UInt64(chunk.byteCount))
        }
        self.settled.removeAll(keepingCapacity: true)
    }
}
