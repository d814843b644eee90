import LeatCore
import LeatTesting

@testable import LeatAgent

/// A server that stores a batch once by its key, as ours does, and answers as badly as a test wants.
final class ModelServer {
    /// What became of a batch's events, by their number in it.
    private var outcomes: [BatchKey: (digest: Digest128, again: [Int], rejected: [Int])] = [:]
    /// How often each event was stored, per output.
    private(set) var stored: [[String: Int]] = [[:], [:]]
    /// Keys that came with other bytes than before.
    private(set) var changedBatches = 0
    /// Per event where it came from, for messages.
    private(set) var history: [String: [String]] = [:]
    /// Starts of the agent so far.
    var runCount = 0

    /// Takes a batch; says what is not taken.
    func take(
        _ batch: OutputBatch,
        _ body: [UInt8],
        output: Int,
        random: inout SeededRandom
    ) -> (again: [Int], rejected: [Int]) {
        if let known = self.outcomes[batch.key] {
            if known.digest != batch.digest { self.changedBatches += 1 }
            return (known.again, known.rejected)
        }
        let events = String(decoding: body, as: UTF8.self).split(separator: "\n").map(String.init)
        precondition(events.count == batch.itemCount, "\(events.count) events in a batch of \(batch.itemCount)")
        var again: [Int] = []
        var rejected: [Int] = []
        let isPicky = Int.random(in: 0..<4, using: &random) == 0
        for (number, event) in events.enumerated() {
            switch isPicky ? Int.random(in: 0..<6, using: &random) : 5 {
            case 0: again.append(number)
            case 1: rejected.append(number)
            default:
                self.stored[output][event, default: 0] += 1
                self.history["\(output) \(event)", default: []].append("run \(self.runCount) chunk \(batch.chunk)")
            }
        }
        self.outcomes[batch.key] = (batch.digest, again, rejected)
        return (again, rejected)
    }
}

/// Keeps batches until the test answers them.
final class ModelSender: BatchSender {
    struct Pending {
        let batch: OutputBatch
        let body: [UInt8]
        let completion: (DeliveryResult) -> Void
    }

    var pending: [Pending] = []

    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var bytes: [UInt8] = []
        chunk.forEachEvent(in: items) { _, record in
            bytes.append(contentsOf: record)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    func send(_ body: [UInt8], batch: OutputBatch, completion: @escaping (DeliveryResult) -> Void) {
        self.pending.append(Pending(batch: batch, body: body, completion: completion))
    }

    func close() {}
}

/// The buffer and two outputs on a simulated disk, between files that grow and a server; it can crash at any moment.
///
/// Every fifth event is held back for a while, as a filter does.
final class BufferWorld {
    static let sourceCount = 3
    static let eventsPerSource = 60
    private static let names = BufferFileNames(folder: "/state")
    private static let outputs = ["a", "b"]

    private(set) var disk: SimulatedFileSystem
    let server = ModelServer()
    private let time = ManualTime()
    private var random: SeededRandom
    private var loop: EventLoop
    private var store: ChunkStore
    private var queues: [OutputQueue] = []
    private var senders: [ModelSender] = []
    /// Per source its number and how many events were read.
    private var reads: [(source: UInt64, count: Int)] = []
    /// Per source the numbers of events that a filter holds back.
    private var held: [[Int]] = []
    /// A flush that the disk's thread works on, and whether it has done so.
    private var flushing: (flush: ChunkFlush, isRun: Bool)?

    init(seed: UInt64) throws {
        self.random = SeededRandom(seed: seed)
        self.disk = SimulatedFileSystem()
        self.loop = try EventLoop(time: self.time)
        self.store = try Self.openStore(self.disk, self.time).store
        try self.start()
    }

    deinit { self.end() }

    /// Lets go of the last run: its store and its queues hold each other, and the loop's descriptors.
    private func end() { self.store.chunkClosed = { _ in } }

    private static func openStore(
        _ disk: SimulatedFileSystem,
        _ time: ManualTime
    ) throws -> (store: ChunkStore, cursors: [OutputCursor]) {
        var limits = BufferLimits()
        limits.chunkByteCountMax = 2_000
        limits.cursorByteCountMax = 2_000
        limits.diskReserveByteCount = 0
        try disk.createDirectory(self.names.folder)
        let cursors = try self.outputs.map { output in
            try OutputCursor(
                output: output,
                names: self.names,
                limits: limits,
                disk: disk,
                series: Series(high: SystemRandom.uint64(), low: SystemRandom.uint64())
            )
        }
        let recovered = try BufferRecovery(
            disk: disk,
            names: self.names,
            outputNames: self.outputs,
            chunksBegun: Set(cursors.flatMap { $0.chunks.keys })
        ).run()
        precondition(recovered.damagedByteCount == 0, "\(recovered.notes)")
        for cursor in cursors { cursor.keepOnly(chunks: Set(recovered.chunks.map(\.number))) }
        let store = ChunkStore(
            names: self.names,
            limits: limits,
            disk: disk,
            time: time,
            outputNames: self.outputs,
            recovered: recovered
        )
        store.chunkRemoved = { number in for cursor in cursors { cursor.forget(chunk: number) } }
        return (store, cursors)
    }

