internal import Glibc
internal import Synchronization

/// A few threads of our own that run blocking work (files, sync, long computations) for async callers.
///
/// Work is started in the order in which it came. A pool that is released finishes what it was given.
public final class BlockingPool: Sendable {
    private let queue: WorkQueue

    /// Starts `threadCount` threads.
    public init(name: String, threadCount: Int) {
        let queue = WorkQueue()
        self.queue = queue
        for _ in 0..<max(1, threadCount) {
            _ = WorkerThread(name: name) { queue.run() }
        }
    }

    deinit { self.queue.close() }

    /// Runs `work` on a thread of the pool; the caller waits without holding a thread.
    public func run<Success: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Success
    ) async throws(Failure) -> Success {
        let result: Result<Success, Failure> = await withCheckedContinuation { continuation in
            self.queue.add {
                do throws(Failure) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Runs `work` on a thread of the pool some time later; nobody waits.
    public func start(_ work: @escaping @Sendable () -> Void) { self.queue.add(work) }
}

/// Work that waits for a thread.
private final class WorkQueue: @unchecked Sendable {
    // Sound as Sendable: everything is used under the lock only.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [@Sendable () -> Void] = []
    private var first = 0
    private var isClosed = false

    init() {
        pthread_mutex_init(self.lock, nil)
        pthread_cond_init(self.changed, nil)
    }

    deinit {
        pthread_cond_destroy(self.changed)
        pthread_mutex_destroy(self.lock)
        self.changed.deallocate()
        self.lock.deallocate()
    }

    func add(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(self.lock)
        self.waiting.append(work)
        pthread_cond_signal(self.changed)
        pthread_mutex_unlock(self.lock)
    }

    func close() {
        pthread_mutex_lock(self.lock)
        self.isClosed = true
        pthread_cond_broadcast(self.changed)
        pthread_mutex_unlock(self.lock)
    }

    /// What a thread does until the pool is closed and nothing is left.
    func run() {
        while let work = self.next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        pthread_mutex_lock(self.lock)
        defer { pthread_mutex_unlock(self.lock) }
        while self.first == self.waiting.count {
            if self.isClosed { return nil }
            pthread_cond_wait(self.changed, self.lock)
        }
        let work = self.waiting[self.first]
        self.first += 1
        if self.first == self.waiting.count || self.first == 1024 {
            self.waiting.removeFirst(self.first)
            self.first = 0
        }
        return work
    }
}
