internal import LeatCore

/// How far one output has come: which batches it began and ended, in a log of its own.
///
///      0       4       8                            8+n     12+n
///      ├───────┼───────┼────────────────────────────┼───────┤
///      │"LFRM" │   n   │ kind u8 · fields           │ crc32c│     the framing of chunks, see `Frame`
///      └───────┴───────┴────────────────────────────┴───────┘
///
///      1 begin      batch                            durable before the batch is first sent
///      2 end        key · count u16 · batch*         one entry, so that what must go again is never lost or doubled
///      3 progress   chunk u64 · taken u32 · ends u8  written when the log is rewritten, and when a chunk is dropped
///
/// A torn end is cut: an `end` that is lost means that the same batch is sent again under its old key.
final class OutputCursor {
    /// What became of a chunk.
    struct Progress: Hashable {
        /// Events before this number are in batches, or done.
        var taken = 0
        /// Whether no event is left for a further batch.
        var isTaken = false
        /// Batches that have not ended.
        var openBatchCount = 0

        var isSettled: Bool { self.isTaken && self.openBatchCount == 0 }
    }

    private enum Kind {
        static let begin: UInt8 = 1
        static let end: UInt8 = 2
        static let progress: UInt8 = 3
    }

    /// The output's name.
    let output: String

    /// Batches that were begun and have not ended, in the order in which they were begun.
    private(set) var openBatches: [OutputBatch] = []

    /// Chunks that were begun.
    private(set) var chunks: [UInt64: Progress] = [:]

    private let disk: any FileSystem
    private let path: String
    private let series: Series
    private let byteCountMax: Int
    private var lastNumber: UInt64 = 0
    private var file: (any File)?
    private var byteCount: UInt64 = 0

    /// Reads the log; `series` is new with each start.
    init(output: String, names: BufferFileNames, limits: BufferLimits, disk: any FileSystem, series: Series)
        throws(FileSystemError)
    {
        self.output = output
        self.path = names.cursor(output)
        self.disk = disk
        self.series = series
        self.byteCountMax = limits.cursorByteCountMax
        try disk.createDirectory(names.cursors)
        guard try disk.status(self.path) != nil else { return }
        let bytes = try disk.contents(self.path)
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            while let found = Frame.read(bytes, at: offset) {
                self.replay(UnsafeRawBufferPointer(rebasing: bytes[found.payload]))
                offset = found.next
            }
        }
    }

    private func replay(_ payload: UnsafeRawBufferPointer) {
        var reader = FieldReader(payload)
        switch reader.integer(UInt8.self) {
        case Kind.begin:
            if let batch = OutputBatch(from: &reader) { self.noteBegin(batch) }
        case Kind.end:
            guard let key = BatchKey(from: &reader), let count = reader.integer(UInt16.self) else { return }
            var successors: [OutputBatch] = []
            for _ in 0..<count {
                if let batch = OutputBatch(from: &reader) { successors.append(batch) }
            }
            self.noteEnd(key, successors)
        case Kind.progress:
            guard let chunk = reader.integer(UInt64.self), let taken = reader.integer(UInt32.self),
                let ends = reader.integer(UInt8.self)
            else { return }
            self.noteProgress(chunk, taken: Int(taken), isTaken: ends != 0)
        default:
            // An entry of a later version says nothing that this one could act on.
            return
        }
    }
}

// MARK: - What happens

extension OutputCursor {
    /// The key of the batch that would be begun next.
    private func nextKey() -> BatchKey {
        self.lastNumber += 1
        return BatchKey(series: self.series, number: self.lastNumber)
    }

    /// Begins a batch of events that were in none before; durable when this returns.
    func begin(chunk: UInt64, items: Range<Int>, endsChunk: Bool, digest: Digest128) throws(FileSystemError)
        -> OutputBatch
    {
        let batch = OutputBatch(key: self.nextKey(), digest: digest, chunk: chunk, items: [items], endsChunk: endsChunk)
        do throws(FileSystemError) {
            try self.append { payload in
                payload.append(Kind.begin)
                batch.encode(to: &payload)
            }
            try self.sync()
        } catch {
            // Never sent, so that the number is free again.
            self.lastNumber -= 1
            throw error
        }
        self.noteBegin(batch)
        return batch
    }

