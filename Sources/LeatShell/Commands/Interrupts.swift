internal import Glibc
internal import LeatCore
internal import Synchronization

/// What Ctrl-C does: end the process with 130, or whatever the running command has asked for instead.
public enum Interrupts {
    private static let handler = Mutex<(@Sendable () -> Void)?>(nil)
    /// Whether something on the screen has to go before the process may end.
    static let isProgressVisible = Atomic<Bool>(false)

    /// Whether a pager has the terminal: Ctrl-C is a key of its own then, and leaving it ends the query.
    static let isTerminalLent = Atomic<Bool>(false)

    /// Takes the signal over; called once, before anything else.
    static func prepare() {
        // A parent that ignores the signal for us, as `nohup` and background jobs do, stays obeyed.
        var previous = sigaction()
        sigaction(SIGINT, nil, &previous)
        // Sound: the union holds one pointer, and `SIG_IGN` is the pointer 1.
        if unsafeBitCast(previous.__sigaction_handler, to: UInt.self) == 1 { return }
        sem_init(interruptSemaphore, 0, 0)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in sem_post(interruptSemaphore) }
        action.sa_flags = SA_RESTART
        sigaction(SIGINT, &action, nil)
        _ = WorkerThread(name: "leat-interrupt") {
            while true {
                if sem_wait(interruptSemaphore) == 0 { Self.act() }
            }
        }
    }

    private static func act() {
        if Self.isTerminalLent.load(ordering: .relaxed) { return }
        if let handler = Self.handler.withLock({ $0 }) {
            handler()
            return
        }
        if Self.isProgressVisible.load(ordering: .relaxed) {
            let erase = Array("\r\u{1B}[K".utf8)
            _ = write(STDERR_FILENO, erase, erase.count)
        }
        _exit(ExitStatus.interrupted.rawValue)
    }

    /// Does `work`; Ctrl-C meanwhile cancels it instead of ending the process, and does nothing afterwards.
    static func cancelling<Success: Sendable>(
        _ work: @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        let task = Task { try await work() }
        Self.handler.withLock { $0 = { task.cancel() } }
        defer { Self.handler.withLock { $0 = {} } }
        return try await task.value
    }

    /// Ctrl-C does nothing from now on: the prompt reads it as a key.
    static func ignore() { Self.handler.withLock { $0 = {} } }
}

// Sound: made once, before the signal can come; a semaphore is made to be posted from a signal handler.
private nonisolated(unsafe) let interruptSemaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
