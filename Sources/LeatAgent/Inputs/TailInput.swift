internal import LeatCore

/// `[INPUT] tail`: follows files, whatever is done to them, and hands their lines on.
///
/// `PathFinder` says which names exist, `TailFileState` decides what happens to a file, and this acts. Files that have
/// something to read wait in a queue and take turns of one read each; nothing is read while the buffer is full.
final class TailInput: Input {
    /// Reads in one turn of the loop, so that outputs and timers get their turns too.
    private static let readsPerTurn = 4

    let options: TailOptions
    let counters: InputCounters
    let disk: any FileSystem
    unowned let sink: any InputSink
    let log: AgentLog

    private let loop: EventLoop
    private let watch: FolderWatch
    private let finder: PathFinder
    private var reader: TailReader
    private let templates: LineTemplates
    /// Files with unfinished events that a timeout ends.
    private var held: [ObjectIdentifier: TailFile] = [:]

    /// Open files by device and inode.
    var files: [FileKey: TailFile] = [:]
    /// The newest file of each followed path, attached or not.
    var newest: [String: TailFile] = [:]
    /// What earlier runs knew of files that are not open now.
    private var known: TailResume
    /// Where changes of a file's bytes are reported.
    private var places: [UInt64: TailFile] = [:]
    /// Files that are detached, or wait for one that is: they are looked at every second.
    private var restless: [ObjectIdentifier: TailFile] = [:]
    private var queue: [TailFile] = []
    private var queueHead = 0
    private var isTurnPlanned = false
    private var isStopped = false
    private var isFirstScan = true
    private var tick: TimerQueue.ID?
    private var secondsSinceScan = 0

    init(
        options: TailOptions,
        counters: InputCounters,
        sink: any InputSink,
        disk: any FileSystem,
        loop: EventLoop,
        known: [SourcePosition],
        claims: SourceClaims,
        log: AgentLog
    ) throws(FileSystemError) {
        self.options = options
        self.counters = counters
        self.sink = sink
        self.disk = disk
        self.loop = loop
        self.log = log
        self.watch = try FolderWatch(loop: loop)
        self.finder = PathFinder(options: options, watch: self.watch, disk: disk)
        self.reader = TailReader(options: options)
        self.templates = LineTemplates(options.form)
        self.known = TailResume(known: known, disk: disk, claims: claims)
        self.finder.candidateChanged = { [weak self] in self?.consider($0) }
        self.finder.renamed = { [weak self] in self?.fileRenamed(from: $0, to: $1, paths: $2) }
        self.watch.touched = { [weak self] key in
            if let self, let file = self.places[key] { self.enqueue(file) }
        }
        self.watch.overflowed = { [weak self] in self?.lookAtEverything() }
    }

    func start() {
        self.finder.scan()
        self.isFirstScan = false
        self.known.forgetOld(now: self.loop.time.now().nanoseconds) { self.sink.forget(source: $0) }
        self.plan()
        self.scheduleTick()
    }

    func resume() { self.plan() }

    func stop() {
        self.isStopped = true
        if let tick { self.loop.cancel(tick) }
        self.watch.close()
    }

    /// Number of open files.
    var openFileCount: Int { self.files.count }
}

// MARK: - Which files there are

extension TailInput {
    /// Looks at a followed name, and at what it leads to now.
    func consider(_ path: String) {
        guard !self.isStopped else { return }
        let status: FileStatus?
        do throws(FileSystemError) {
            status = try self.disk.status(path)
        } catch {
            // No right to look: reported once per name; the folder's watch says when that changes.
            self.log.once("\(path): \(error)", .warning)
            return
        }
        let old = self.newest[path]
        guard let status, status.kind == .regular else {
            if let old { self.detach(old, from: path) }
            return
        }
        let key = FileKey(status)
        if let known = self.files[key] {
            self.attach(known, to: path, old: old)
        } else if !self.isTooOld(status) {
            self.open(path, expected: key, old: old)
        }
    }

    private func isTooOld(_ status: FileStatus) -> Bool {
        guard let age = self.options.ignoredAgeNanoseconds else { return false }
        return self.loop.time.now().nanoseconds - status.modifiedAt.nanoseconds > age
    }

    /// A name leads to a file that is open already: the same one, one that was renamed, or one with two names.
    private func attach(_ file: TailFile, to path: String, old: TailFile?) {
        if old === file {
            self.enqueue(file)
        } else {
            if let old { self.detach(old, from: path) }
            self.newest[path] = file
            self.finder.unfollow(path)
            self.setPlace(file, path)
        }
        file.names.insert(path)
        self.apply(file.state.detached(false, isDeleted: false, now: self.now), to: file)
    }

