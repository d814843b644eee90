internal import LeatCore

// Making durable what gathered.
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
        self.examineDisk()
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
}
