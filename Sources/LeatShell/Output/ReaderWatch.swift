internal import Glibc
internal import LeatCore
internal import Synchronization

/// Notices that nobody reads standard output any more, also while there is nothing to write: `leat tail | head -1` ends.
enum ReaderWatch {
    /// Whether the reader has gone.
    private final class Reader: Sendable {
        let hasGone = Atomic<Bool>(false)
    }

    /// Does `work`, and cancels it when the other end of standard output is closed.
    ///
    /// The thread that waits for that ends with the process: one command runs in it.
    ///
    /// - Throws: `OutputClosed` when the reader has gone, or what `work` throws.
    static func whileRead<Success: Sendable>(
        _ work: @escaping @Sendable () async throws -> Success
    ) async throws -> Success {
        let reader = Reader()
        let task = Task { try await work() }
        _ = WorkerThread(name: "leat-reader") {
            // No event is asked for: only errors and the end of the other side are told, which files never have.
            var request = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while poll(&request, 1, -1) < 0 && errno == EINTR {}
            reader.hasGone.store(true, ordering: .relaxed)
            task.cancel()
        }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError where reader.hasGone.load(ordering: .relaxed) {
            throw OutputClosed()
        }
    }
}
