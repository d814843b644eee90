internal import CLeatPlatform
internal import LeatCore

/// The running collector: inputs, filters, buffer and outputs around one loop.
///
/// A read of an input goes through the filters of its route tag into frames, one per set of outputs; a flush makes them
/// durable and closes chunks for the outputs that can send; settled chunks are deleted once the positions are durable.
final class Agent: InputSink {
    /// What Fluent Bit's `expect` exits with.
    private static let filterExitCode: Int32 = 255

    let loop: EventLoop
    let store: ChunkStore
    let log: AgentLog
    /// Outputs that send from chunks, by their number in the configuration.
    let queues: [Int: OutputQueue]
    /// Outputs that need no chunk.
    let directOutputs: [Int: DirectOutput]

    /// What the program exits with.
    private(set) var exitCode: Int32 = 0
    private(set) var inputs: [any Input] = []
    private(set) var inputCounters: [InputCounters] = []
    let pipeline: FilterPipeline
    private let files: any FileSystem
    private let environment: [String: String]
    /// The longest that inputs wait for filters.
    private static let filterPatience = Duration.seconds(5)

    private let flushDelay: Duration
    private let grace: Duration
    private var flushTimer: TimerQueue.ID?
    private var isFlushPlanned = false
    private let diskThread: DiskThread
    /// Who waits until everything is on disk.
    private var durabilityWaiters: [() -> Void] = []
    private var isStopping = false
    private var isEnding = false
    private var stopDeadline: UInt64 = 0
    private var tick: TimerQueue.ID?
    private var fullnessNotes = FullnessNotes()
    private var idleSeconds = 0
    /// Seconds without work after which memory is given back.
    private static let idleSecondsMax = 10

    /// What the agent is made of.
    struct Parts {
        var loop: EventLoop
        var diskThread: DiskThread
        var store: ChunkStore
        var log: AgentLog
        var pipeline: FilterPipeline
        var queues: [Int: OutputQueue]
        var directOutputs: [Int: DirectOutput]
        var files: any FileSystem = PosixFileSystem()
        var environment: [String: String] = [:]
        var flushDelay = Duration.milliseconds(200)
        var grace = Duration.seconds(5)
    }

    init(_ parts: Parts) {
        self.loop = parts.loop
        self.store = parts.store
        self.log = parts.log
        self.pipeline = parts.pipeline
        self.queues = parts.queues
        self.directOutputs = parts.directOutputs
        self.files = parts.files
        self.environment = parts.environment
        self.diskThread = parts.diskThread
        self.flushDelay = parts.flushDelay
        self.grace = parts.grace
        self.store.chunkClosed = { [weak self] in self?.distribute($0) }
        self.pipeline.filterStops = { [weak self] in self?.stopForFilter() }
    }

    /// Adds an input before `start`.
    func add(_ input: any Input, counters: InputCounters) {
        self.inputs.append(input)
        self.inputCounters.append(counters)
    }

    /// Goes on where the last run stopped, then begins to read.
    func start() throws(InputError) {
        for chunk in self.store.closed.values.sorted(by: { $0.number < $1.number }) { self.distribute(chunk) }
        for queue in self.queues.values {
            queue.becameIdle = { [weak self] in self?.outputBecameIdle() }
            queue.resume()
            queue.pump()
        }
        try self.startFilters()
        self.planTick()
    }

    /// Inputs begin when filters know what they need, such as the pods of the node, or after a few seconds.
    private func startFilters() throws(InputError) {
        for named in self.pipeline.allFilters {
            let log = self.log.named(named.name)
            do throws(Diagnostics) {
                try named.filter.start(
                    FilterServices(loop: self.loop, files: self.files, environment: self.environment, log: log)
                )
            } catch {
                log.write(.error, "\(error)")
            }
        }
        try self.startInputs(notAfter: self.loop.time.monotonicNanoseconds() + Self.filterPatience.wholeNanoseconds)
    }

    private func startInputs(notAfter deadline: UInt64) throws(InputError) {
        if self.pipeline.allFilters.allSatisfy(\.filter.isReady) || self.loop.time.monotonicNanoseconds() >= deadline {
            self.restoreHeld()
            for input in self.inputs { try input.start() }
            return
        }
        _ = self.loop.schedule(after: .milliseconds(20)) { [weak self] in
            guard let self, !self.isStopping else { return }
            do throws(InputError) {
                try self.startInputs(notAfter: deadline)
            } catch {
                self.log.write(.error, "\(error)")
                self.stop()
            }
        }
    }
}

// MARK: - From inputs to chunks

extension Agent {
    var hasRoom: Bool { !self.store.isFull && !self.isStopping }

    func hasRoom(for input: InputCounters) -> Bool { self.hasRoom && input.hasRoom }

    func routeTag(_ text: String) -> RouteTag { self.pipeline.routeTag(text) }

    func earlyMerge(for tag: RouteTag) -> EarlyMerge? { self.pipeline.earlyMerge(for: tag) }

