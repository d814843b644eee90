internal import Glibc
internal import Synchronization

/// Threads of their own for scans, which must not block the cooperative pool.
enum WorkerThreads {
    private final class Job: Sendable {
        let body: @Sendable (Int) -> Void
        let index: Int

        init(index: Int, body: @escaping @Sendable (Int) -> Void) {
            self.index = index
            self.body = body
        }
    }

    /// Runs `body` with 0 ..< `count` at once, the last on the calling thread, and returns when all have returned.
    ///
    /// A thread that cannot be made is done without: its part runs on the calling thread.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        var threads: [pthread_t] = []
        var leftOver: [Int] = [max(count, 1) - 1]
        for index in 0..<max(count - 1, 0) {
            let job = Unmanaged.passRetained(Job(index: index, body: body))
            var thread = pthread_t()
            let result = pthread_create(
                &thread,
                nil,
                { context in
                    // Sound: the pointer is the job retained above, and this thread takes the reference over.
                    if let context {
                        let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
                        job.body(job.index)
                    }
                    return nil
                },
                job.toOpaque()
            )
            if result == 0 {
                threads.append(thread)
            } else {
                job.release()
                leftOver.append(index)
            }
        }
        for index in leftOver { body(index) }
        for thread in threads { pthread_join(thread, nil) }
    }
}
