internal import CLeatPlatform

/// A thread of our own, for work that blocks or computes for long and so has no place on the cooperative pool.
public final class WorkerThread: @unchecked Sendable {
    // Sound as Sendable: the handle is written before anybody else sees the object, and joined once.
    private var handle: UInt64 = 0
    private var isJoined = false

    /// Starts a thread that runs `body` once.
    ///
    /// Signals stay with the other threads.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes are shown by the system.
    ///   - stackByteCount: Size of the stack; memory is only used as far as it is touched. The deepest expression that a
    ///     query may have takes some MB of it.
    ///   - body: What the thread does.
    public init(name: String, stackByteCount: Int = 8 << 20, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
        let result = leat_thread_start(
            { argument in
                guard let argument else { return }
                let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                leat_thread_set_name(start.name)
                start.body()
            },
            start.toOpaque(),
            stackByteCount,
            &self.handle
        )
        precondition(result == 0, "the system starts no thread: error \(-result)")
    }

    /// Waits until the thread has ended; to be called once, by one thread.
    public func join() {
        precondition(!self.isJoined, "a thread is joined once")
        self.isJoined = true
        leat_thread_join(self.handle)
    }

    deinit {
        if !self.isJoined { leat_thread_detach(self.handle) }
    }

    /// Processors that this process may use.
    public static var processorCount: Int { Int(leat_processor_count()) }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
