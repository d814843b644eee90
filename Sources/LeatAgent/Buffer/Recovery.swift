internal import LeatCore

/// What a start finds in the state folder, after torn ends were cut and damage put aside.
struct RecoveredBuffer {
    var positions = Positions()
    var nextChunk: UInt64 = 1
    /// Chunks in the order of their numbers.
    var chunks: [ClosedChunk] = []
    /// What was found and done, for the log.
    var notes: [String] = []
    /// Bytes that were damaged.
    var damagedByteCount = 0
}

/// Reads the state folder after a stop, a crash or a loss of power.
///
/// Chunks that were open at the last checkpoint, or made since, are read whole: a torn end is cut at the last whole
/// frame, frames of reads that are not complete are cut out, and the frames' positions are newer than the file's.
/// Older chunks are not even opened.
struct BufferRecovery {
    let disk: any FileSystem
    let names: BufferFileNames
    /// Names of the outputs of the configuration, by number.
    let outputNames: [String]
    /// Chunks that an output has begun to send: they were closed, so that a bad frame in them is damage, not a torn end.
    let chunksBegun: Set<UInt64>

    private final class Scan {
        let number: UInt64
        var header: ChunkHeader
        var bytes: [UInt8]
        var frames: [(range: Range<Int>, frame: EventFrame)] = []
        var damages: [Range<Int>] = []

        init(number: UInt64, header: ChunkHeader, bytes: [UInt8]) {
            self.number = number
            self.header = header
            self.bytes = bytes
        }
    }

    func run() throws(FileSystemError) -> RecoveredBuffer {
        for folder in [
            self.names.folder, self.names.chunks, self.names.cursors, self.names.deadLetters, self.names.quarantine,
        ] {
            try self.disk.createDirectory(folder)
        }
        // The folders must not vanish with what is made durable in them.
        try self.disk.syncDirectory(self.names.folder)
        try self.disk.syncDirectory(self.names.folder.parentFolder)
        var result = RecoveredBuffer()
        result.positions = try self.readPositions(&result)
        let numbers = try self.disk.list(self.names.chunks).compactMap(BufferFileNames.chunkNumber).sorted()
        result.nextChunk = max(result.positions.firstOpenChunk, (numbers.last ?? 0) + 1)
        var scans: [Scan] = []
        for number in numbers {
            if number < result.positions.firstOpenChunk {
                try self.addWithoutScan(number, to: &result)
            } else if let scan = try self.scan(number, &result) {
                scans.append(scan)
            }
        }
        let cut = self.incompleteReads(scans, result.positions)
        self.advance(&result.positions, scans, cut: cut)
        // Before any read is cut: should the next start find only a part of them, it sees the gap.
        if !cut.isEmpty { try self.disk.replace(self.names.positions, with: PositionsFile.encode(result.positions)) }
        for scan in scans {
            try self.repair(scan, cut: cut, &result)
        }
        // Names that a killed process made need not be durable yet.
        try self.disk.syncDirectory(self.names.chunks)
        result.chunks.sort { $0.number < $1.number }
        return result
    }

    private func readPositions(_ result: inout RecoveredBuffer) throws(FileSystemError) -> Positions {
        guard try self.disk.status(self.names.positions) != nil else { return Positions() }
        let bytes = try self.disk.contents(self.names.positions)
        if let positions = bytes.withUnsafeBytes({ PositionsFile.decode($0) }) { return positions }
        // It is replaced atomically, so that only a failing disk gets here. Frames still say what they say.
        try self.quarantine(bytes.array, as: "positions", &result)
        result.notes.append("\(self.names.positions) is damaged; files are read from where the chunks say")
        return Positions()
    }

    /// A chunk that was closed before the last checkpoint.
    private func addWithoutScan(_ number: UInt64, to result: inout RecoveredBuffer) throws(FileSystemError) {
        let path = self.names.chunk(number)
        let file = try self.disk.open(path, .read)
        defer { file.close() }
        let byteCount = Int(try file.status().byteCount)
        let head = UnsafeMutableRawBufferPointer.allocate(byteCount: min(byteCount, 8_192), alignment: 8)
        defer { head.deallocate() }
        let count = try file.read(at: 0, into: head)
        guard let header = ChunkHeader.read(UnsafeRawBufferPointer(rebasing: head[..<count])) else {
            return try self.setAside(number, &result)
        }
        result.chunks.append(self.chunk(header.header, byteCount: byteCount))
    }

    private func chunk(_ header: ChunkHeader, byteCount: Int) -> ClosedChunk {
        var remaining = OutputSet()
        var orphans: [String] = []
        for name in header.outputs {
            if let index = self.outputNames.firstIndex(of: name) {
                remaining.insert(index)
            } else {
                orphans.append(name)
            }
        }
        let chunk = ClosedChunk(
            number: header.number,
            byteCount: byteCount,
            createdAtNanoseconds: header.createdAtNanoseconds,
            remaining: remaining,
            orphans: orphans
        )
        chunk.isRecovered = true
        return chunk
    }

    /// Moves a chunk without a readable header out of the way.
    private func setAside(_ number: UInt64, _ result: inout RecoveredBuffer) throws(FileSystemError) {
        let path = self.names.chunk(number)
        let target = self.names.quarantine + "/" + path.lastPathComponent
        try self.disk.rename(path, to: target)
        result.notes.append("\(path) has no readable header; moved to \(target)")
    }