    private func setPlace(_ file: TailFile, _ path: String) {
        guard let key = self.finder.follow(path) else { return }
        self.setPlace(file, number: key.number)
    }

    /// Changes of the file's bytes are reported under this number.
    private func setPlace(_ file: TailFile, number: UInt64) {
        self.places[number] = file
        file.places.insert(number)
    }

    /// Begins to follow a file that is not open.
    private func open(_ path: String, expected: FileKey, old: TailFile?) {
        do throws(FileSystemError) {
            let handle = try self.disk.open(path, .read)
            let status = try handle.status()
            // Between looking and opening the name may have got another meaning; the watch tells.
            guard status.kind == .regular, FileKey(status) == expected else {
                handle.close()
                return
            }
            if let old { self.detach(old, from: path) }
            self.finder.unfollow(path)
            let start = try self.known.start(path: path, handle: handle, status: status, hasOld: old != nil)
            for earlier in start.earlier { self.followEarlier(earlier, path: path) }
            let file = try self.makeFile(path, handle, status, start.known, isNew: start.isNew)
            self.adopt(file, path: path)
            file.names.insert(path)
            self.setPlace(file, path)
        } catch {
            self.log.once("\(error); \(path) is tried again when it changes", .warning)
        }
    }

    /// Takes a file into the tables, behind the one that had its name.
    private func adopt(_ file: TailFile, path: String) {
        if let old = self.newest[path], old !== file, !old.isClosed {
            file.predecessor = old
            self.restless[ObjectIdentifier(file)] = file
        }
        self.newest[path] = file
        if let key = self.key(of: file) { self.files[key] = file }
        self.counters.filesOpened += 1
        self.enqueue(file)
    }

    private func key(of file: TailFile) -> FileKey? {
        FileKey(device: file.identity.device, inode: file.identity.inode)
    }

