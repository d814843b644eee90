internal import LeatCore

// What outputs send from, and what goes when they have settled it.
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
    ///
    /// While inputs wait for room, each settled chunk makes some.
    var isCheckpointDue: Bool {
        self.settled.count >= self.limits.settledChunkCountMax
            || self.closedSinceCheckpoint >= self.limits.closedChunkCountMax
            || !self.settled.isEmpty && self.fullness?.endsWithDelivery == true
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
        self.examineDisk()
    }
}