    /// Ends a batch, and in the same entry begins those that carry what must go again.
    ///
    /// Durable when this returns if there are such; else the entry may be lost, and the batch is sent again under its key.
    func end(_ batch: OutputBatch, again: [(items: [Range<Int>], digest: Digest128)]) throws(FileSystemError)
        -> [OutputBatch]
    {
        let lastNumber = self.lastNumber
        let successors = again.map { part in
            OutputBatch(
                key: self.nextKey(),
                digest: part.digest,
                chunk: batch.chunk,
                items: part.items,
                endsChunk: batch.endsChunk
            )
        }
        do throws(FileSystemError) {
            try self.append { payload in
                payload.append(Kind.end)
                payload.appendInteger(batch.key.series.high)
                payload.appendInteger(batch.key.series.low)
                payload.appendInteger(batch.key.number)
                payload.appendInteger(UInt16(successors.count))
                for successor in successors { successor.encode(to: &payload) }
            }
            if !successors.isEmpty { try self.sync() }
        } catch {
            self.lastNumber = lastNumber
            throw error
        }
        self.noteEnd(batch.key, successors)
        return successors
    }

    /// Gives a chunk up without sending the rest of it; none of its batches may be on its way.
    func drop(chunk: UInt64) throws(FileSystemError) {
        // Else the batches would be open again after the next start.
        for batch in self.openBatches where batch.chunk == chunk { _ = try self.end(batch, again: []) }
        let taken = self.chunks[chunk]?.taken ?? 0
        try self.append { Self.encodeProgress(chunk, Progress(taken: taken, isTaken: true), to: &$0) }
        self.noteProgress(chunk, taken: taken, isTaken: true)
    }

    /// Forgets a chunk that is no longer there.
    func forget(chunk: UInt64) {
        self.chunks[chunk] = nil
        self.openBatches.removeAll { $0.chunk == chunk }
    }

    /// Forgets all chunks that a start did not find.
    func keepOnly(chunks: Set<UInt64>) {
        for chunk in self.chunks.keys where !chunks.contains(chunk) { self.forget(chunk: chunk) }
    }

    private func noteBegin(_ batch: OutputBatch) {
        self.openBatches.append(batch)
        var progress = self.chunks[batch.chunk] ?? Progress()
        progress.taken = max(progress.taken, batch.items.last?.upperBound ?? 0)
        progress.isTaken = progress.isTaken || batch.endsChunk
        progress.openBatchCount += 1
        self.chunks[batch.chunk] = progress
    }

    private func noteEnd(_ key: BatchKey, _ successors: [OutputBatch]) {
        guard let index = self.openBatches.firstIndex(where: { $0.key == key }) else { return }
        let ended = self.openBatches.remove(at: index)
        self.chunks[ended.chunk]?.openBatchCount -= 1
        for successor in successors { self.noteBegin(successor) }
    }

    private func noteProgress(_ chunk: UInt64, taken: Int, isTaken: Bool) {
        var progress = self.chunks[chunk] ?? Progress()
        progress.taken = max(progress.taken, taken)
        progress.isTaken = progress.isTaken || isTaken
        self.chunks[chunk] = progress
    }
}

// MARK: - The log

extension OutputCursor {
    private static func encodeProgress(_ chunk: UInt64, _ progress: Progress, to payload: inout [UInt8]) {
        payload.append(Kind.progress)
        payload.appendInteger(chunk)
        payload.appendInteger(UInt32(progress.taken))
        payload.appendInteger(UInt8(progress.isTaken ? 1 : 0))
    }

    private func append(_ body: (inout [UInt8]) -> Void) throws(FileSystemError) {
        if self.file == nil || self.byteCount > UInt64(self.byteCountMax) { try self.rewrite() }
        guard let file = self.file else { return }
        var bytes: [UInt8] = []
        Frame.append(to: &bytes, body)
        do throws(FileSystemError) {
            try file.write([ByteSlice(bytes)], at: self.byteCount)
        } catch {
            // The half of an entry must not stand before the next one.
            try file.truncate(to: self.byteCount)
            throw error
        }
        self.byteCount += UInt64(bytes.count)
    }

    private func sync() throws(FileSystemError) {
        do throws(FileSystemError) {
            try self.file?.sync()
        } catch {
            // What was written since the last sync may be gone; the next entry goes to a new file.
            self.file?.close()
            self.file = nil
            throw error
        }
    }

    /// Writes the log anew with only what still counts, and opens it.
    private func rewrite() throws(FileSystemError) {
        var bytes: [UInt8] = []
        for (chunk, progress) in self.chunks.sorted(by: { $0.key < $1.key }) {
            Frame.append(to: &bytes) { Self.encodeProgress(chunk, progress, to: &$0) }
        }
        for batch in self.openBatches {
            Frame.append(to: &bytes) { payload in
                payload.append(Kind.begin)
                batch.encode(to: &payload)
            }
        }
        self.file?.close()
        self.file = nil
        try self.disk.replace(self.path, with: bytes)
        self.file = try self.disk.open(self.path, .readWrite)
        self.byteCount = UInt64(bytes.count)
    }
}
