internal import CLeatPlatform
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

    func start() {
        do throws(FileSystemError) {
            try self.loop.watch(STDIN_FILENO, for: .read) { [weak self] _ in self?.read() }
            self.isWatched = true
        } catch {
            // A regular file is always ready, and cannot be watched.
            self.loop.enqueue { [weak self] in self?.read() }
        }
    }

    func resume() {
        guard !self.isEnded else { return }
        if self.isWatched {
            self.loop.change(STDIN_FILENO, to: .read)
        } else if self.counters.isPaused {
            self.loop.enqueue { [weak self] in self?.read() }
        }
        self.counters.isPaused = false
    }

    func stop() {
        if self.isWatched { self.loop.unwatch(STDIN_FILENO) }
        self.isWatched = false
        self.isEnded = true
    }

    private func read() {
        guard !self.isEnded else { return }
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            if self.isWatched { self.loop.change(STDIN_FILENO, to: []) }
            return
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
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
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
    }

    private let tag: RouteTag
    private let options: Options
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private var madeCount = 0
    private var timer: TimerQueue.ID?

    init(tag: RouteTag, options: Options, counters: InputCounters, sink: any InputSink, loop: EventLoop) {
        self.tag = tag
        self.options = options
        self.counters = counters
        self.sink = sink
        self.loop = loop
    }

    func start() { self.plan() }

    func resume() {}

    func stop() {
        if let timer { self.loop.cancel(timer) }
        self.timer = nil
    }

    private func plan() {
        if let most = self.options.sampleCount, self.madeCount >= most { return }
        self.timer = self.loop.schedule(after: self.options.interval) { [weak self] in self?.make() }
    }

    private func make() {
        if self.sink.hasRoom(for: self.counters) {
            var events = EventList()
            let left = self.options.sampleCount.map { $0 - self.madeCount } ?? .max
            for _ in 0..<min(left, self.options.eventsPerTurn) {
                events.bytes.append(contentsOf: self.options.record)
                events.endEvent(time: self.loop.time.now().nanoseconds)
            }
            self.madeCount += events.count
            self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters)
        }
        self.plan()
    }
}

/// `[INPUT] tcp`: takes JSON or lines from any number of connections.
final class TCPInput: Input {
    private static let readByteCount = 64 << 10
    private static let connectionCountMax = 1_024

    private let tag: RouteTag
    private let host: String
    private let port: Int
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let makeReceiver: () -> LineReceiver
    private var descriptor: Int32 = -1
    private var receivers: [Int32: LineReceiver] = [:]

    init(
        tag: RouteTag,
        host: String,
        port: Int,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        makeReceiver: @escaping () -> LineReceiver
    ) {
        self.tag = tag
        self.host = host
        self.port = port
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.makeReceiver = makeReceiver
    }

    func start() throws(InputError) {
        (self.descriptor, _) = try ListeningSocket.open(host: self.host, port: self.port)
        do throws(FileSystemError) {
            try self.loop.watch(self.descriptor, for: .read) { [weak self] _ in self?.accept() }
        } catch {
            throw InputError(description: "\(error)")
        }
    }

    func resume() {
        guard self.counters.isPaused else { return }
        self.counters.isPaused = false
        for descriptor in self.receivers.keys { self.loop.change(descriptor, to: .read) }
    }

    func stop() {
        for descriptor in Array(self.receivers.keys) { self.drop(descriptor) }
        guard self.descriptor >= 0 else { return }
        self.loop.unwatch(self.descriptor)
        _ = Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    private func accept() {
        while self.receivers.count < Self.connectionCountMax {
            let descriptor = leat_accept(self.descriptor)
            if descriptor < 0 { return }
            self.receivers[descriptor] = self.makeReceiver()
            do throws(FileSystemError) {
                try self.loop.watch(descriptor, for: .read) { [weak self] _ in self?.read(descriptor) }
            } catch {
                self.drop(descriptor)
            }
        }
    }

    private func drop(_ descriptor: Int32) {
        guard var receiver = self.receivers.removeValue(forKey: descriptor) else { return }
        self.loop.unwatch(descriptor)
        _ = Glibc.close(descriptor)
        var events = EventList()
        receiver.finish(now: Moment(self.loop.time), to: &events)
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
    }

    private func read(_ descriptor: Int32) {
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            return self.loop.change(descriptor, to: [])
        }
        guard var receiver = self.receivers.removeValue(forKey: descriptor) else { return }
        var events = EventList()
        let now = Moment(self.loop.time)
        let count = withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 8) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { receiver.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), now: now, to: &events) }
            return count
        }
        let isOver = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
        self.receivers[descriptor] = receiver
        self.counters.readBytes += UInt64(max(0, count))
        if !events.isEmpty { self.sink.accept(InputRead(tag: self.tag, events: events), from: self.counters) }
        if isOver { self.drop(descriptor) }
    }
}
