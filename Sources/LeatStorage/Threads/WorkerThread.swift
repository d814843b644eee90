internal import Glibc

/// A thread for work that blocks or takes long, which must not happen on the cooperative pool.
final class WorkerThread: @unchecked Sendable {
    // Sound as Sendable: the handle is written once, before the object is shared.
    private var handle = pthread_t()

    /// Starts a thread that runs `body` once.
    init(name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body: body))
        let code = pthread_create(
            &self.handle,
            nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.body()
                return nil
            },
            work.toOpaque()
        )
        precondition(code == 0, "cannot start thread \(name): error \(code)")
    }

    /// Waits until the thread has ended; call once.
    func join() { pthread_join(self.handle, nil) }

    private final class Work {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}