    func newSource() -> UInt64 { self.store.nextSequence() }

    func caughtUp() { self.planFlush() }

    func finish(source: UInt64) { self.store.finish(source: source) }

    func inputEnded(exitCode: Int32) {
        guard !self.isEnding else { return }
        self.isEnding = true
        if self.exitCode == 0 { self.exitCode = exitCode }
        self.log.write(.info, "everything was read: stopping")
        self.loop.enqueue { [weak self] in self?.stop() }
    }

    /// A filter asked for the end, with an exit code that says so.
    private func stopForFilter() {
        guard self.exitCode == 0 else { return }
        self.exitCode = Self.filterExitCode
        self.loop.enqueue { [weak self] in self?.stop() }
    }

    func forget(source: UInt64) { self.store.forget(source: source) }

    func whenDurable(_ body: @escaping () -> Void) {
        self.durabilityWaiters.append(body)
        self.flushForWaiters()
    }

    /// Flushes on the next turn, so that all who came by then share one sync.
    private func flushForWaiters() {
        guard !self.durabilityWaiters.isEmpty, !self.store.isFlushing, !self.isFlushPlanned else { return }
        self.isFlushPlanned = true
        self.loop.enqueue { [weak self] in self?.flush() }
    }

    /// Tells those who waited for a flush that it is done, or lets them wait for the next one.
    private func tell(_ waiters: [() -> Void]) {
        if self.store.failure == nil {
            for waiter in waiters { waiter() }
        } else {
            self.durabilityWaiters = waiters + self.durabilityWaiters
        }
    }

    func accept(_ read: InputRead, from input: InputCounters) {
        input.events += UInt64(read.events.count)
        input.bytes += UInt64(read.events.openStart)
        if input.isTraced { ReadTrace.print(read, of: input.name) }
        var frames: [ChunkStore.NewFrame] = []
        if input.isRoutable { self.pipeline.take(read, to: &frames) }
        let before = self.store.gatheredByteCount
        self.store.append(
            frames,
            position: read.position,
            startOffset: read.startOffset,
            ring: input.ring,
            held: self.pipeline.takeHeldChanges()
        )
        input.noteAccepted(byteCount: self.store.gatheredByteCount - before)
        self.planFlush()
    }

    /// Hands on what filters held back.
    private func releaseFromFilters(all: Bool) {
        self.append(self.pipeline.released(all: all), self.pipeline.takeHeldChanges())
    }

    /// Gives filters back what they held when the last run ended without handing it on.
    private func restoreHeld() {
        let held = self.store.positions.held.events
        guard !held.isEmpty else { return }
        let (frames, changes) = self.pipeline.restore(held)
        self.append(frames, changes + self.pipeline.takeHeldChanges())
    }

    /// Keeps events that no read made, together with what filters hold now.
    private func append(_ frames: [ChunkStore.NewFrame], _ changes: [HeldChange]) {
        guard !frames.isEmpty || !changes.isEmpty else { return }
        self.store.append(frames, position: nil, startOffset: 0, held: changes)
        self.planFlush()
    }
}

// MARK: - From chunks to outputs

extension Agent {
    private func planFlush() {
        guard !self.store.isFlushing, self.store.needsFlush else { return }
        let isDue = self.store.isFlushDue(hasBacklog: self.inputs.contains(where: \.hasBacklog))
        if isDue || self.inputCounters.contains(where: { !$0.hasRoom }) {
            guard !self.isFlushPlanned else { return }
            self.isFlushPlanned = true
            self.loop.enqueue { [weak self] in self?.flush() }
        } else if self.flushTimer == nil {
            self.flushTimer = self.loop.schedule(after: self.flushDelay) { [weak self] in self?.flush() }
        }
    }

    /// Begins to make durable what gathered; what follows is in `didFlush`.
    private func flush() {
        self.isFlushPlanned = false
        if let flushTimer { self.loop.cancel(flushTimer) }
        self.flushTimer = nil
        guard !self.store.isFlushing else { return }
        let waiters = self.durabilityWaiters
        self.durabilityWaiters = []
        guard let flush = self.store.beginFlush(isWanted: { self.isWanted($0) }) else {
            self.tell(waiters)
            return self.didFlush()
        }
        for counters in self.inputCounters { counters.flushBegan() }
        self.diskThread.run(flush.run) { [weak self] in
            guard let self else { return }
            self.store.finishFlush(flush)
            for counters in self.inputCounters { counters.flushEnded(isDurable: self.store.failure == nil) }
            self.tell(waiters)
            self.didFlush()
        }
    }

    /// Lets outputs send what is durable now.
    private func didFlush() {
        self.noteFullness()
        self.closeWanted()
        for queue in self.queues.values { queue.pump() }
        self.checkpoint(isForced: false)
        self.resumeInputs()
        // After a failure the next try waits for the clock.
        if self.store.failure == nil {
            self.planFlush()
            self.flushForWaiters()
        }
    }

