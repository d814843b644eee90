internal import LeatCore

/// Takes over the events that Fluent Bit has left in the folder of its buffer, so that a switch loses none of them.
///
/// Each file counts as a source: its position says that its events are in our chunks. Only then is the file removed, so
/// that a crash between the two neither repeats nor loses it. Filters have seen the events already.
final class BacklogInput: Input {
    /// What positions of files begin with, so that no other input takes them for its own.
    static let pathPrefix = "fluent-bit-chunk:"

    /// Files of others are as large as they like; Fluent Bit's are 2 MB.
    private static let fileByteCountMax: UInt64 = 256 << 20

    private let checksSums: Bool
    private let removesDamaged: Bool
    private let disk: any FileSystem
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    /// Files that are to be read, oldest first.
    private var files: ArraySlice<String>
    /// Files whose events were taken in an earlier run, by path.
    private var taken: [String: UInt64] = [:]
    private var isStopping = false

    init(
        files: [String],
        service: Settings,
        disk: any FileSystem,
        counters: InputCounters,
        sink: any InputSink,
        known: [SourcePosition],
        loop: EventLoop,
        log: AgentLog
    ) {
        self.files = files[...]
        self.checksSums = service.flag("storage.checksum")
        self.removesDamaged = service.flag("storage.delete_irrecoverable_chunks")
        self.disk = disk
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.log = log
        for position in known where position.path.hasPrefix(Self.pathPrefix) {
            self.taken[String(position.path.dropFirst(Self.pathPrefix.count))] = position.source
        }
    }

    /// The chunk files in the folders of a `storage.path`, oldest first.
    static func files(in folder: String, disk: any FileSystem) throws(FileSystemError) -> [String] {
        guard try disk.status(folder)?.kind == .directory else { return [] }
        var found: [(made: [Int], path: String)] = []
        for stream in try disk.list(folder) {
            let path = "\(folder)/\(stream)"
            guard try disk.status(path)?.kind == .directory else { continue }
            for name in try disk.list(path) where name.hasSuffix(".flb") {
                // `PROCESS-SECONDS.NANOSECONDS.flb`
                let made = name.dropLast(4).split { $0 == "-" || $0 == "." }.dropFirst().compactMap { Int($0) }
                found.append((made, "\(path)/\(name)"))
            }
        }
        return found.sorted { $0.made.lexicographicallyPrecedes($1.made) }.map(\.path)
    }

    var hasBacklog: Bool { !self.files.isEmpty && !self.isStopping }

    func start() throws(InputError) {
        for (path, source) in self.taken where !self.files.contains(path) { self.sink.forget(source: source) }
        if !self.files.isEmpty {
            self.log.write(.info, "\(self.files.count) chunks that Fluent Bit has left are taken over")
        }
        self.loop.enqueue { [weak self] in self?.takeNext() }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.takeNext()
    }

    func stop() { self.isStopping = true }

    /// One file a turn, so that other inputs have theirs.
    private func takeNext() {
        guard !self.isStopping else { return }
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            return
        }
        guard let path = self.files.popFirst() else { return self.sink.caughtUp() }
        do throws(FileSystemError) {
            try self.take(path)
        } catch {
            self.log.write(.error, "\(error); its events stay there until the next start")
        }
        self.loop.enqueue { [weak self] in self?.takeNext() }
    }

    private func take(_ path: String) throws(FileSystemError) {
        if let source = self.taken[path] {
            self.removeWhenDurable(path, source: source)
            return
        }
        guard let status = try self.disk.status(path), status.kind == .regular,
            status.byteCount <= Self.fileByteCountMax
        else { return }
        let bytes = try self.disk.contents(path)
        self.counters.readBytes += UInt64(bytes.count)
        do throws(FluentBitChunk.Failure) {
            let chunk = try bytes.withUnsafeBytes { bytes throws(FluentBitChunk.Failure) in
                try FluentBitChunk(bytes, checksSum: self.checksSums, now: self.loop.time.now())
            }
            let position = SourcePosition(
                source: self.sink.newSource(),
                path: Self.pathPrefix + path,
                identity: FileIdentity(device: status.device, inode: status.inode, prefixByteCount: 0, prefixDigest: 0),
                offset: status.byteCount,
                marker: .none,
                isFinished: true
            )
            var read = InputRead(tag: self.sink.routeTag(chunk.tag), events: chunk.events, position: position)
            read.isFiltered = true
            self.sink.accept(read, from: self.counters)
            self.removeWhenDurable(path, source: position.source)
        } catch {
            try self.report(error, path)
        }
    }

    private func removeWhenDurable(_ path: String, source: UInt64) {
        self.sink.whenDurable { [weak self] in
            guard let self else { return }
            do throws(FileSystemError) {
                try self.disk.remove(path)
                self.sink.forget(source: source)
            } catch {
                self.log.write(.warning, "\(error); its events were taken over")
            }
        }
    }

    private func report(_ failure: FluentBitChunk.Failure, _ path: String) throws(FileSystemError) {
        switch failure {
        case .otherType: self.log.write(.warning, "\(path) holds metrics or traces and is left where it is")
        case .damaged(let reason):
            if self.removesDamaged { try self.disk.remove(path) }
            self.log.write(.error, "\(path): \(reason); \(self.removesDamaged ? "removed" : "left where it is")")
        }
    }
}