    /// Opens what is on the disk and goes on.
    private func start() throws {
        self.server.runCount += 1
        self.flushing = nil
        let opened = try Self.openStore(self.disk, self.time)
        self.end()
        self.store = opened.store
        self.loop = try EventLoop(time: self.time)
        self.senders = Self.outputs.map { _ in ModelSender() }
        self.queues = opened.cursors.enumerated().map { index, cursor in
            OutputQueue(
                name: Self.outputs[index],
                index: index,
                sender: self.senders[index],
                store: opened.store,
                cursor: cursor,
                deadLetters: DeadLetters(output: Self.outputs[index], names: Self.names, disk: self.disk),
                loop: self.loop,
                log: AgentLog(level: nil, descriptor: 2, time: self.time),
                options: OutputQueue.Options(batchItemCountMax: 7)
            )
        }
        let distribute = { [queues = self.queues] (chunk: ClosedChunk) in
            for index in chunk.remaining.indices { queues[index].add(chunk) }
        }
        self.store.chunkClosed = distribute
        for chunk in self.store.closed.values.sorted(by: { $0.number < $1.number }) { distribute(chunk) }
        for queue in self.queues { queue.resume() }
        self.reads = (0..<Self.sourceCount).map { self.readPosition(of: $0) }
        self.held = (0..<Self.sourceCount).map { source in
            (self.store.positions.held.events[Self.heldKey(source)] ?? []).map { Int($0.time) }
        }
    }

    private static func heldKey(_ source: Int) -> HeldKey {
        HeldKey(filter: "f.0", tag: "t", stream: Array("\(source)".utf8))
    }

    private static func members(_ source: Int, _ number: Int) -> [UInt8] { Array("\"e\":\"\(source)-\(number)\"".utf8) }

    private func readPosition(of source: Int) -> (source: UInt64, count: Int) {
        let known = self.store.positions.sources.values.filter { $0.path == "/log/\(source)" }.max {
            $0.source < $1.source
        }
        guard let known else { return (self.store.nextSequence(), 0) }
        return (known.source, Int(known.offset / 10))
    }

    /// Does one thing; throws when the disk has failed it.
    func step() {
        switch Int.random(in: 0..<13, using: &self.random) {
        case 12: self.release()
        case 0..<4: self.read()
        case 4..<6: self.flush()
        case 6..<10: self.answer()
        case 10:
            do { try self.store.checkpoint() } catch { return }
        default: self.turn(.milliseconds(400))
        }
    }

    private func read() {
        let source = Int.random(in: 0..<Self.sourceCount, using: &self.random)
        let first = self.reads[source].count
        let count = min(Int.random(in: 1...6, using: &self.random), Self.eventsPerSource - first)
        guard count > 0, !self.store.isFull else { return }
        let numbers = first..<(first + count)
        let handsOn = Bool.random(using: &self.random)
        let news = numbers.filter { $0 % 5 == 4 }
        let passed = (handsOn ? self.held[source] : []) + numbers.filter { $0 % 5 != 4 }
        let changes = self.changeHeld(of: source, handsOn: handsOn, news: news)
        self.reads[source].count += count
        var position = SourcePosition(
            source: self.reads[source].source,
            path: "/log/\(source)",
            identity: FileIdentity(device: 1, inode: UInt64(source), prefixByteCount: 0, prefixDigest: 0),
            offset: UInt64(10 * (first + count)),
            marker: .none
        )
        position.modifiedAtNanoseconds = 1
        self.store.append(
            Self.frames(of: source, passed),
            position: position,
            startOffset: UInt64(10 * first),
            held: changes
        )
    }

    private static func frames(of source: Int, _ numbers: [Int]) -> [ChunkStore.NewFrame] {
        var lists: [OutputSet: EventList] = [:]
        for number in numbers {
            let set = Self.outputs(of: number)
            lists[set, default: EventList()].bytes += Self.members(source, number)
            lists[set]?.endEvent(time: Int64(number))
        }
        return lists.map { ChunkStore.NewFrame(outputs: $0.key, tag: RouteTag("t"), events: $0.value) }
    }

    /// Holds more events of a source, after handing those on that were held.
    private func changeHeld(of source: Int, handsOn: Bool, news: [Int]) -> [HeldChange] {
        let replaces = handsOn && !self.held[source].isEmpty
        if replaces { self.held[source] = [] }
        self.held[source] += news
        guard replaces || !news.isEmpty else { return [] }
        let events = news.map { HeldEvent(time: Int64($0), members: Self.members(source, $0)) }
        return [HeldChange(key: Self.heldKey(source), replaces: replaces, events: events)]
    }