    /// Makes everything durable before it returns.
    private func flushNow() {
        self.diskThread.wait()
        let waiters = self.durabilityWaiters
        self.durabilityWaiters = []
        self.store.flush { self.isWanted($0) }
        self.tell(waiters)
        self.didFlush()
        self.diskThread.wait()
    }

    private func isWanted(_ outputs: OutputSet) -> Bool {
        outputs.indices.contains { self.queues[$0]?.wantsChunk == true }
    }

    private func closeWanted() {
        self.store.closeWanted { [weak self] in self?.isWanted($0) ?? false }
    }

    /// An output wants the next chunk; what it has settled may be the room that inputs wait for.
    private func outputBecameIdle() {
        self.closeWanted()
        guard self.store.isFull else { return }
        self.checkpoint(isForced: false)
        self.resumeInputs()
    }

    private func noteFullness() {
        let note = self.fullnessNotes.note(self.store.fullness, now: self.loop.time.monotonicNanoseconds())
        if let note { self.log.write(note.level, note.text) }
    }

    private func distribute(_ chunk: ClosedChunk) {
        for index in chunk.remaining.indices { self.queues[index]?.add(chunk) }
        if let ring = chunk.ring { self.dropBeyond(ring) }
    }

    /// Drops the oldest chunks of a ring that are not on their way while more waits than it may hold.
    private func dropBeyond(_ ring: ChunkRing) {
        let chunks = self.store.waiting(in: ring)
        var byteCount = chunks.reduce(0) { $0 + $1.byteCount }
        for chunk in chunks.dropLast() where byteCount > ring.byteCountMax {
            let queues = chunk.remaining.indices.compactMap { self.queues[$0] }
            guard !queues.contains(where: { $0.isSending(chunk) }) else { continue }
            for queue in queues { queue.drop(chunk, because: "over Mem_Buf_Limit of memrb") }
            byteCount -= chunk.byteCount
        }
    }

    private func resumeInputs() {
        guard self.hasRoom else { return }
        for input in self.inputs { input.resume() }
    }

    /// Writes positions and deletes settled chunks, at the latest every second.
    private func checkpoint(isForced: Bool) {
        guard isForced ? self.store.needsCheckpoint : self.store.isCheckpointDue else { return }
        do throws(FileSystemError) {
            try self.store.checkpoint()
        } catch {
            self.log.once("\(error); positions are written again later", .error)
        }
    }

    private func planTick() {
        self.tick = self.loop.schedule(after: .seconds(1)) { [weak self] in self?.everySecond() }
    }

    private func everySecond() {
        self.planTick()
        self.releaseFromFilters(all: false)
        self.noteFullness()
        // A full buffer or a failed disk is tried again; everything else has its own timer.
        if self.store.isFull { self.flush() }
        self.checkpoint(isForced: true)
        for queue in self.queues.values { queue.pump() }
        self.resumeInputs()
        self.releaseMemoryIfIdle()
    }

    /// Gives the memory of a busy time back once nothing has happened for a while.
    private func releaseMemoryIfIdle() {
        let isIdle = !self.store.needsFlush && !self.store.isFlushing && self.queues.values.allSatisfy(\.isDone)
        self.idleSeconds = isIdle ? self.idleSeconds + 1 : 0
        guard self.idleSeconds == Self.idleSecondsMax else { return }
        self.store.releaseSpareMemory()
        leat_malloc_trim()
    }
}

// MARK: - Stopping

extension Agent {
    /// Stops reading, makes everything durable, and gives outputs until the end of `Grace` to send.
    func stop() {
        guard !self.isStopping else { return self.finish() }
        // Who waits for an answer gets it before the connection goes.
        if !self.durabilityWaiters.isEmpty { self.flushNow() }
        for input in self.inputs { input.stop() }
        self.releaseFromFilters(all: true)
        self.isStopping = true
        self.flushNow()
        self.stopDeadline = self.loop.time.monotonicNanoseconds() + self.grace.wholeNanoseconds
        self.waitForOutputs()
    }

    private func waitForOutputs() {
        self.closeWanted()
        for queue in self.queues.values { queue.pump() }
        // An output whose server does not answer has its events on disk and is not waited for.
        let isBusy =
            self.queues.values.contains { !$0.isDone && !$0.isFailing } || self.inputs.contains { !$0.hasStopped }
        if !isBusy || self.loop.time.monotonicNanoseconds() >= self.stopDeadline { return self.finish() }
        self.loop.schedule(after: .milliseconds(20)) { [weak self] in self?.waitForOutputs() }
    }

    private func finish() {
        for input in self.inputs { input.abandon() }
        for queue in self.queues.values {
            queue.stop()
            queue.sender.close()
        }
        for output in self.directOutputs.values { output.close() }
        for named in self.pipeline.allFilters { named.filter.stop() }
        self.diskThread.wait()
        self.checkpoint(isForced: true)
        self.loop.stop()
    }
}
