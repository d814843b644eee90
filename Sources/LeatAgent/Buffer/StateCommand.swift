internal import Glibc
internal import LeatCore

/// `leat-agent state list|reset|replay`: shows and mends what is on disk, in words.
struct StateCommand {
    static let usage = """
        Usage: leat-agent state list   -c FILE
               leat-agent state reset  -c FILE --source PATH     forget how far PATH was read
               leat-agent state reset  -c FILE --output NAME     give up what waits for an output
               leat-agent state replay -c FILE --output NAME     send rejected events again
        """

    private let names: BufferFileNames
    private let outputNames: [String]
    private let disk: any FileSystem
    private let time: any TimeSource

    init(names: BufferFileNames, outputNames: [String], disk: any FileSystem, time: any TimeSource) {
        self.names = names
        self.outputNames = outputNames
        self.disk = disk
        self.time = time
    }

    // MARK: list

    /// What is on disk, as text.
    func list() throws(FileSystemError) -> String {
        guard try self.disk.status(self.names.chunks) != nil else { return "\(self.names.folder) holds no state\n" }
        var text = "state in \(self.names.folder)\n\nfiles:\n"
        var folders: [String: [FileKey: (path: String, byteCount: UInt64)]] = [:]
        for (_, position) in try self.positions().sources.sorted(by: { $0.value.path < $1.value.path }) {
            text += "  \(position.path)"
            if let status = try self.disk.status(position.path), status.inode == position.identity.inode {
                text += "  byte \(position.offset) of \(status.byteCount)"
            } else {
                // Rotated files stay in their folder under another name, as a rule.
                let folder = position.path.parentFolder
                if folders[folder] == nil { folders[folder] = try self.files(in: folder) }
                let found = folders[folder]?[FileKey(device: position.identity.device, inode: position.identity.inode)]
                text +=
                    found.map { ", now \($0.path)  byte \(position.offset) of \($0.byteCount)" }
                    ?? "  byte \(position.offset)"
            }
            text += Self.remarks(position) + "\n"
        }
        text += "\noutputs:\n"
        let chunks = try self.chunkHeaders()
        for name in Set(self.outputNames + chunks.flatMap(\.header.outputs)).sorted() {
            text += "  \(name): " + (try self.summary(of: name, chunks)) + "\n"
        }
        return text
    }

    /// The files of a folder, by what they are; none when there is no such folder.
    private func files(in folder: String) throws(FileSystemError) -> [FileKey: (path: String, byteCount: UInt64)] {
        guard folder.hasPrefix("/"), try self.disk.status(folder) != nil else { return [:] }
        var files: [FileKey: (path: String, byteCount: UInt64)] = [:]
        for name in try self.disk.list(folder) {
            let path = folder + "/" + name
            guard let status = try self.disk.status(path) else { continue }
            files[FileKey(status)] = (path, status.byteCount)
        }
        return files
    }

    private static func remarks(_ position: SourcePosition) -> String {
        var text = position.isFinished ? ", read to its end" : ""
        for start in position.pending { text += ", an unfinished event of \(start.stream) from byte \(start.offset)" }
        return text
    }

    private func summary(of name: String, _ chunks: [(header: ChunkHeader, byteCount: Int)]) throws(FileSystemError)
        -> String
    {
        let cursor = try self.cursor(name)
        let waiting = chunks.filter {
            $0.header.outputs.contains(name) && cursor.chunks[$0.header.number]?.isSettled != true
        }
        var text = "nothing waits"
        if !waiting.isEmpty {
            let bytes = waiting.reduce(0) { $0 + $1.byteCount }
            var events = 0
            for chunk in waiting { events += try self.waitingCount(chunk.header.number, cursor) }
            text = "\(Self.count(events, "event")) in \(Self.count(waiting.count, "chunk")) (\(bytes) bytes) wait"
            if !cursor.openBatches.isEmpty { text += ", \(Self.count(cursor.openBatches.count, "batch", "es")) begun" }
        }
        let path = self.names.deadLetter(name)
        if try self.disk.status(path) != nil {
            let count = try self.disk.contents(path).withUnsafeBytes { ByteSearch.count(UInt8(ascii: "\n"), in: $0) }
            text += "; \(Self.count(count, "event")) rejected, see \(path)"
        }
        return self.outputNames.contains(name) ? text : text + "; the configuration has no such output"
    }

    /// Events of a chunk that an output has not settled: in batches that have not ended, or in none.
    private func waitingCount(_ number: UInt64, _ cursor: OutputCursor) throws(FileSystemError) -> Int {
        let chunk = LoadedChunk(number: number, content: .disk(try self.disk.contents(self.names.chunk(number))))
        let begun = cursor.openBatches.filter { $0.chunk == number }.reduce(0) { $0 + $1.itemCount }
        guard let progress = cursor.chunks[number] else { return chunk.eventCount }
        return begun + (progress.isTaken ? 0 : max(0, chunk.eventCount - progress.taken))
    }

    /// `1 chunk`, `2 chunks`.
    static func count(_ number: Int, _ noun: String, _ ending: String = "s") -> String {
        "\(number) \(noun)\(number == 1 ? "" : ending)"
    }

    private func positions() throws(FileSystemError) -> Positions {
        guard try self.disk.status(self.names.positions) != nil else { return Positions() }
        return try self.disk.contents(self.names.positions).withUnsafeBytes { PositionsFile.decode($0) } ?? Positions()
    }

