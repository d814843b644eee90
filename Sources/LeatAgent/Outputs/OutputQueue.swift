internal import LeatCore

/// What an output has done so far, for monitoring.
final class OutputCounters {
    /// Events that came to the output, in this run or waiting from earlier ones.
    var acceptedEvents: UInt64 = 0
    var deliveredEvents: UInt64 = 0
    var deliveredBytes: UInt64 = 0
    /// Events in the dead-letter file.
    var rejectedEvents: UInt64 = 0
    /// Events given up: over `storage.total_limit_size`, or in damaged chunks.
    var droppedEvents: UInt64 = 0
    /// Batches sent again.
    var retries: UInt64 = 0
    /// Events in batches sent again.
    var retriedEvents: UInt64 = 0
    /// Batches given up after `Retry_Limit`.
    var failedRetries: UInt64 = 0
    var errors: UInt64 = 0
    var requests: UInt64 = 0

    /// Events that wait: all accepted ones that have no other end.
    var bufferedEvents: UInt64 {
        let ended = self.deliveredEvents + self.rejectedEvents + self.droppedEvents
        return self.acceptedEvents > ended ? self.acceptedEvents - ended : 0
    }
}

/// Takes one output through the chunks: forms batches, keeps its cursor, sends, and sends again.
///
/// Each output has its own, so that a slow one holds nobody else. The order of every step is the promise: the batch is
/// durable before it is sent, what must go again is durable together with the end of what was answered, and the chunk is
/// settled last.
final class OutputQueue {
    /// What is to be sent: a batch, and when at the earliest.
    private struct Waiting {
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

    private let store: ChunkStore
    private let cursor: OutputCursor
    private let deadLetters: DeadLetters
    private let loop: EventLoop
    private let log: AgentLog
    private let options: Options

