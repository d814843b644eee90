internal import Glibc
internal import LeatCore

/// `[INPUT] exec`: runs a command, once or by the clock, and makes an event of each line that it prints.
///
/// A run is over when its output has ended and the shell has; only then may the next one begin.
final class ExecInput: Input {
    struct Options {
        var command = ""
        /// The time between two runs.
        var interval = Duration.seconds(1)
        /// Whether the command runs at the start, and never again.
        var runsOnce = false
        /// Whether the agent ends with that run.
        var endsAgent = false
        /// Whether it then exits with the command's code.
        var passesExitCode = false
    }

    /// Where a run stands.
    private enum Phase {
        /// Its output is watched.
        case reading
        /// The buffer is full.
        case paused
        /// Its output has ended.
        case ending
    }

    /// The code of a command that could not be started; no shell exits with it.
    private static let failureCode: Int32 = 128
    private static let readByteCount = 64 << 10
    /// How long a command may take to end after it was asked to.
    private static let patience = Duration.seconds(1)

    private let tag: RouteTag
    private let options: Options
    private let counters: InputCounters
    private unowned let sink: any InputSink
    private let loop: EventLoop
    private let log: AgentLog
    private var receiver: LineReceiver
    private var run: ShellCommand?
    private var phase = Phase.reading
    private var timer: TimerQueue.ID?
    private var endTimer: TimerQueue.ID?
    /// Whether the only run is still to begin.
    private var isDue: Bool
    private var isStopped = false

    init(
        tag: RouteTag,
        options: Options,
        counters: InputCounters,
        sink: any InputSink,
        loop: EventLoop,
        receiver: LineReceiver,
        log: AgentLog
    ) {
        self.tag = tag
        self.options = options
        self.counters = counters
        self.sink = sink
        self.loop = loop
        self.receiver = receiver
        self.log = log
        self.isDue = options.runsOnce
    }

    func start() {
        if self.options.runsOnce { self.loop.enqueue { [weak self] in self?.begin() } } else { self.plan() }
    }

    func resume() {
        guard self.counters.isPaused, !self.isStopped else { return }
        self.counters.isPaused = false
        if self.isDue { self.begin() }
        if self.phase == .paused, let run { self.watch(run) }
    }

    private func plan() {
        self.timer = self.loop.schedule(after: self.options.interval) { [weak self] in
            self?.plan()
            self?.begin()
        }
    }
}

// MARK: - A run

extension ExecInput {
    private func begin() {
        guard !self.isStopped else { return }
        guard self.run == nil else {
            let text = "the command still runs; it begins again with the first interval after its end"
            return self.log.once("\(self.counters.name): \(text)", .warning)
        }
        guard self.sink.hasRoom(for: self.counters) else {
            self.counters.isPaused = true
            return
        }
        self.isDue = false
        do throws(FileSystemError) {
            let run = try ShellCommand(self.options.command)
            self.run = run
            self.watch(run)
        } catch {
            self.log.once("\(self.counters.name): \(error)", .error)
            self.ended(Self.failureCode)
        }
    }

    private func watch(_ run: ShellCommand) {
        do throws(FileSystemError) {
            try self.loop.watch(run.descriptor, for: .read) { [weak self] _ in self?.read(run) }
            self.phase = .reading
        } catch {
            self.log.once("\(self.counters.name): \(error)", .error)
            run.signal(SIGKILL)
            self.outputEnded(run)
        }
    }

    private func read(_ run: ShellCommand) {
        guard self.sink.hasRoom(for: self.counters) else {
            // Without a watch, as the end of the output would be told again and again.
            self.loop.unwatch(run.descriptor)
            self.counters.isPaused = true
            self.phase = .paused
            return
        }
        guard self.take(run) else { return }
        self.loop.unwatch(run.descriptor)
        self.outputEnded(run)
    }

    /// Takes what the command has printed, at most one read; whether there will be no more.
    private func take(_ run: ShellCommand) -> Bool {
        var events = EventList()
        let now = Moment(self.loop.time)
        let output = withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 8) { buffer in
            let output = run.read(into: buffer)
            if case .bytes(let count) = output {
                self.counters.readBytes += UInt64(count)
                self.receiver.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), now: now, to: &events)
            }
            return output
        }
        var isEnd = false
        if case .end = output {
            isEnd = true
            self.receiver.finish(now: now, to: &events)
        }
        self.handOn(events)
        return isEnd
    }

    private func handOn(_ events: EventList) { self.sink.accept(events, tag: self.tag, from: self.counters) }

    private func outputEnded(_ run: ShellCommand) {
        self.phase = .ending
        self.awaitEnd(run, after: .milliseconds(1))
    }

    /// Most shells end with their output; others are asked again, less and less often.
    private func awaitEnd(_ run: ShellCommand, after delay: Duration) {
        if let code = run.reap() {
            self.run = nil
            return self.ended(code)
        }
        self.endTimer = self.loop.schedule(after: delay) { [weak self] in
            self?.awaitEnd(run, after: min(delay * 2, .seconds(1)))
        }
    }

    private func ended(_ code: Int32) {
        self.log.write(.debug, "\(self.counters.name): the command has ended with \(code)")
        guard self.options.endsAgent else { return }
        self.sink.inputEnded(exitCode: self.options.passesExitCode ? code : 0)
    }
}

// MARK: - The end

extension ExecInput {
    /// Ends the command; what it has printed until then is taken.
    func stop() {
        guard !self.isStopped else { return }
        self.isStopped = true
        for timer in [self.timer, self.endTimer] { if let timer { self.loop.cancel(timer) } }
        guard let run else { return }
        run.signal(SIGTERM)
        if self.phase == .reading { self.loop.unwatch(run.descriptor) }
        if self.phase != .ending, !self.take(run) { self.finishLine() }
        self.awaitStop(run, until: self.loop.time.monotonicNanoseconds() + Self.patience.wholeNanoseconds)
    }

    /// Hands on the beginning of a line that is cut short.
    private func finishLine() {
        var events = EventList()
        self.receiver.finish(now: Moment(self.loop.time), to: &events)
        self.handOn(events)
    }

    /// Waits until nobody holds the output any more, and kills who still does when the time is over.
    private func awaitStop(_ run: ShellCommand, until deadline: UInt64) {
        if self.loop.time.monotonicNanoseconds() >= deadline { run.signal(SIGKILL) }
        if self.hasEnded(run), run.reap() != nil {
            self.run = nil
            return
        }
        self.endTimer = self.loop.schedule(after: .milliseconds(10)) { [weak self] in
            self?.awaitStop(run, until: deadline)
        }
    }

    /// Whether the output of a run has ended; what still comes is passed over.
    private func hasEnded(_ run: ShellCommand) -> Bool {
        if self.phase == .ending { return true }
        return withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 8) { buffer in
            guard case .end = run.read(into: buffer) else { return false }
            self.phase = .ending
            return true
        }
    }

    var hasStopped: Bool { self.isStopped && self.run == nil }

    /// Kills what has not ended in time.
    func abandon() {
        if let endTimer { self.loop.cancel(endTimer) }
        guard let run else { return }
        self.run = nil
        run.signal(SIGKILL)
        // It ends within a moment, unless the system itself does not let it.
        for _ in 0..<100 where run.reap() == nil { usleep(1_000) }
    }
}
