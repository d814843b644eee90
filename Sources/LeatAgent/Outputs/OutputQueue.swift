internal import LeatCore

/// Takes one output through the chunks: forms batches, keeps its cursor, sends, and sends again.
///
/// Each output has its own, so that a slow one holds nobody else. The order of every step is the promise: the batch is
/// durable before it is sent, what must go again is durable together with the end of what was answered, and the chunk is
/// settled last.
final class OutputQueue {
    /// What is to be sent: a batch, and when at the earliest.
    struct Waiting {
        let batch: OutputBatch
        let notBefore: UInt64
        let failureCount: Int
    }

    let name: String
    /// Number among the outputs of the configuration.
    let index: Int
    let counters = OutputCounters()
    let sender: any BatchSender

    /// Called when all chunks are settled or on their way, so that open ones can be closed.
    var becameIdle: () -> Void = {}

    let store: ChunkStore
    let cursor: OutputCursor
    let deadLetters: DeadLetters
    let loop: EventLoop
    let log: AgentLog
    let options: Options

    var chunks: [ClosedChunk] = []
    var waiting: [Waiting] = []
    var inFlight: [BatchKey: ClosedChunk] = [:]
    var loaded: [UInt64: LoadedChunk] = [:]
    /// Chunks of earlier runs whose events are not counted yet.
    var recovered: Set<UInt64> = []
    var failureCount = 0
    var failingSince: UInt64?
    var blockedUntil: UInt64 = 0
    var timer: TimerQueue.ID?
    var isStopping = false
    var random = SystemRandomNumberGenerator()

    /// What the configuration says about any output.
    struct Options {
        var workerCount = 2
        var retry = RetryPolicy()
        /// Tries after the first; `nil`: without end.
        var retryLimit: Int?
        /// Most bytes of chunks that may wait; `nil`: the disk is the limit.
        var totalByteCountMax: Int?
        /// Most events of one request.
        var batchItemCountMax = 100_000
    }

    init(
        name: String,
        index: Int,
        sender: any BatchSender,
        store: ChunkStore,
        cursor: OutputCursor,
        deadLetters: DeadLetters,
        loop: EventLoop,
        log: AgentLog,
        options: Options
    ) {
        self.name = name
        self.index = index
        self.sender = sender
        self.store = store
        self.cursor = cursor
        self.deadLetters = deadLetters
        self.loop = loop
        self.log = log
        self.options = options
    }

    /// Bytes of chunks that wait.
    var waitingByteCount: Int { self.chunks.reduce(0) { $0 + $1.byteCount } }

    /// Chunks that wait, begun ones included.
    var waitingChunkCount: Int { self.chunks.count }

    /// Percent of `storage.total_limit_size` that is free; 100 without that limit.
    var availablePercent: Int {
        guard let limit = self.options.totalByteCountMax, limit > 0 else { return 100 }
        return max(0, 100 - self.waitingByteCount * 100 / limit)
    }

    /// Batches on their way.
    var inFlightCount: Int { self.inFlight.count }

    /// Whether the last tries failed.
    var isFailing: Bool { self.failureCount > 0 }

    /// How long all tries have failed; `nil` when the last one succeeded.
    var failingFor: Duration? {
        self.failingSince.map { .nanoseconds(Int64(self.loop.time.monotonicNanoseconds() - $0)) }
    }

    /// Whether nothing is left to do.
    var isDone: Bool { self.chunks.isEmpty && self.waiting.isEmpty && self.inFlight.isEmpty }

    /// Whether a chunk that is closed now would be sent at once.
    var wantsChunk: Bool {
        !self.isStopping && self.chunks.isEmpty && self.waiting.isEmpty
            && self.inFlight.count < self.options.workerCount
            && self.loop.time.monotonicNanoseconds() >= self.blockedUntil
    }

    /// Goes on where an earlier run stopped; call it once, after the chunks on disk were added.
    func resume() {
        for batch in self.cursor.openBatches {
            self.waiting.append(Waiting(batch: batch, notBefore: 0, failureCount: 0))
        }
    }

    /// Takes a chunk; those of earlier runs come first.
    func add(_ chunk: ClosedChunk) {
        if let progress = self.cursor.chunks[chunk.number], progress.isSettled {
            return self.store.settle(chunk, by: self.index)
        }
        self.chunks.append(chunk)
        if chunk.isRecovered { self.recovered.insert(chunk.number) }
        self.dropBeyondLimit()
    }

    /// Begins no more batches.
    func stop() {
        self.isStopping = true
        if let timer { self.loop.cancel(timer) }
    }