    /// Time ends what is held of a source, without a read.
    private func release() {
        let source = Int.random(in: 0..<Self.sourceCount, using: &self.random)
        let numbers = self.held[source]
        guard !numbers.isEmpty else { return }
        let changes = self.changeHeld(of: source, handsOn: true, news: [])
        self.store.append(Self.frames(of: source, numbers), position: nil, startOffset: 0, held: changes)
    }

    /// Which outputs an event is for.
    private static func outputs(of number: Int) -> OutputSet {
        var set = OutputSet()
        if number % 3 != 1 { set.insert(0) }
        if number % 3 != 0 { set.insert(1) }
        return set
    }

    /// Takes a flush one step further: begun, done by another thread, noted on the loop.
    private func flush() {
        if let flushing = self.flushing {
            if flushing.isRun {
                self.flushing = nil
                self.store.finishFlush(flushing.flush)
                self.closeWanted()
            } else {
                flushing.flush.run()
                self.flushing?.isRun = true
            }
        } else if let flush = self.store.beginFlush(isWanted: { self.isWanted($0) }) {
            self.flushing = (flush, false)
        }
        for queue in self.queues { queue.pump() }
    }

    private func isWanted(_ set: OutputSet) -> Bool { set.indices.contains { self.queues[$0].wantsChunk } }

    private func closeWanted() { self.store.closeWanted { self.isWanted($0) } }

    private func answer() {
        let index = Int.random(in: 0..<2, using: &self.random)
        guard !self.senders[index].pending.isEmpty else { return }
        let pending = self.senders[index].pending.removeFirst()
        let kind = Int.random(in: 0..<10, using: &self.random)
        // Never arrived.
        if kind == 0 { return pending.completion(.again(reason: "lost")) }
        let outcome = self.server.take(pending.batch, pending.body, output: index, random: &self.random)
        // Arrived, but the answer did not.
        if kind == 1 { return pending.completion(.again(reason: "cut")) }
        if outcome.again.isEmpty && outcome.rejected.isEmpty { return pending.completion(.delivered) }
        pending.completion(.partly(again: outcome.again, rejected: outcome.rejected.map { ($0, Array("{}".utf8)) }))
    }

    private func turn(_ duration: Duration) {
        self.time.advance(by: duration)
        self.loop.turn(waitsAtMost: .zero)
        self.closeWanted()
        for queue in self.queues { queue.pump() }
    }

    /// The process is killed (the disk stays), or the power goes (only what is durable must stay); then a new start.
    func crash(isPowerCut: Bool) throws {
        self.disk.setFaults(nil)
        if isPowerCut || self.disk.isPowerCut { self.disk = self.disk.crashed(seed: self.random.next()) }
        try self.start()
    }

    /// Reads, sends and answers until nothing is left.
    func drain() -> Bool {
        for _ in 0..<20_000 {
            self.step()
            let isRead = self.reads.allSatisfy { $0.count == Self.eventsPerSource } && self.held.allSatisfy(\.isEmpty)
            let isFlushed = !self.store.needsFlush && self.flushing == nil
            if isRead, isFlushed, self.queues.allSatisfy(\.isDone), self.store.closed.count <= 1 {
                self.turn(.seconds(10))
                if self.queues.allSatisfy(\.isDone), !self.store.needsFlush { return true }
            }
        }
        return false
    }

    /// Events that are not stored exactly once, or rejected instead, with their counts.
    func mistakes() throws -> [String] {
        var result: [String] = []
        for (index, name) in Self.outputs.enumerated() {
            let path = Self.names.deadLetter(name)
            let letters = try self.disk.status(path) == nil ? "" : try self.disk.contents(path).text
            let rejected = Set(letters.split(separator: "\n").compactMap { Self.event(in: $0) })
            for source in 0..<Self.sourceCount {
                for number in 0..<Self.eventsPerSource where Self.outputs(of: number).contains(index) {
                    let event = "\"e\":\"\(source)-\(number)\""
                    let count = self.server.stored[index][event] ?? 0
                    let expected = rejected.contains(event) ? 0 : 1
                    if count != expected {
                        let history = self.server.history["\(index) \(event)"] ?? []
                        result.append("\(name): \(event) stored \(count) times: \(history)")
                    }
                }
            }
        }
        if self.server.changedBatches > 0 { result.append("\(self.server.changedBatches) batches changed") }
        return result
    }

    /// The event of a dead-letter line.
    private static func event(in line: Substring) -> String? {
        guard let start = line.range(of: "\"e\":\"") else { return nil }
        let rest = line[start.upperBound...].prefix { $0 != "\"" }
        return "\"e\":\"\(rest)\""
    }
}

extension Substring {
    /// Where a text first occurs.
    fileprivate func range(of text: String) -> Range<Index>? {
        var index = self.startIndex
        while index < self.endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