    private func scan(_ number: UInt64, _ result: inout RecoveredBuffer) throws(FileSystemError) -> Scan? {
        let path = self.names.chunk(number)
        let bytes = try self.disk.contents(path).array
        guard let header = bytes.withUnsafeBytes({ ChunkHeader.read($0) }) else {
            // A crash before the first sync leaves an empty or torn header and nothing behind it.
            let hasFrame = bytes.withUnsafeBytes { Frame.find($0, from: 0) } != nil
            if hasFrame { try self.setAside(number, &result) } else { try self.disk.remove(path) }
            return nil
        }
        let scan = Scan(number: number, header: header.header, bytes: bytes)
        bytes.withUnsafeBytes { bytes in
            var offset = header.byteCount
            while offset < bytes.count {
                if let found = Frame.read(bytes, at: offset), let frame = EventFrame(bytes, payload: found.payload) {
                    scan.frames.append((offset..<found.next, frame))
                    offset = found.next
                } else {
                    let next = Frame.find(bytes, from: offset + 1) ?? bytes.count
                    scan.damages.append(offset..<next)
                    offset = next
                }
            }
        }
        return scan
    }

    /// Numbers of the reads whose frames must be cut: a frame is missing, or an earlier read of that source, or an earlier
    /// change of the events that filters hold back.
    ///
    /// A chunk that an output has begun was closed after a complete flush, so that the reads in it are whole, whatever
    /// has become of their other frames.
    private func incompleteReads(_ scans: [Scan], _ positions: Positions) -> Set<UInt64> {
        var check = ReadCheck(positions)
        for (read, found) in self.reads(scans).sorted(by: { $0.key < $1.key }) { check.take(read, found) }
        return check.cut
    }

    /// What the scans found of each read.
    private func reads(_ scans: [Scan]) -> [UInt64: ReadCheck.Found] {
        var reads: [UInt64: ReadCheck.Found] = [:]
        for scan in scans {
            for (_, frame) in scan.frames {
                var found = reads[frame.head.read] ?? ReadCheck.Found(head: frame.head)
                found.frameCount += 1
                if self.chunksBegun.contains(scan.number) { found.isBegun = true }
                found.held = found.held ?? frame.held
                reads[frame.head.read] = found
            }
        }
        return reads
    }

    /// Writes a chunk anew without its torn end and cut frames, and puts damaged bytes aside.
    private func repair(_ scan: Scan, cut: Set<UInt64>, _ result: inout RecoveredBuffer) throws(FileSystemError) {
        let path = self.names.chunk(scan.number)
        let isBegun = self.chunksBegun.contains(scan.number)
        // Nothing whole behind it: a write that a crash interrupted.
        let tornEnd = isBegun ? nil : scan.damages.last.flatMap { $0.upperBound == scan.bytes.count ? $0 : nil }
        for damage in scan.damages where damage != tornEnd {
            result.damagedByteCount += damage.count
            try self.quarantine(
                Array(scan.bytes[damage]),
                as: "\(path.lastPathComponent)-\(damage.lowerBound)",
                &result
            )
            result.notes.append("\(path) is damaged at byte \(damage.lowerBound): \(damage.count) bytes are no frame")
        }
        let kept = scan.frames.filter { !cut.contains($0.frame.head.read) || isBegun }
        var byteCount = scan.bytes.count
        if kept.count < scan.frames.count || tornEnd != nil {
            if kept.isEmpty {
                try self.disk.remove(path)
                return
            }
            var bytes = scan.header.encode()
            for (range, _) in kept { bytes.append(contentsOf: scan.bytes[range]) }
            try self.disk.replace(path, with: bytes)
            byteCount = bytes.count
        } else if !isBegun {
            // Written before the crash, but perhaps not synced.
            let file = try self.disk.open(path, .readWrite)
            defer { file.close() }
            try file.sync()
        }
        result.chunks.append(self.chunk(scan.header, byteCount: byteCount))
    }

    /// Takes the frames' positions over where they are newer; a source of which only cut reads are known begins where it
    /// was durable before the first of them.
    private func advance(_ positions: inout Positions, _ scans: [Scan], cut: Set<UInt64>) {
        let frames = scans.flatMap { $0.frames.map(\.frame) }.sorted { $0.head.read < $1.head.read }
        for frame in frames where cut.contains(frame.head.read) {
            guard var position = frame.head.position, positions.sources[position.source] == nil else { continue }
            position.offset = frame.head.durableOffset
            position.marker = .none
            position.pending = []
            position.isInsideCutLine = false
            position.read = 0
            positions.sources[position.source] = position
        }
        for frame in frames {
            let read = frame.head.read
            positions.sequence = max(positions.sequence, read)
            if let position = frame.head.position { positions.sequence = max(positions.sequence, position.source) }
            if cut.contains(read) { continue }
            if let held = frame.held, read > positions.held.read { positions.held.apply(held, of: read) }
            guard let position = frame.head.position else { continue }
            if let known = positions.sources[position.source], known.read >= position.read { continue }
            positions.sources[position.source] = position
        }
    }

    private func quarantine(_ bytes: [UInt8], as name: String, _ result: inout RecoveredBuffer) throws(FileSystemError)
    {
        try self.disk.replace(self.names.quarantine + "/" + name, with: bytes)
    }
}
