internal import Glibc
internal import LeatCore

/// `[INPUT] stdin`: reads standard input to its end, then ends the agent.
final class StdinInput: Input {
    private static let readByteCount = 64 << 10

    private let tag: RouteTag
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var receiver: LineReceiver
    private var isWatched = false
    private var isEnded = false

    init(tag: RouteTag, counters: InputCounters, sink: any InputSink, loop: EventLoop, receiver: LineReceiver) {
        self.tag = tag
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.receiver = receiver
    }

    func start() { self.watch() }

    private func watch() {
        do throws(FileSystemError) {
            try self.loop.watch(STDIN_FILENO, for: .read) { [weak self] _ in self?.read() }
            self.isWatched = true
        } catch {
            // A regular file is always ready, and cannot be watched.
            self.loop.enqueue { [weak self] in self?.read() }
        }
    }

    func resume() {
        guard !self.isEnded, self.counters.isPaused else { return }
        self.counters.isPaused = false
        self.watch()
    }

    func stop() {
        self.unwatch()
        self.isEnded = true
    }

    private func unwatch() {
        if self.isWatched { self.loop.unwatch(STDIN_FILENO) }
        self.isWatched = false
    }

    private func read() {
        guard !self.isEnded else { return }
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            // The end of the stream would be told again and again.
            return self.unwatch()
        }
        var events = EventList()
        let now = Moment(self.loop.time)
        let count = withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 8) { buffer in
            let count = Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
            if count > 0 {
                self.receiver.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), now: now, to: &events)
            }
            return count
        }
        if count == 0 { self.receiver.finish(now: now, to: &events) }
        self.counters.readBytes += UInt64(max(0, count))
        self.sink.accept(events, tag: self.tag, from: self.counters)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) {
            self.stop()
            self.sink.inputEnded()
        } else if !self.isWatched {
            self.loop.enqueue { [weak self] in self?.read() }
        }
    }
}

/// `[INPUT] dummy`: makes events by the clock.
final class DummyInput: Input {
    struct Options {
        /// The record's members.
        var record: [UInt8] = []
        /// Events in all; `nil`: without end.
        var sampleCount: Int?
        var eventsPerTurn = 1
        var interval = Duration.seconds(1)
        var makesFirstAtOnce = false
        /// Time of the first event, nanoseconds since 1970; `nil`: the clock's.
        var startNanoseconds: Int64?
        /// Whether all events have the first one's time.
        var isTimeFixed = false
    }

    private let tag: RouteTag
    private let options: Options
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var madeCount = 0
    private var timer: TimerQueue.ID?
    /// The clock's time of the first event.
    private var begunAt: Int64?

    init(tag: RouteTag, options: Options, counters: InputCounters, sink: any InputSink, loop: EventLoop) {
        self.tag = tag
        self.options = options
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    func start() {
        if self.options.makesFirstAtOnce { self.loop.enqueue { [weak self] in self?.make() } } else { self.plan() }
    }

    func resume() {}

    func stop() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
    }

    private func plan() {
        if let most = self.options.sampleCount, self.madeCount >= most { return }
        self.timer = self.loop.schedule(after: self.options.interval) { [weak self] in self?.make() }
    }

    /// The time of an event: the clock's, or as much behind the configured start as the clock has moved.
    private func nextTime() -> Int64 {
        let now = self.loop.time.now().nanoseconds
        let begunAt = self.begunAt ?? now
        self.begunAt = begunAt
        let passed = self.options.isTimeFixed ? 0 : now - begunAt
        return (self.options.startNanoseconds ?? begunAt) &+ passed
    }

    private func make() {
        if self.sink.hasRoom(for: self.counters) {
            var events = EventList()
            let left = self.options.sampleCount.map { $0 - self.madeCount } ?? .max
            for _ in 0..<min(left, self.options.eventsPerTurn) {
                events.bytes.append(contentsOf: self.options.record)
                events.endEvent(time: self.nextTime())
            }
            self.madeCount += events.count
            self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters)
        }
        self.plan()
    }
}
