internal import CLeatPlatform
internal import Glibc
internal import LeatCore
internal import Synchronization

/// Work that other threads leave for the loop.
final class Mailbox: Sendable {
    /// Readable while there is work.
    let descriptor: Int32

    private let letters = Mutex<[@Sendable () -> Void]>([])

    init() throws(FileSystemError) {
        self.descriptor = leat_eventfd_create()
        if self.descriptor < 0 { throw FileSystemError(operation: "create", path: "eventfd", code: -self.descriptor) }
    }

    deinit { _ = Glibc.close(self.descriptor) }

    /// Leaves work for the loop and wakes it; may be called from any thread.
    func post(_ letter: @escaping @Sendable () -> Void) {
        self.letters.withLock { $0.append(letter) }
        _ = leat_eventfd_signal(self.descriptor)
    }

    /// Waits until there is work.
    func wait() {
        var ready = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&ready, 1, -1)
    }

    /// Takes all work.
    func take() -> [@Sendable () -> Void] {
        _ = leat_eventfd_drain(self.descriptor)
        return self.letters.withLock { letters in
            let taken = letters
            letters.removeAll()
            return taken
        }
    }
}