    /// A file that was rotated away while nobody looked, to be read before the one that has its name now.
    private func followEarlier(_ earlier: TailResume.Earlier, path: String) {
        do throws(FileSystemError) {
            let status = try earlier.handle.status()
            guard self.files[FileKey(status)] == nil else { return }
            let file = try self.makeFile(path, earlier.handle, status, earlier.known, isNew: true)
            self.adopt(file, path: path)
            self.counters.filesRotated += 1
            self.log.write(.info, "\(earlier.path) was \(path) before; reading it from byte \(file.state.offset)")
            self.detach(file, from: path)
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    private func makeFile(
        _ path: String,
        _ handle: any File,
        _ status: FileStatus,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> TailFile {
        let offset = try self.firstOffset(handle, status, known, isNew: isNew)
        let file = TailFile(
            source: known?.source ?? self.sink.newSource(),
            path: path,
            tag: self.sink.routeTag(self.tagText(path)),
            recordTail: self.recordTail(path),
            file: handle,
            identity: try FileIdentity.of(handle, status: status),
            state: TailFileState(offset: offset.start, now: self.now),
            marker: offset.marker,
            shaper: LineShaper(self.templates),
            modifiedAtNanoseconds: status.modifiedAt.nanoseconds
        )
        if let known {
            file.isInsideCutLine = known.isInsideCutLine && offset.start == known.offset
            if offset.start < known.offset {
                file.replayed = known.pending.filter { $0.source == known.source }
                file.replayEnd = known.offset
            }
        }
        return file
    }

    /// Where reading begins: behind what is durable, but at the first unfinished event.
    private func firstOffset(
        _ handle: any File,
        _ status: FileStatus,
        _ known: SourcePosition?,
        isNew: Bool
    ) throws(FileSystemError) -> (start: UInt64, marker: ContentMarker) {
        if let known {
            let pending = known.pending.filter { $0.source == known.source }.map(\.offset).min()
            guard let pending, pending < known.offset else { return (known.offset, known.marker) }
            let count = Int(min(pending, UInt64(ContentMarker.byteCountMax)))
            return (pending, try ContentMarker.of(handle, before: pending, byteCount: count) ?? .none)
        }
        let readsFromHead = self.isFirstScan && !isNew ? self.options.readsFromHead : self.options.readsNewFilesFromHead
        if readsFromHead || status.byteCount == 0 { return (0, .none) }
        let count = Int(min(status.byteCount, UInt64(ContentMarker.byteCountMax)))
        let marker = try ContentMarker.of(handle, before: status.byteCount, byteCount: count)
        return marker.map { (status.byteCount, $0) } ?? (0, .none)
    }

    private func tagText(_ path: String) -> String {
        guard self.options.tag.contains("*") else { return self.options.tag }
        let name = path.drop { $0 == "/" }.map { $0 == "/" ? "." : String($0) }.joined()
        return self.options.tag.split(separator: "*", omittingEmptySubsequences: false).joined(separator: name)
    }

    private func recordTail(_ path: String) -> [UInt8] {
        guard let key = self.options.pathKey else { return [] }
        var bytes: [UInt8] = []
        bytes.appendMember(key, text: Array(path.utf8), start: -1)
        return bytes
    }

    /// The name leads elsewhere, or nowhere.
    private func detach(_ file: TailFile, from path: String) {
        file.names.remove(path)
        guard !file.isClosed else { return }
        if path == file.path { file.state.renamed(now: self.now) }
        self.restless[ObjectIdentifier(file)] = file
        guard file.names.isEmpty else { return }
        var isDeleted = false
        do throws(FileSystemError) {
            isDeleted = try file.file.status().linkCount == 0
        } catch {
            self.log.write(.warning, "\(error)")
        }
        if !file.state.isDetached { self.counters.filesRotated += isDeleted ? 0 : 1 }
        self.restless[ObjectIdentifier(file)] = file
        self.apply(file.state.detached(true, isDeleted: isDeleted, now: self.now), to: file)
    }

    /// A file got another name, where its changes are reported now.
    ///
    /// One that was never seen is read before its successor.
    private func fileRenamed(from old: PathFinder.WatchKey, to new: PathFinder.WatchKey, paths: [String]) {
        do throws(FileSystemError) {
            guard let status = try self.disk.status(new.path), status.kind == .regular else { return }
            if let file = self.files[FileKey(status)] {
                if self.places[old.number] === file { self.places[old.number] = nil }
                self.setPlace(file, number: new.number)
                self.enqueue(file)
            } else if let path = paths.first, !self.isTooOld(status) {
                self.openUnseen(new.path, path: path, status: status)
                if let file = self.files[FileKey(status)] { self.setPlace(file, number: new.number) }
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }

    /// A file that was created and rotated away between two looks.
    private func openUnseen(_ place: String, path: String, status: FileStatus) {
        do throws(FileSystemError) {
            let handle = try self.disk.open(place, .read)
            guard FileKey(try handle.status()) == FileKey(status) else { return handle.close() }
            if let old = self.newest[path] { self.detach(old, from: path) }
            let file = try self.makeFile(path, handle, status, nil, isNew: true)
            self.adopt(file, path: path)
            self.detach(file, from: path)
        } catch {
            self.log.write(.warning, "\(error)")
        }
    }
}

// MARK: - Reading

extension TailInput {
    private var now: UInt64 { self.loop.time.monotonicNanoseconds() }

    private func enqueue(_ file: TailFile) {
        guard !file.isQueued, !file.isClosed else { return }
        file.isQueued = true
        self.queue.append(file)
        self.plan()
    }

    private func plan() {
        guard !self.isTurnPlanned, !self.isStopped, self.queueHead < self.queue.count, self.sink.hasRoom else {
            self.counters.isPaused = !self.sink.hasRoom
            return
        }
        self.counters.isPaused = false
        self.isTurnPlanned = true
        self.loop.enqueue { [weak self] in self?.turn() }
    }

    /// Reads some of the files that wait.
    private func turn() {
        self.isTurnPlanned = false
        var bytes = 0
        while bytes < Self.readsPerTurn * TailReader.readByteCount, self.queueHead < self.queue.count,
            self.sink.hasRoom, !self.isStopped
        {
            let file = self.queue[self.queueHead]
            self.queueHead += 1
            file.isQueued = false
            if !file.isClosed { bytes += 4_096 + self.readOnce(file) }
        }
        if self.queueHead == self.queue.count {
            self.queue.removeAll(keepingCapacity: self.queue.capacity < 4_096)
            self.queueHead = 0
        }
        self.plan()
        if self.options.exitsAtEnd, self.queueHead == self.queue.count { self.exitIfAtEnd() }
    }

    private func exitIfAtEnd() {
        guard self.files.values.allSatisfy({ $0.predecessor == nil && $0.state.isDrained }) else { return }
        // Nothing follows: a last line without newline is a line.
        for file in Array(self.files.values) where file.state.restByteCount > 0 { self.apply(.deliverRest, to: file) }
        self.sink.inputEnded()
    }

    /// One read; the number of bytes taken.
    private func readOnce(_ file: TailFile) -> Int {
        if let predecessor = file.predecessor, !self.takeOver(from: predecessor, to: file) { return 0 }
        let start = file.state.offset
        var events = EventList()
        do throws(FileSystemError) {
            switch try self.reader.read(file, now: Moment(self.loop.time), into: &events) {
            case .otherContent:
                self.restart(file)
                return 0
            case .read(let consumed, let rest, let reachedEnd):
                let action = file.state.didRead(
                    consumed: UInt64(consumed),
                    rest: UInt64(rest),
                    reachedEnd: reachedEnd,
                    now: self.now
                )
                if consumed > 0 { self.handOn(events, file, start: start) }
                self.apply(action, to: file)
                return consumed
            }
        } catch {
            self.log.once("\(error); the file is tried again when it changes", .error)
            return 0
        }
    }

    /// Waits until the file that had the name was read to its end, then takes its unfinished lines.
    private func takeOver(from predecessor: TailFile, to file: TailFile) -> Bool {
        guard predecessor.isClosed || predecessor.state.isDrained else {
            self.enqueue(predecessor)
            return false
        }
        if !predecessor.isClosed, predecessor.shaper.pendingByteCount > 0, file.state.offset == 0 {
            file.shaper = predecessor.shaper.handOver()
            // No line of this file may come to end the event, so that time must.
            if file.shaper.deadline != nil { self.held[ObjectIdentifier(file)] = file }
        }
        file.predecessor = nil
        if !file.state.isDetached { self.restless[ObjectIdentifier(file)] = nil }
        return true
    }

    private func handOn(_ events: EventList, _ file: TailFile, start: UInt64) {
        if file.shaper.deadline != nil { self.held[ObjectIdentifier(file)] = file }
        self.counters.readBytes += file.state.offset - start
        self.growIdentity(file)
        let tally = file.shaper.tally
        file.shaper.tally = LineShaper.Tally()
        self.counters.longLinesCut += UInt64(tally.cutLines)
        self.counters.longLinesSkipped += UInt64(tally.skippedLines)
        self.counters.invalidTexts += UInt64(tally.invalidTexts)
        // Until it is over, a replay makes no events and must not move the position back.
        if file.replayed != nil, file.state.offset < file.replayEnd { return }
        file.modifiedAtNanoseconds = self.loop.time.now().nanoseconds
        self.sink.accept(
            InputRead(tag: file.tag, events: events, position: file.position, startOffset: start),
            from: self.counters
        )
    }

    /// Covers more of a young file's beginning.
    private func growIdentity(_ file: TailFile) {
        guard file.identity.prefixByteCount < FileIdentity.prefixByteCountMax else { return }
        do throws(FileSystemError) {
            let status = try file.file.status()
            file.identity = try FileIdentity.of(file.file, status: status)
        } catch {
            self.log.once("\(error)", .warning)
        }
    }

    /// The file was truncated or rewritten in place: what is in it now is a new source.
    private func restart(_ file: TailFile) {
        self.counters.filesRotated += 1
        self.log.write(.info, "\(file.path) was truncated or rewritten; reading it from the start")
        var events = EventList()
        // Nothing can follow the unfinished lines of the old content.
        file.shaper.finishAll(now: self.now, recordTail: file.recordTail, to: &events)
        let start = file.state.offset
        if !events.isEmpty { self.sink.accept(self.read(events, file, start: start), from: self.counters) }
        self.sink.finish(source: file.source)
        self.sink.forget(source: file.source)
        _ = file.state.sawOtherContent(now: self.now)
        do throws(FileSystemError) {
            let status = try file.file.status()
            let successor = try self.makeFile(file.path, file.file, status, nil, isNew: true)
            self.replace(file, by: successor)
        } catch {
            self.log.write(.error, "\(error)")
        }
    }

    private func read(_ events: EventList, _ file: TailFile, start: UInt64) -> InputRead {
        InputRead(tag: file.tag, events: events, position: file.position, startOffset: start)
    }

    /// The same open file under a new source number.
    private func replace(_ file: TailFile, by successor: TailFile) {
        file.isClosed = true
        successor.state = TailFileState(offset: 0, now: self.now)
        successor.marker = .none
        successor.names = file.names
        for (key, other) in self.files where other === file { self.files[key] = successor }
        for (path, other) in self.newest where other === file { self.newest[path] = successor }
        for key in file.places where self.places[key] === file { self.setPlace(successor, number: key) }
        for other in self.restless.values where other.predecessor === file { other.predecessor = successor }
        self.restless[ObjectIdentifier(file)] = nil
        if file.state.isDetached { self.detach(successor, from: "") }
        self.enqueue(successor)
    }

    /// Does what the state machine decided.
    private func apply(_ action: TailFileState.Action, to file: TailFile) {
        switch action {
        case .wait: return
        case .read: self.enqueue(file)
        case .restart: self.restart(file)
        case .deliverRest: self.deliverRest(file)
        case .close: self.close(file)
        }
    }

    private func deliverRest(_ file: TailFile) {
        let start = file.state.offset
        var events = EventList()
        do throws(FileSystemError) {
            _ = try self.reader.readRest(file, now: Moment(self.loop.time), into: &events)
        } catch {
            self.log.once("\(error)", .error)
            return
        }
        let next = file.state.deliveredRest(now: self.now)
        self.handOn(events, file, start: start)
        self.apply(next, to: file)
    }

    private func close(_ file: TailFile) {
        let hasSuccessor = self.newest.values.contains { $0.predecessor === file }
        if !hasSuccessor, file.shaper.pendingByteCount > 0, self.newest[file.path] !== file {
            var events = EventList()
            file.shaper.finishAll(now: self.now, recordTail: file.recordTail, to: &events)
            self.handOn(events, file, start: file.state.offset)
        }
        file.isClosed = true
        self.counters.filesClosed += 1
        self.restless[ObjectIdentifier(file)] = nil
        if let key = self.key(of: file), self.files[key] === file { self.files[key] = nil }
        for key in file.places where self.places[key] === file { self.places[key] = nil }
        for path in file.names.union([file.path]) where self.newest[path] === file {
            self.newest[path] = nil
            self.finder.unfollow(path)
        }
        self.sink.finish(source: file.source)
        self.noteClosed(file)
        file.file.close()
    }

    /// A deleted file is forgotten; a renamed one is remembered as read, should its new name be followed one day.
    private func noteClosed(_ file: TailFile) {
        do throws(FileSystemError) {
            if try file.file.status().linkCount == 0 {
                self.sink.forget(source: file.source)
                return
            }
        } catch {
            self.log.write(.warning, "\(error)")
        }
        var position = file.position
        position.isFinished = true
        self.known.remember(position)
    }
}

// MARK: - Time

extension TailInput {
    /// Every second while some file is detached, or when there is no notification; else every minute.
    private func scheduleTick() {
        self.tick = self.loop.schedule(after: .seconds(1)) { [weak self] in self?.everySecond() }
    }

    private func everySecond() {
        self.scheduleTick()
        self.secondsSinceScan += 1
        for file in Array(self.restless.values) where !file.isClosed {
            if file.state.isDetached {
                self.refreshDetached(file)
            } else if file.predecessor == nil, file.state.restByteCount == 0 {
                self.restless[ObjectIdentifier(file)] = nil
            }
            self.enqueue(file)
        }
        self.flushHeld()
        let polls = self.options.polls || self.watch.isShortOfWatches
        if polls || self.secondsSinceScan >= 60 { self.lookAtEverything() }
    }

    /// Hands out events whose next line did not come in time.
    private func flushHeld() {
        for (key, file) in self.held {
            guard !file.isClosed, let deadline = file.shaper.deadline else {
                self.held[key] = nil
                continue
            }
            guard self.now >= deadline, self.sink.hasRoom else { continue }
            var events = EventList()
            file.shaper.flushIfDue(now: self.now, recordTail: file.recordTail, to: &events)
            if file.shaper.deadline == nil { self.held[key] = nil }
            if !events.isEmpty { self.handOn(events, file, start: file.state.offset) }
        }
    }

    /// Looks whether a detached file was deleted meanwhile, and whether its time is over.
    private func refreshDetached(_ file: TailFile) {
        do throws(FileSystemError) {
            let isDeleted = try file.file.status().linkCount == 0
            if file.state.isDrained { self.apply(file.state.nextAtEnd(now: self.now), to: file) }
            if !file.isClosed, isDeleted { file.state.noteDeleted() }
        } catch {
            self.log.once("\(error)", .warning)
        }
    }

    /// The slow way to notice everything, for lost events, file systems without notification, and once a minute.
    private func lookAtEverything() {
        self.secondsSinceScan = 0
        self.finder.scan()
        for path in Array(self.newest.keys) { self.consider(path) }
        for file in self.files.values { self.enqueue(file) }
    }
}

/// Device and inode: what a file is while it is open.
struct FileKey: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}
