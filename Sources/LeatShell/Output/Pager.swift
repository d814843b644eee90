internal import Glibc
internal import Synchronization

/// The program that shows long answers page by page: `$LEAT_PAGER`, `$PAGER`, or `less -FRX`.
///
/// An answer that fits the screen needs none: its rows are shown as they come. The first row too many starts the pager.
struct Pager {
    private let command: String
    private let terminal: Terminal
    private var child: pid_t?
    private var input: Int32 = -1
    /// What stands on the screen, and how many of its rows it takes.
    private var shown: [UInt8] = []
    private var shownRowCount = 0

    /// `nil` when the answer does not go to a terminal, or the user wants no pager.
    init?(terminal: Terminal, environment: [String: String]) {
        guard terminal.isTerminal, environment["TERM"] != "dumb" else { return nil }
        let command = environment["LEAT_PAGER"] ?? environment["PAGER"] ?? "less -FRX"
        guard !command.isEmpty, command != "cat" else { return nil }
        self.command = command
        self.terminal = terminal
    }

    private var isRunning: Bool { self.child != nil }

    /// Whether these bytes, whole lines, and what is shown already fill more than the screen.
    func isNeeded(for bytes: [UInt8]) -> Bool {
        if self.isRunning { return false }
        if bytes.count >= OutputStream.bufferByteCount { return true }
        return self.shownRowCount + Self.rowCount(of: bytes, width: self.terminal.width) >= self.terminal.height
    }

    /// Remembers what is written to the screen now.
    mutating func noteShown(_ bytes: [UInt8]) {
        guard !self.isRunning else { return }
        self.shown += bytes
        self.shownRowCount += Self.rowCount(of: bytes, width: self.terminal.width)
    }

    /// The rows that lines take, long ones broken.
    static func rowCount(of bytes: [UInt8], width: Int) -> Int {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().reduce(0) { count, line in
            count + max(1, (Self.columns(of: line) + width - 1) / width)
        }
    }

    /// The columns of a line without its colours.
    private static func columns(of line: ArraySlice<UInt8>) -> Int {
        guard line.contains(0x1B) else { return line.withUnsafeBytes { DisplayWidth.of($0) } }
        var text: [UInt8] = []
        var isInSequence = false
        for byte in line {
            if isInSequence {
                isInSequence = byte != UInt8(ascii: "m")
            } else if byte == 0x1B {
                isInSequence = true
            } else {
                text.append(byte)
            }
        }
        return text.withUnsafeBytes { DisplayWidth.of($0) }
    }

    /// Starts the pager and takes from the screen what is shown; the pager's input, and what is to be written to it first.
    ///
    /// `nil` when it runs already or cannot start.
    mutating func start() -> (input: Int32, shown: [UInt8])? {
        guard self.child == nil else { return nil }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        Interrupts.isTerminalLent.store(true, ordering: .relaxed)
        // What is pasted into the pager's own prompt has no marks; ours turns them on again.
        RawTerminal.send(RawTerminal.pasteMarksOff)
        self.child = ChildProcess.start(["/bin/sh", "-c", "exec \(self.command)"], standardInput: ends[0])
        close(ends[0])
        guard self.child != nil else {
            Interrupts.isTerminalLent.store(false, ordering: .relaxed)
            close(ends[1])
            return nil
        }
        // The pager waits for its first byte before it draws.
        if self.shownRowCount > 0 { RawTerminal.send("\r\u{1B}[\(self.shownRowCount)A\u{1B}[J") }
        self.input = ends[1]
        defer { self.shown = [] }
        return (ends[1], self.shown)
    }

    /// Says that nothing follows, and waits until the user is done.
    mutating func finish() {
        guard let child else { return }
        close(self.input)
        _ = ChildProcess.wait(child)
        Interrupts.isTerminalLent.store(false, ordering: .relaxed)
        self.child = nil
    }
}
