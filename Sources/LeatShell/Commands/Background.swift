internal import Glibc
internal import LeatCore
internal import Synchronization

/// Work on a thread of its own, for calls that block; the caller looks in from time to time.
struct Background<Outcome: Sendable>: Sendable {
    private let state = BackgroundState<Outcome>()
    private let thread: WorkerThread

    /// Starts the work.
    init(_ work: @escaping @Sendable () -> Outcome) {
        let state = self.state
        self.thread = WorkerThread(name: "leat-work") { state.finish(work()) }
    }

    /// The outcome, waiting for it at most so long; `nil` while the work goes on.
    func wait(milliseconds: Int) -> Outcome? { self.state.wait(milliseconds: milliseconds) }
}

/// What the thread and those who wait for it share.
private final class BackgroundState<Outcome: Sendable>: Sendable {
    private let outcome = Mutex<Outcome?>(nil)
    private let hasFinished = ThreadSignal()

    func finish(_ outcome: Outcome) {
        self.outcome.withLock { $0 = outcome }
        self.hasFinished.post()
    }

    func wait(milliseconds: Int) -> Outcome? {
        if let outcome = self.outcome.withLock({ $0 }) { return outcome }
        self.hasFinished.wait(milliseconds: milliseconds)
        return self.outcome.withLock { $0 }
    }
}

/// Wakes a thread from another one.
final class ThreadSignal: @unchecked Sendable {
    // Sound: a semaphore is made to be used from several threads, and lives as long as this object.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(self.semaphore, 0, 0) }

    deinit {
        sem_destroy(self.semaphore)
        self.semaphore.deallocate()
    }

    func post() { sem_post(self.semaphore) }

    /// Waits for a `post`, at most so long; returns whether one came.
    @discardableResult
    func wait(milliseconds: Int) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = deadline.tv_nsec + milliseconds % 1_000 * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        return sem_timedwait(self.semaphore, &deadline) == 0
    }
}
