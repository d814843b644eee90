internal import Glibc
internal import Synchronization

/// The terminal of the process, in the mode in which every key is a byte.
///
/// `enter` begins it for a prompt, where Ctrl-C is a key, `mute` for something that writes, where Ctrl-C stays a signal;
/// each may follow the other, and `leave` ends both. What is written is still translated: lines end in `\n`.
final class RawTerminal: Sendable {
    private struct State {
        /// The mode of the terminal before it was taken over.
        var original: termios?
        var isMuted = false
    }

    private let state = Mutex(State())

    /// Whether standard input and output are a terminal.
    static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// Whether there is a terminal on which a cursor can be moved.
    static var isUsable: Bool { self.isThere && Environment.current()["TERM"] != "dumb" }

    deinit { self.leave() }

    /// Takes the terminal over; nothing happens when it is taken already.
    func enter() { self.take(muted: false) }

    /// Keeps what is typed from being shown while something else writes; it waits to be read.
    func mute() { self.take(muted: true) }

    private func take(muted: Bool) {
        self.state.withLock { state in
            if state.original != nil, state.isMuted == muted { return }
            var mode = termios()
            guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
            let original = state.original ?? mode
            mode = original
            mode.c_lflag &= ~tcflag_t(ECHO)
            // A terminal that knows no cursor keeps the system's line editing.
            if Self.isUsable {
                mode.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
                mode.c_lflag &= ~tcflag_t(ICANON | IEXTEN | (muted ? 0 : ISIG))
                mode.c_cflag |= tcflag_t(CS8)
                Self.send(Self.pasteMarksOn)
            }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
            state = State(original: original, isMuted: muted)
        }
    }

    /// Gives the terminal back as it was.
    func leave() {
        self.state.withLock { state in
            guard var mode = state.original else { return }
            state = State()
            if Self.isUsable { Self.send(Self.pasteMarksOff) }
            tcsetattr(STDIN_FILENO, TCSADRAIN, &mode)
        }
    }

    /// What makes the terminal mark what is pasted, or no longer.
    static let pasteMarksOn = "\u{1B}[?2004h"
    static let pasteMarksOff = "\u{1B}[?2004l"

    /// Writes to the terminal; one that has gone shows when the next key is read.
    static func send(_ bytes: [UInt8]) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return }
                var request = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, 1_000)
                continue
            }
            written += count
        }
    }

    static func send(_ text: String) { Self.send(Array(text.utf8)) }

    /// What reading the terminal gave.
    enum Reading {
        case bytes([UInt8])
        case nothing
        /// The terminal has gone.
        case end
    }

    /// The bytes that are there, waiting for the first at most so long.
    static func read(milliseconds: Int) -> Reading {
        var request = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, Int32(milliseconds)) > 0 else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && (errno == EINTR || errno == EAGAIN) ? .nothing : .end
    }
}