    /// Sends what can be sent now.
    func pump() {
        let now = self.loop.time.monotonicNanoseconds()
        guard !self.isStopping, now >= self.blockedUntil else { return self.plan() }
        do throws(FileSystemError) {
            while self.inFlight.count < self.options.workerCount, self.mayBegin {
                if let index = self.waiting.firstIndex(where: { $0.notBefore <= now }) {
                    let next = self.waiting.remove(at: index)
                    try self.sendAgain(next)
                } else if let chunk = self.chunks.first(where: { self.cursor.chunks[$0.number]?.isTaken != true }) {
                    try self.sendNext(of: chunk)
                } else {
                    break
                }
            }
        } catch {
            self.log.once("\(error); sending waits for the disk", .error)
            self.block()
        }
        self.plan()
    }

    /// Whether memory allows one more request: an output may always have one, more only within the budget of all.
    var mayBegin: Bool {
        self.inFlight.isEmpty || self.store.sendingByteCount < self.store.limits.sendingByteCountMax
    }

    /// Wakes up when the next batch is due.
    func plan() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
        let next = self.waiting.map(\.notBefore).min() ?? (self.blockedUntil > 0 && !self.chunks.isEmpty ? 0 : nil)
        guard !self.isStopping, let next, self.inFlight.count < self.options.workerCount else { return }
        let now = self.loop.time.monotonicNanoseconds()
        let due = max(next, self.blockedUntil)
        guard due > now else { return }
        self.timer = self.loop.schedule(after: .nanoseconds(Int64(due - now))) { [weak self] in self?.pump() }
    }

    /// Begins no batch for a while.
    func block() {
        self.failureCount += 1
        if self.failingSince == nil { self.failingSince = self.loop.time.monotonicNanoseconds() }
        let delay = self.options.retry.delay(failureCount: self.failureCount, random: &self.random)
        self.blockedUntil = self.loop.time.monotonicNanoseconds() + delay.wholeNanoseconds
    }
}

// MARK: - Sending

extension OutputQueue {
    /// Forms and sends the next batch of a chunk.
    func sendNext(of chunk: ClosedChunk) throws(FileSystemError) {
        guard let content = try self.load(chunk) else { return }
        let first = self.cursor.chunks[chunk.number]?.taken ?? 0
        let most = min(content.eventCount, first + self.itemCountMax(of: content))
        guard first < most else { return try self.giveUp(chunk, eventCount: 0) }
        let end = self.sender.batchEnd(of: content, items: first..<most)
        let body = self.sender.body(of: content, items: [first..<end])
        let batch = try self.cursor.begin(
            chunk: chunk.number,
            items: first..<end,
            endsChunk: end == content.eventCount,
            digest: body.withUnsafeBytes { Digest.xxh128($0) }
        )
        try self.send(batch, body, of: chunk, content, failureCount: 0)
    }

    /// Most events of one request: tails that the chunk holds once make the request longer than it.
    private func itemCountMax(of content: LoadedChunk) -> Int {
        let byteCount = max(1, content.recordByteCount(of: [0..<content.eventCount]))
        let share = content.eventCount * (2 * self.store.limits.chunkByteCountMax) / byteCount
        return min(self.options.batchItemCountMax, max(1, share))
    }

    /// Sends a batch that was begun before.
    func sendAgain(_ next: Waiting) throws(FileSystemError) {
        var batch = next.batch
        guard let chunk = self.chunks.first(where: { $0.number == batch.chunk }), let content = try self.load(chunk)
        else {
            return
        }
        let body = self.sender.body(of: content, items: batch.items)
        let digest = body.withUnsafeBytes { Digest.xxh128($0) }
        if digest != batch.digest {
            // Only a changed configuration of the output makes other bytes of the same events.
            self.log.write(.warning, "batch \(batch.key.series.text)-\(batch.key.number) has another form than before")
            batch.digest = digest
        }
        try self.send(batch, body, of: chunk, content, failureCount: next.failureCount)
    }

    /// The frames of a chunk; `nil` when it had to be given up.
    func load(_ chunk: ClosedChunk) throws(FileSystemError) -> LoadedChunk? {
        if let known = self.loaded[chunk.number] { return known }
        let content: LoadedChunk
        do throws(FileSystemError) {
            content = try self.store.load(chunk)
        } catch {
            guard try self.store.disk.status(self.store.names.chunk(chunk.number)) == nil else { throw error }
            self.log.write(.error, "\(error); its events are lost")
            try self.giveUp(chunk, eventCount: 0)
            return nil
        }
        for damage in content.damages {
            self.log.once(
                "\(self.store.names.chunk(chunk.number)) is damaged at byte \(damage.lowerBound): "
                    + "\(damage.count) bytes are left out",
                .error
            )
        }
        self.loaded[chunk.number] = content
        if self.recovered.remove(chunk.number) != nil { self.countRecovered(content) }
        return content
    }

    /// Counts what an earlier run left of a chunk.
    func countRecovered(_ content: LoadedChunk) {
        self.counters.acceptedEvents += UInt64(self.unsettledCount(content))
    }

