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

    let loop: EventLoop
    let watch: FolderWatch
    let finder: PathFinder
    var reader: TailReader
    let templates: LineTemplates
    /// Files with unfinished events that a timeout ends.
    var held: [ObjectIdentifier: TailFile] = [:]

    /// Bytes of unfinished events of all files.
    var heldByteCount = 0

    /// Open files by device and inode.
    var files: [FileKey: TailFile] = [:]
    /// The newest file of each followed path, attached or not.
    var newest: [String: TailFile] = [:]
    /// What earlier runs knew of files that are not open now.
    var known: TailResume
    /// Where changes of a file's bytes are reported.
    var places: [UInt64: TailFile] = [:]
    /// Files that are detached, or wait for one that is: they are looked at every second.
    var restless: [ObjectIdentifier: TailFile] = [:]
    var queue: [TailFile] = []
    var queueHead = 0
    var isTurnPlanned = false
    /// Whether files are being read, so that more may follow at once.
    var isInTurn = false
    var isStopped = false
    var isFirstScan = true
    /// Whether an earlier run followed files of these patterns.
    var hasEarlierRun = false
    var tick: TimerQueue.ID?
    var secondsSinceScan = 0
    /// Whether a file could not be opened since too many are.
    var isShortOfFiles = false
    /// Compressed files that somebody still writes, to be looked at every second.
    var growing: Set<String> = []
    /// Files of changed names that come later, while names are settled one by one.
    var waiting: [OpenLog] = []
    /// Compressed copies of these.
    var waitingCopies: [FileKey: Set<String>] = [:]
    /// Followed names whose file has changed: what they had in between is looked for before anything new is read.
    var changes: [String: NameChange] = [:]
    var isSettling = false
    /// Counts what may have moved a file that had a followed name.
    var moveCount: UInt64 = 0
    /// Whether a file that is not followed has changed, so that names are looked at within a second.
    var isLookDue = false

    init(
        options: TailOptions,
        counters: InputCounters,
        sink: any InputSink,
        disk: any FileSystem,
        loop: EventLoop,
        known: KnownSources,
        claims: SourceClaims,
        log: AgentLog
    ) throws(FileSystemError) {
        self.options = options
        self.counters = counters
        self.sink = sink
        self.disk = disk
        self.loop = loop
        self.log = log
        self.watch = try FolderWatch(loop: loop, isActive: !options.polls)
        self.finder = PathFinder(options: options, watch: self.watch, disk: disk)
        self.reader = TailReader(options: options)
        self.templates = LineTemplates(options.form)
        self.known = TailResume(known: known, now: loop.time.now(), disk: disk, claims: claims)
        self.finder.candidateChanged = { [weak self] in self?.nameChanged($0, hasVanished: $1) }
        self.finder.renamed = { [weak self] in self?.fileRenamed(to: $0) }
        self.watch.drained = { [weak self] in self?.settle() }
        self.watch.touched = { [weak self] key in
            guard let self else { return }
            if let file = self.places[key] {
                self.enqueue(file)
            } else if self.options.ignoredAgeNanoseconds != nil {
                // Perhaps one that was left out for its age.
                self.isLookDue = true
            }
        }
        self.watch.overflowed = { [weak self] in self?.lookAtEverything() }
    }

    func start() {
        self.hasEarlierRun = self.known.hasPath(where: self.finder.isFollowed)
        self.finder.scan()
        self.noteOrphans()
        self.settle()
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

    var hasBacklog: Bool {
        !self.isStopped && (self.isInTurn || self.queueHead < self.queue.count || !self.changes.isEmpty)
    }

    /// Number of open files.
    var openFileCount: Int { self.files.count }
}

// MARK: - Taking turns

extension TailInput {
    var now: UInt64 { self.loop.time.monotonicNanoseconds() }

    func enqueue(_ file: TailFile) {
        guard !file.isQueued, !file.isClosed else { return }
        file.isQueued = true
        self.queue.append(file)
        self.plan()
    }

    func plan() {
        let hasRoom = self.sink.hasRoom(for: self.counters)
        guard !self.isTurnPlanned, !self.isStopped, self.queueHead < self.queue.count, hasRoom else {
            self.counters.isPaused = !hasRoom
            return
        }
        self.counters.isPaused = false
        self.isTurnPlanned = true
        self.loop.enqueue { [weak self] in self?.turn() }
    }

    /// Reads some of the files that wait.
    func turn() {
        self.isTurnPlanned = false
        self.isInTurn = true
        var bytes = 0
        while bytes < Self.readsPerTurn * TailReader.readByteCount, self.queueHead < self.queue.count,
            self.sink.hasRoom(for: self.counters), !self.isStopped
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
        self.isInTurn = false
        if !self.hasBacklog { self.sink.caughtUp() }
        self.plan()
        if self.options.exitsAtEnd, self.queueHead == self.queue.count { self.exitIfAtEnd() }
    }

    func exitIfAtEnd() {
        guard self.changes.isEmpty, self.files.values.allSatisfy({ $0.predecessor == nil && $0.state.isDrained })
        else { return }
        // Nothing follows: a last line without newline is a line, and an unfinished event is one.
        for file in Array(self.files.values) {
            if file.state.restByteCount > 0 { self.apply(.deliverRest, to: file) }
            self.deliverUnfinished(file)
        }
        self.sink.inputEnded()
    }
}