    private var chunks: [ClosedChunk] = []
    private var waiting: [Waiting] = []
    private var inFlight: [BatchKey: ClosedChunk] = [:]
    private var loaded: [UInt64: LoadedChunk] = [:]
    /// Chunks of earlier runs whose events are not counted yet.
    private var recovered: Set<UInt64> = []
    private var failureCount = 0
    private var failingSince: UInt64?
    private var blockedUntil: UInt64 = 0
    private var timer: TimerQueue.ID?
    private var isStopping = false
    private var random = SystemRandomNumberGenerator()

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
            while self.inFlight.count < self.options.workerCount {
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

    /// Wakes up when the next batch is due.
    private func plan() {
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
    private func block() {
        self.failureCount += 1
        if self.failingSince == nil { self.failingSince = self.loop.time.monotonicNanoseconds() }
        let delay = self.options.retry.delay(failureCount: self.failureCount, random: &self.random)
        self.blockedUntil = self.loop.time.monotonicNanoseconds() + delay.wholeNanoseconds
    }
}

// MARK: - Sending

extension OutputQueue {
    /// Forms and sends the next batch of a chunk.
    private func sendNext(of chunk: ClosedChunk) throws(FileSystemError) {
        guard let content = try self.load(chunk) else { return }
        let first = self.cursor.chunks[chunk.number]?.taken ?? 0
        let end = min(content.eventCount, first + self.options.batchItemCountMax)
        guard first < end else { return try self.giveUp(chunk, eventCount: 0) }
        let body = self.sender.body(of: content, items: [first..<end])
        let batch = try self.cursor.begin(
            chunk: chunk.number,
            items: first..<end,
            endsChunk: end == content.eventCount,
            digest: body.withUnsafeBytes { Digest.xxh128($0) }
        )
        self.send(batch, body, of: chunk, failureCount: 0)
    }

    /// Sends a batch that was begun before.
    private func sendAgain(_ next: Waiting) throws(FileSystemError) {
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
        self.send(batch, body, of: chunk, failureCount: next.failureCount)
    }

    /// The frames of a chunk; `nil` when it had to be given up.
    private func load(_ chunk: ClosedChunk) throws(FileSystemError) -> LoadedChunk? {
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
    private func countRecovered(_ content: LoadedChunk) {
        let taken = self.cursor.chunks[content.number]?.taken ?? 0
        let begun = self.cursor.openBatches.filter { $0.chunk == content.number }.reduce(0) { $0 + $1.itemCount }
        self.counters.acceptedEvents += UInt64(max(0, content.eventCount - taken) + begun)
    }

    private func send(_ batch: OutputBatch, _ body: [UInt8], of chunk: ClosedChunk, failureCount: Int) {
        self.inFlight[batch.key] = chunk
        self.counters.requests += 1
        let byteCount = body.count
        self.sender.send(body, batch: batch) { [weak self] result in
            self?.finished(batch, chunk, byteCount: byteCount, result, failureCount: failureCount)
        }
    }

    private func finished(
        _ batch: OutputBatch,
        _ chunk: ClosedChunk,
        byteCount: Int,
        _ result: DeliveryResult,
        failureCount: Int
    ) {
        self.inFlight[batch.key] = nil
        do throws(FileSystemError) {
            switch result {
            case .delivered:
                self.noteSuccess(events: batch.itemCount, bytes: byteCount)
                _ = try self.cursor.end(batch, again: [])
            case .partly(let again, let rejected):
                let delivered = batch.itemCount - again.count - rejected.count
                try self.finishPartly(batch, again, rejected, failureCount: failureCount)
                self.noteSuccess(events: delivered, bytes: byteCount)
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

    private func noteSuccess(events: Int, bytes: Int) {
        if self.failureCount > 0 { self.log.write(.info, "the server takes events again") }
        self.failureCount = 0
        self.failingSince = nil
        self.blockedUntil = 0
        self.counters.deliveredEvents += UInt64(events)
        self.counters.deliveredBytes += UInt64(bytes)
    }

    private func settleIfDone(_ chunk: ClosedChunk) {
        guard self.cursor.chunks[chunk.number]?.isSettled == true else { return }
        self.loaded[chunk.number] = nil
        self.chunks.removeAll { $0 === chunk }
        self.store.settle(chunk, by: self.index)
    }

    /// Gives up the rest of a chunk.
    private func giveUp(_ chunk: ClosedChunk, eventCount: Int) throws(FileSystemError) {
        try self.cursor.drop(chunk: chunk.number)
        self.counters.droppedEvents += UInt64(eventCount)
        self.waiting.removeAll { $0.batch.chunk == chunk.number }
        self.settleIfDone(chunk)
    }

    /// Drops the oldest chunks that are not on their way while more waits than allowed.
    private func dropBeyondLimit() {
        guard let limit = self.options.totalByteCountMax else { return }
        do throws(FileSystemError) {
            while self.chunks.count > 1, self.waitingByteCount > limit {
                let busy = Set(self.inFlight.values.map(\.number))
                guard let oldest = self.chunks.first(where: { !busy.contains($0.number) }) else { return }
                let count = try self.load(oldest)?.eventCount ?? 0
                self.log.write(.warning, "over storage.total_limit_size: dropping the oldest \(count) events")
                try self.giveUp(oldest, eventCount: count)
            }
        } catch {
            self.log.once("\(error)", .error)
        }
    }
}

// MARK: - What was not taken

extension OutputQueue {
    private func finishPartly(
        _ batch: OutputBatch,
        _ again: [Int],
        _ rejected: [(item: Int, reason: [UInt8])],
        failureCount: Int
    ) throws(FileSystemError) {
        if !rejected.isEmpty { try self.reject(batch, rejected) }
        guard !again.isEmpty else {
            _ = try self.cursor.end(batch, again: [])
            return
        }
        let items = batch.ranges(of: again)
        try self.replace(batch, by: [items], failureCount: failureCount + 1)
        self.counters.retries += 1
        self.counters.retriedEvents += UInt64(again.count)
        self.log.write(.info, "\(again.count) of \(batch.itemCount) events go again")
    }

    /// Ends a batch and begins others with parts of its events.
    private func replace(_ batch: OutputBatch, by parts: [[Range<Int>]], failureCount: Int) throws(FileSystemError) {
        guard let chunk = self.chunks.first(where: { $0.number == batch.chunk }), let content = try self.load(chunk)
        else {
            return
        }
        let successors = parts.map { (items: $0, digest: self.digest(of: content, items: $0)) }
        let delay = self.options.retry.delay(failureCount: failureCount, random: &self.random)
        let notBefore = failureCount == 0 ? 0 : self.loop.time.monotonicNanoseconds() + delay.wholeNanoseconds
        for successor in try self.cursor.end(batch, again: successors) {
            self.waiting.append(Waiting(batch: successor, notBefore: notBefore, failureCount: failureCount))
        }
    }

    private func digest(of content: LoadedChunk, items: [Range<Int>]) -> Digest128 {
        self.sender.body(of: content, items: items).withUnsafeBytes { Digest.xxh128($0) }
    }

    /// The same batch goes again, unless it was tried often enough.
    private func sendLater(_ batch: OutputBatch, _ reason: String, failureCount: Int) throws(FileSystemError) {
        self.counters.errors += 1
        if let limit = self.options.retryLimit, failureCount > limit {
            self.counters.failedRetries += 1
            self.log.write(.error, "\(reason); given up after \(failureCount) tries, see \(self.deadLetters.path)")
            let text = Self.reasonText("retry_limit", reason)
            try self.reject(batch, (0..<batch.itemCount).map { ($0, text) })
            _ = try self.cursor.end(batch, again: [])
            return
        }
        if failureCount == 1 || failureCount % 20 == 0 {
            self.log.write(.warning, "\(reason); \(batch.itemCount) events go again")
        }
        self.counters.retries += 1
        self.counters.retriedEvents += UInt64(batch.itemCount)
        self.waiting.insert(Waiting(batch: batch, notBefore: 0, failureCount: failureCount), at: 0)
        self.block()
    }

    /// Sends the halves of a batch that the server does not want as a whole; a single event is rejected.
    private func split(_ batch: OutputBatch, _ reason: [UInt8]) throws(FileSystemError) {
        self.counters.errors += 1
        guard batch.itemCount > 1 else {
            try self.reject(batch, [(0, reason)])
            _ = try self.cursor.end(batch, again: [])
            return
        }
        self.log.write(.info, "the server refuses \(batch.itemCount) events together; sending two halves")
        let half = batch.itemCount / 2
        let parts = [0..<half, half..<batch.itemCount].map { batch.ranges(of: Array($0)) }
        try self.replace(batch, by: parts, failureCount: 0)
    }

    /// Puts events into the dead-letter file.
    private func reject(_ batch: OutputBatch, _ rejected: [(item: Int, reason: [UInt8])]) throws(FileSystemError) {
        guard let chunk = self.chunks.first(where: { $0.number == batch.chunk }), let content = try self.load(chunk)
        else {
            return
        }
        var reasons: [Int: [UInt8]] = [:]
        for entry in rejected { reasons[entry.item] = entry.reason }
        var lines: [UInt8] = []
        var item = 0
        let now = self.loop.time.now()
        content.forEachEvent(in: batch.items) { event, record in
            if let reason = reasons[item] {
                lines += self.deadLetters.line(event, record: record, reason: reason, now: now)
            }
            item += 1
        }
        try self.deadLetters.append(lines)
        self.counters.rejectedEvents += UInt64(rejected.count)
        let example = rejected.first.map { String(decoding: $0.reason.prefix(200), as: UTF8.self) } ?? ""
        self.log.write(.warning, "\(rejected.count) events were refused, see \(self.deadLetters.path): \(example)")
    }

    /// A reason of our own in the form that servers use.
    static func reasonText(_ type: String, _ reason: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        bytes.appendMember("type", text: type.utf8, start: 1)
        bytes.appendMember("reason", text: reason.utf8, start: 1)
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension OutputBatch {
    /// The events with these numbers in the batch, ascending, as numbers in the chunk.
    func ranges(of items: [Int]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var rangeIndex = 0
        var before = 0
        for item in items {
            while item - before >= self.items[rangeIndex].count {
                before += self.items[rangeIndex].count
                rangeIndex += 1
            }
            let number = self.items[rangeIndex].lowerBound + item - before
            if let last = result.last, last.upperBound == number {
                result[result.count - 1] = last.lowerBound..<(number + 1)
            } else {
                result.append(number..<(number + 1))
            }
        }
        return result
    }
}
