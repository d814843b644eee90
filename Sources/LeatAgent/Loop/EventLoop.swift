internal import CLeatPlatform
internal import Glibc
internal import LeatCore

/// The agent's only loop: waits for descriptors and timers and calls their handlers, one at a time, on one thread.
///
/// Everything in the agent but name look-ups and compression runs here, so that nothing needs a lock. Handlers must not
/// block for longer than a write to disk takes. Nothing wakes the loop while nothing happens.
final class EventLoop {
    /// What happened to a descriptor.
    struct Readiness {
        fileprivate let bits: UInt32
        /// There is something to read, or the other side has gone.
        var isReadable: Bool {
            self.bits & (LEAT_EPOLL_IN | LEAT_EPOLL_HUP | LEAT_EPOLL_ERR | LEAT_EPOLL_RDHUP) != 0
        }
        /// There is room to write, or writing would fail.
        var isWritable: Bool { self.bits & (LEAT_EPOLL_OUT | LEAT_EPOLL_HUP | LEAT_EPOLL_ERR) != 0 }
    }

    /// What a handler waits for.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: LEAT_EPOLL_IN)
        static let write = Interest(rawValue: LEAT_EPOLL_OUT)
    }

    /// Time for timers, and for everything that asks the loop.
    let time: any TimeSource

    private let epoll: Int32
    private var handlers: [UInt64: (Readiness) -> Void] = [:]
    private var tokens: [Int32: UInt64] = [:]
    private var nextToken: UInt64 = 1
    private var timers = TimerQueue()
    private var deferred: [() -> Void] = []
    private var isStopping = false
    private let mailbox: Mailbox

    init(time: any TimeSource) throws(FileSystemError) {
        self.time = time
        self.epoll = leat_epoll_create()
        if self.epoll < 0 { throw FileSystemError(operation: "create", path: "epoll", code: -self.epoll) }
        self.mailbox = try Mailbox()
        let mailbox = self.mailbox
        try self.watch(mailbox.descriptor, for: .read) { [weak self] _ in
            for letter in mailbox.take() { self?.deferred.append(letter) }
        }
    }

    deinit { _ = Glibc.close(self.epoll) }

    /// Calls `handler` whenever the descriptor is ready; the caller keeps the descriptor.
    func watch(
        _ descriptor: Int32,
        for interest: Interest,
        handler: @escaping (Readiness) -> Void
    ) throws(FileSystemError) {
        let token = self.nextToken
        self.nextToken += 1
        let result = leat_epoll_add(self.epoll, descriptor, interest.rawValue, token)
        if result < 0 { throw FileSystemError(operation: "watch", path: "descriptor \(descriptor)", code: -result) }
        self.tokens[descriptor] = token
        self.handlers[token] = handler
    }

    /// Changes what a watched descriptor waits for; nothing at all is allowed.
    func change(_ descriptor: Int32, to interest: Interest) {
        guard let token = self.tokens[descriptor] else { return }
        _ = leat_epoll_modify(self.epoll, descriptor, interest.rawValue, token)
    }

    /// Ends the watch; call it before the descriptor is closed.
    func unwatch(_ descriptor: Int32) {
        guard let token = self.tokens.removeValue(forKey: descriptor) else { return }
        self.handlers[token] = nil
        _ = leat_epoll_remove(self.epoll, descriptor)
    }

    /// Calls `handler` once after a delay; the result ends it early.
    @discardableResult
    func schedule(after delay: Duration, _ handler: @escaping () -> Void) -> TimerQueue.ID {
        self.timers.insert(at: self.time.monotonicNanoseconds() &+ delay.wholeNanoseconds, handler)
    }

    /// Ends a timer that has not fired; nothing happens when it has.
    func cancel(_ timer: TimerQueue.ID) { self.timers.remove(timer) }

    /// Calls `work` on the next turn of the loop.
    func enqueue(_ work: @escaping () -> Void) { self.deferred.append(work) }

    /// How other threads hand work to the loop.
    var otherThreads: Mailbox { self.mailbox }

    /// Runs until `stop`.
    func run() {
        while !self.isStopping { self.turn(waitsAtMost: nil) }
    }

    /// Ends `run` after the current turn.
    func stop() { self.isStopping = true }

    /// Waits for events, at most until the next timer or for `limit`, and calls the handlers.
    func turn(waitsAtMost limit: Duration?) {
        var events = [leat_epoll_event](repeating: leat_epoll_event(), count: 64)
        let timeout = self.timeoutMilliseconds(limit)
        let count = leat_epoll_wait(self.epoll, &events, 64, timeout)
        for index in 0..<max(0, Int(count)) {
            // A handler may have ended the watch of a later one; its token is gone then.
            self.handlers[events[index].token]?(Readiness(bits: events[index].events))
        }
        for handler in self.timers.takeDue(until: self.time.monotonicNanoseconds()) { handler() }
        let work = self.deferred
        self.deferred.removeAll(keepingCapacity: true)
        for item in work { item() }
    }

    private func timeoutMilliseconds(_ limit: Duration?) -> Int32 {
        if !self.deferred.isEmpty { return 0 }
        var result = limit.map { Int64($0.wholeNanoseconds / 1_000_000) } ?? -1
        if let next = self.timers.nextDeadline {
            let now = self.time.monotonicNanoseconds()
            // Rounded up: a timer must not be waited for in a busy loop.
            let wait = next <= now ? 0 : Int64((next - now + 999_999) / 1_000_000)
            result = result < 0 ? wait : min(result, wait)
        }
        return Int32(clamping: result)
    }
}

extension Duration {
    /// The duration in nanoseconds; negative ones count as none.
    var wholeNanoseconds: UInt64 {
        let parts = self.components
        guard parts.seconds >= 0, parts.attoseconds >= 0 else { return 0 }
        return UInt64(parts.seconds) &* 1_000_000_000 &+ UInt64(parts.attoseconds / 1_000_000_000)
    }
}
