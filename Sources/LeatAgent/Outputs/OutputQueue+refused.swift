internal import LeatCore

extension OutputQueue {
    func finishPartly(
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

    /// Ends a batch that cannot be sent as it is; those of its events that can be sent are the next one.
    func rejectUnsent(
        _ batch: OutputBatch,
        _ rejected: [(item: Int, reason: [UInt8])],
        of chunk: ClosedChunk
    ) throws(FileSystemError) {
        try self.reject(batch, rejected)
        let bad = Set(rejected.map(\.item))
        let rest = (0..<batch.itemCount).filter { !bad.contains($0) }
        try self.replace(batch, by: rest.isEmpty ? [] : [batch.ranges(of: rest)], failureCount: 0)
        self.settleIfDone(chunk)
        if self.chunks.isEmpty { self.becameIdle() }
    }

    /// Ends a batch and begins others with parts of its events.
    func replace(_ batch: OutputBatch, by parts: [[Range<Int>]], failureCount: Int) throws(FileSystemError) {
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

    func digest(of content: LoadedChunk, items: [Range<Int>]) -> Digest128 {
        self.sender.body(of: content, items: items).withUnsafeBytes { Digest.xxh128($0) }
    }

    /// The same batch goes again, unless it was tried often enough.
    func sendLater(_ batch: OutputBatch, _ reason: String, failureCount: Int) throws(FileSystemError) {
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
    func split(_ batch: OutputBatch, _ reason: [UInt8]) throws(FileSystemError) {
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
    func reject(_ batch: OutputBatch, _ rejected: [(item: Int, reason: [UInt8])]) throws(FileSystemError) {
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
        let deleted = self.deadLetters.deletedByteCount
        try self.deadLetters.append(lines)
        if self.deadLetters.deletedByteCount > deleted {
            let count = self.deadLetters.deletedByteCount - deleted
            self.log.write(.error, "\(self.deadLetters.path): over its limit, the oldest \(count) bytes were deleted")
        }
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