    /// Events of a chunk that are in no batch yet, or in one that has not ended.
    private func unsettledCount(_ content: LoadedChunk) -> Int {
        let taken = self.cursor.chunks[content.number]?.taken ?? 0
        let begun = self.cursor.openBatches.filter { $0.chunk == content.number }.reduce(0) { $0 + $1.itemCount }
        return max(0, content.eventCount - taken) + begun
    }

    func send(
        _ batch: OutputBatch,
        _ body: [UInt8],
        of chunk: ClosedChunk,
        _ content: LoadedChunk,
        failureCount: Int
    ) throws(FileSystemError) {
        let unsendable = self.sender.unsendable(in: content, items: batch.items)
        guard unsendable.isEmpty else { return try self.rejectUnsent(batch, unsendable, of: chunk) }
        self.inFlight[batch.key] = chunk
        self.counters.requests += 1
        let byteCount = body.count
        self.store.sendingByteCount += byteCount
        self.sender.send(body, batch: batch) { [weak self] result in
            self?.finished(batch, chunk, byteCount: byteCount, result, failureCount: failureCount)
        }
    }

    func finished(
        _ batch: OutputBatch,
        _ chunk: ClosedChunk,
        byteCount: Int,
        _ result: DeliveryResult,
        failureCount: Int
    ) {
        self.inFlight[batch.key] = nil
        self.store.sendingByteCount -= byteCount
        do throws(FileSystemError) {
            switch result {
            case .delivered:
                self.noteSuccess(events: batch.itemCount, bytes: byteCount)
                self.noteLatency(of: chunk)
                _ = try self.cursor.end(batch, again: [])
            case .partly(let again, let rejected, let droppedCount):
                let delivered = batch.itemCount - again.count - rejected.count - droppedCount
                self.counters.droppedEvents += UInt64(droppedCount)
                try self.finishPartly(batch, again, rejected, failureCount: failureCount)
                self.noteSuccess(events: delivered, bytes: byteCount)
                if delivered > 0 { self.noteLatency(of: chunk) }
            case .again(let reason):
                try self.sendLater(batch, reason, failureCount: failureCount + 1)
            case .refused(let reason):
                try self.split(batch, reason)
            }
        } catch {
            // The answer could not be noted: the same batch goes again under the same key.
            self.log.once("\(error); a batch is sent again", .error)
            self.waiting.append(Waiting(batch: batch, notBefore: 0, failureCount: failureCount + 1))
            self.block()
        }
        self.settleIfDone(chunk)
        if self.chunks.isEmpty { self.becameIdle() }
        self.pump()
    }

    func noteSuccess(events: Int, bytes: Int) {
        if self.failureCount > 0 { self.log.write(.info, "the server takes events again") }
        self.failureCount = 0
        self.failingSince = nil
        self.blockedUntil = 0
        self.counters.deliveredEvents += UInt64(events)
        self.counters.deliveredBytes += UInt64(bytes)
    }

    private func noteLatency(of chunk: ClosedChunk) {
        let nanoseconds = self.loop.time.now().nanoseconds - chunk.createdAtNanoseconds
        self.counters.latency.add(nanoseconds: UInt64(max(0, nanoseconds)))
    }

    func settleIfDone(_ chunk: ClosedChunk) {
        guard self.cursor.chunks[chunk.number]?.isSettled == true else { return }
        self.loaded[chunk.number] = nil
        self.chunks.removeAll { $0 === chunk }
        self.store.settle(chunk, by: self.index)
    }

    /// Gives up the rest of a chunk.
    func giveUp(_ chunk: ClosedChunk, eventCount: Int) throws(FileSystemError) {
        try self.cursor.drop(chunk: chunk.number)
        self.counters.droppedEvents += UInt64(eventCount)
        self.waiting.removeAll { $0.batch.chunk == chunk.number }
        self.settleIfDone(chunk)
    }

    /// Drops the oldest chunks that are not on their way while more waits than allowed.
    func dropBeyondLimit() {
        guard let limit = self.options.totalByteCountMax else { return }
        while self.chunks.count > 1, self.waitingByteCount > limit {
            guard let oldest = self.chunks.first(where: { !self.isSending($0) }),
                self.drop(oldest, because: "over storage.total_limit_size")
            else { return }
        }
    }

    /// Whether events of a chunk are on their way.
    func isSending(_ chunk: ClosedChunk) -> Bool { self.inFlight.values.contains { $0 === chunk } }

    /// Gives up a chunk that is not on its way; whether that could be noted.
    @discardableResult
    func drop(_ chunk: ClosedChunk, because reason: String) -> Bool {
        do throws(FileSystemError) {
            let count = try self.load(chunk).map { self.unsettledCount($0) } ?? 0
            self.log.write(.warning, "\(reason): dropping the oldest \(count) events")
            try self.giveUp(chunk, eventCount: count)
            return true
        } catch {
            self.log.once("\(error)", .error)
            return false
        }
    }
}
