internal import Glibc
internal import LeatCore

/// A running `sh -c`, with what it starts in a process group of its own, and its standard output in a pipe.
///
/// The process stays known to the system until `reap`, so that its number cannot mean another one.
final class ShellCommand {
    /// What a read found.
    enum Output {
        /// So many bytes.
        case bytes(Int)
        /// Nothing now.
        case none
        /// Nobody holds the other end any more.
        case end
    }

    /// Where its output is read; never blocks.
    let descriptor: Int32
    private let processID: pid_t

    /// Starts a command, which reads nothing, and whose errors go where the agent's do.
    init(_ text: String) throws(FileSystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileSystemError(operation: "create", path: "a pipe", code: errno) }
        // Only this thread starts processes, so that none can inherit the ends in between.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var processID: pid_t = 0
        let code = Self.start(text, output: ends[1], &processID)
        Glibc.close(ends[1])
        self.descriptor = ends[0]
        self.processID = processID
        if code != 0 { throw FileSystemError(operation: "start", path: "/bin/sh", code: code) }
    }

    deinit { Glibc.close(self.descriptor) }

    private static func start(_ text: String, output: Int32, _ processID: inout pid_t) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The agent takes signals from a descriptor and ignores closed pipes; a child would inherit both.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let words: [String] = ["sh", "-c", text]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        return posix_spawn(&processID, "/bin/sh", &actions, &attributes, &arguments, environ)
    }

    /// Reads what is there.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Output {
        let count = Glibc.read(self.descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return .bytes(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .none : .end
    }

    /// The exit code if the shell has ended, or 128 and the number of the signal that ended it; `nil` while it runs.
    ///
    /// To be called no more, nor `signal`, after it gave one.
    func reap() -> Int32? {
        var status: Int32 = 0
        let result = waitpid(self.processID, &status, WNOHANG)
        if result == 0 || (result < 0 && errno == EINTR) { return nil }
        // Without a process there is no code; no shell exits with this one.
        if result < 0 { return 128 }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// Sends a signal to the shell and to what it has started.
    func signal(_ number: Int32) { kill(-self.processID, number) }
}
