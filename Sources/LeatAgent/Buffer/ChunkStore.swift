internal import LeatCore

/// The disk buffer: gathers frames into chunks, makes them durable, and keeps each chunk until every output has settled it.
///
/// `append` only copies into memory; `flush` writes and syncs what gathered, all chunks or none. Only then may a chunk be
/// closed, so that what is sent is always on disk and belongs to reads all of whose frames are. Positions follow the
/// same rule: `positions` holds what the last complete flush made durable.
///
/// When the disk fails, nothing is forgotten: the events stay in memory, `isFull` stops the inputs, and the next
/// flush tries again.
final class ChunkStore {
    /// Events of one route tag for one set of outputs.
    struct NewFrame {
        let outputs: OutputSet
        let tag: RouteTag
        let events: EventList
    }

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

    private var open: [OutputSet: OpenChunk] = [:]
    /// Chunks whose sync failed.
    private var abandoned: [OpenChunk] = []
    /// Whether a new chunk's name may not be durable yet.
    private var isFolderChanged = false
    private var spareBuffers: [[UInt8]] = []
    private var newPositions: [UInt64: SourcePosition?] = [:]
    private var settled: [ClosedChunk] = []
    private var nextChunk: UInt64
    private var closedSinceCheckpoint = 0
    private var isPositionsFileOld = false
    private var cachedByteCount = 0

    /// Bytes of all chunks on disk.
    private(set) var chunkByteCount: UInt64 = 0

    /// Bytes of events that are only in memory.
    private(set) var unwrittenByteCount = 0

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
        self.nextChunk = recovered.nextChunk
        for chunk in recovered.chunks {
            self.closed[chunk.number] = chunk
            self.chunkByteCount += UInt64(chunk.byteCount)
        }
        self.isPositionsFileOld = true
        self.settled = recovered.chunks.filter { $0.remaining.isEmpty && $0.orphans.isEmpty }
    }

    /// Whether inputs must stop reading: the buffer in memory or the disk is full.
    var isFull: Bool {
        self.unwrittenByteCount >= self.limits.unwrittenByteCountMax || self.isDiskLow || self.failure != nil
            || self.limits.chunksByteCountMax.map { self.chunkByteCount >= $0 } == true
    }

    /// Whether so much has gathered that it should be flushed now.
    var isFlushDue: Bool { self.unwrittenByteCount >= self.limits.flushByteCount }

    /// Whether a flush would change anything.
    var needsFlush: Bool { self.unwrittenByteCount > 0 || !self.newPositions.isEmpty || !self.abandoned.isEmpty }

    /// A number for a source or a read that was never given before.
    func nextSequence() -> UInt64 {
        self.positions.sequence += 1
        return self.positions.sequence
    }

    /// Takes the events of one read, and how far the source was read with it.
    func append(_ frames: [NewFrame], position: SourcePosition?, startOffset: UInt64) {
        var position = position
        let read = self.nextSequence()
        position?.read = read
        for frame in frames {
            let head = EventFrameHead(
                read: read,
                frameCount: frames.count,
                tag: frame.tag.bytes,
                position: position,
                startOffset: startOffset
            )
            let chunk = self.openChunk(for: frame.outputs)
            let before = chunk.unwritten.count
            Frame.append(to: &chunk.unwritten) { head.encode(frame.events, to: &$0) }
            self.unwrittenByteCount += chunk.unwritten.count - before
        }
        if let position { self.newPositions[position.source] = .some(position) }
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

    private func openChunk(for outputs: OutputSet) -> OpenChunk {
        if let chunk = self.open[outputs] { return chunk }
        let chunk = OpenChunk(
            header: ChunkHeader(
                number: self.nextChunk,
                createdAtNanoseconds: self.time.now().nanoseconds,
                outputs: outputs.indices.map { self.outputNames[$0] }
            ),
            outputs: outputs,
            buffer: self.spareBuffers.popLast() ?? []
        )
        self.nextChunk += 1
        self.open[outputs] = chunk
        return chunk
    }
}

// MARK: - Making durable

extension ChunkStore {
    /// Writes and syncs everything that gathered, then closes the chunks that an output waits for or that are long
    /// enough.
    ///
    /// `isWanted` says whether an output of the set could send the chunk now. After an error everything is still in
    /// memory and `failure` is set.
    func flush(isWanted: (OutputSet) -> Bool) {
        self.examineDisk()
        let chunks: [OpenChunk]
        do throws(FileSystemError) {
            try self.finishAbandoned()
            chunks = self.open.values.sorted { $0.number < $1.number }
            for chunk in chunks where chunk.hasUnwritten {
                if try chunk.write(to: self.disk, names: self.names) { self.isFolderChanged = true }
            }
            for chunk in chunks where chunk.hasUnwritten { try self.sync(chunk) }
            if self.isFolderChanged { try self.disk.syncDirectory(self.names.chunks) }
            self.isFolderChanged = false
        } catch {
            self.failure = error
            return
        }
        self.failure = nil
        self.unwrittenByteCount = 0
        for (source, position) in self.newPositions { self.positions.sources[source] = position }
        if !self.newPositions.isEmpty { self.isPositionsFileOld = true }
        self.newPositions.removeAll(keepingCapacity: true)
        for chunk in chunks {
            self.chunkByteCount += UInt64(chunk.commit())
            let isLong = chunk.byteCount >= self.limits.chunkByteCountMax
            if isLong || isWanted(chunk.outputs) { self.close(chunk) }
        }
    }

    /// Closes what an output could send now; everything in it is durable since the last flush.
    func closeWanted(_ isWanted: (OutputSet) -> Bool) {
        guard self.failure == nil else { return }
        for chunk in self.open.values.sorted(by: { $0.number < $1.number })
        where !chunk.hasUnwritten && chunk.byteCount > 0 && isWanted(chunk.outputs) {
            self.close(chunk)
        }
    }

    /// Syncs a chunk; after a failure its new bytes go to a new file.
    ///
    /// The system may have dropped pages, so that nothing that was not durable before can be trusted in the old one.
    private func sync(_ chunk: OpenChunk) throws(FileSystemError) {
        do throws(FileSystemError) {
            try chunk.file?.sync()
        } catch {
            self.open[chunk.outputs] = nil
            let successor = self.openChunk(for: chunk.outputs)
            successor.takeUnwritten(of: chunk)
            self.abandoned.append(chunk)
            throw error
        }
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
        self.open[chunk.outputs] = nil
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
        if let content = chunk.content, self.cachedByteCount + content.count <= self.limits.cachedByteCountMax {
            closed.cached = content
            self.cachedByteCount += content.count
        } else if let content = chunk.content {
            self.keepSpare(content)
        }
        chunk.content = nil
        self.closed[chunk.number] = closed
        self.closedSinceCheckpoint += 1
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

    private func keepSpare(_ buffer: [UInt8]) {
        guard self.spareBuffers.count < 2, buffer.capacity <= 4 * self.limits.flushByteCount else { return }
        var buffer = buffer
        buffer.removeAll(keepingCapacity: true)
        self.spareBuffers.append(buffer)
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

    /// Gives the chunk's memory back; it stays on disk.
    func dropCached(_ chunk: ClosedChunk) {
        guard let cached = chunk.cached else { return }
        chunk.cached = nil
        self.cachedByteCount -= cached.count
        self.keepSpare(cached)
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
            let open = Array(self.open.values) + self.abandoned
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