    private func chunkHeaders() throws(FileSystemError) -> [(header: ChunkHeader, byteCount: Int)] {
        var result: [(ChunkHeader, Int)] = []
        for number in try self.disk.list(self.names.chunks).compactMap(BufferFileNames.chunkNumber).sorted() {
            let bytes = try self.disk.contents(self.names.chunk(number))
            if let header = bytes.withUnsafeBytes({ ChunkHeader.read($0)?.header }) {
                result.append((header, bytes.count))
            }
        }
        return result
    }

    private func cursor(_ name: String) throws(FileSystemError) -> OutputCursor {
        try OutputCursor(
            output: name,
            names: self.names,
            limits: BufferLimits(),
            disk: self.disk,
            series: Series(high: SystemRandom.uint64(), low: SystemRandom.uint64())
        )
    }

    // MARK: reset and replay; the caller holds the lock

    private func open() throws(FileSystemError) -> (store: ChunkStore, cursors: [OutputCursor]) {
        var cursors: [OutputCursor] = []
        for name in self.outputNames { cursors.append(try self.cursor(name)) }
        let recovered = try BufferRecovery(
            disk: self.disk,
            names: self.names,
            outputNames: self.outputNames,
            chunksBegun: Set(cursors.flatMap { $0.chunks.keys })
        ).run()
        let store = ChunkStore(
            names: self.names,
            limits: BufferLimits(),
            disk: self.disk,
            time: self.time,
            outputNames: self.outputNames,
            recovered: recovered
        )
        store.chunkRemoved = { [cursors] number in for cursor in cursors { cursor.forget(chunk: number) } }
        return (store, cursors)
    }

    /// Forgets how far a path was read; the number of positions forgotten.
    func reset(source path: String) throws -> Int {
        let (store, _) = try self.open()
        let found = store.positions.sources.values.filter { $0.path == path }
        if found.isEmpty { throw Self.unknown("position of \(path)", store.positions.sources.values.map(\.path)) }
        for position in found { store.forget(source: position.source) }
        store.flush { _ in false }
        if let failure = store.failure { throw failure }
        try store.checkpoint()
        return found.count
    }

    /// Gives up what waits for an output; the number of chunks.
    func reset(output name: String) throws -> Int {
        let (store, cursors) = try self.open()
        guard let index = self.outputNames.firstIndex(of: name) else {
            let known = self.outputNames + store.closed.values.flatMap(\.orphans)
            guard known.contains(name) else { throw Self.unknown("output \(name)", known) }
            return try self.resetOrphans(name, store)
        }
        let chunks = store.closed.values.filter { $0.remaining.contains(index) }
        for chunk in chunks {
            try cursors[index].drop(chunk: chunk.number)
            store.settle(chunk, by: index)
        }
        try store.checkpoint()
        return chunks.count
    }

    /// Deletes chunks that wait only for an output that the configuration no longer has.
    private func resetOrphans(_ name: String, _ store: ChunkStore) throws(FileSystemError) -> Int {
        let chunks = store.closed.values.filter { $0.orphans == [name] && $0.remaining.isEmpty }
        for chunk in chunks { try self.disk.remove(self.names.chunk(chunk.number)) }
        return chunks.count
    }

    /// Puts the rejected events of an output into a new chunk and the file aside; the number of events.
    func replay(output name: String) throws -> Int {
        let path = self.names.deadLetter(name)
        guard let index = self.outputNames.firstIndex(of: name) else {
            throw Self.unknown("output \(name)", self.outputNames)
        }
        guard try self.disk.status(path) != nil else { return 0 }
        let (store, _) = try self.open()
        var set = OutputSet()
        set.insert(index)
        var events: [String: EventList] = [:]
        let paths = [BufferFileNames.older(path), path]
        for path in paths where try self.disk.status(path) != nil {
            try self.disk.contents(path).withUnsafeBytes { bytes in
                var splitter = LineSplitter(bytes)
                while let range = splitter.next() { Self.add(bytes.slice(range), to: &events) }
            }
        }
        let frames = events.map { ChunkStore.NewFrame(outputs: set, tag: RouteTag($0.key), events: $0.value) }
        store.append(frames, position: nil, startOffset: 0)
        store.flush { _ in true }
        if let failure = store.failure { throw failure }
        try store.checkpoint()
        for path in paths where try self.disk.status(path) != nil {
            try self.disk.rename(path, to: "\(path).replayed-\(self.time.now().seconds)")
        }
        try self.disk.syncDirectory(self.names.deadLetters)
        return events.values.reduce(0) { $0 + $1.count }
    }

    private static func unknown(_ what: String, _ known: [String]) -> AgentError {
        let names = Set(known).sorted()
        return AgentError(
            code: 66,
            text: "no \(what); known: \(names.isEmpty ? "none" : names.joined(separator: ", "))"
        )
    }

    /// Takes a dead letter apart; lines that are none are left out.
    private static func add(_ line: UnsafeRawBufferPointer, to events: inout [String: EventList]) {
        var tag: String?
        var time: Int64?
        var record: UnsafeRawBufferPointer?
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(line)
            while let member = try scanner.next() {
                let key = line.slice(member.rawKey)
                if key.isEqual(to: "tag") {
                    tag = String(decoding: scanner.text(of: member), as: UTF8.self)
                } else if key.isEqual(to: "time") {
                    time = TimestampParser.parse(String(decoding: scanner.text(of: member), as: UTF8.self))?.nanoseconds
                } else if key.isEqual(to: "record"), member.kind == .object {
                    record = line.slice((member.value.lowerBound + 1)..<(member.value.upperBound - 1))
                }
            }
        } catch {
            return
        }
        guard let tag, let time, let record else { return }
        events[tag, default: EventList()].append(time: time, members: record)
    }
}
