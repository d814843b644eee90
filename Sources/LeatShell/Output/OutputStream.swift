internal import Glibc

/// Buffered writing to a file descriptor, by default standard output; long answers go through the user's pager.
///
/// One owner at a time, who calls `finish` at the end. A reader that has gone becomes `OutputClosed`; any other failure an
/// error that says so.
struct OutputStream: ~Copyable {
    /// Bytes that are gathered before they are written.
    static let bufferByteCount = 64 << 10

    private var descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []
    private var pager: Pager?

    /// A stream to an open descriptor that the caller keeps open; `name` is for messages.
    init(descriptor: Int32? = nil, name: String = "standard output", pager: Pager? = nil) {
        self.descriptor = descriptor ?? STDOUT_FILENO
        self.name = name
        self.pager = pager
        self.buffer.reserveCapacity(Self.bufferByteCount + 4_096)
    }

    /// Adds bytes.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        // Slow path: more than a buffer at once goes out directly.
        if bytes.count > Self.bufferByteCount {
            try self.flush()
            if self.buffer.isEmpty {
                try self.writeAll(bytes)
                return
            }
        }
        self.buffer.append(contentsOf: bytes)
        if self.buffer.count >= Self.bufferByteCount { try self.flush() }
    }

    /// Adds bytes.
    mutating func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try self.write($0) }
    }

    /// Adds text.
    mutating func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try self.write(UnsafeRawBufferPointer($0)) }
    }

    /// Adds one byte.
    mutating func write(byte: UInt8) throws {
        self.buffer.append(byte)
        if self.buffer.count >= Self.bufferByteCount { try self.flush() }
    }

    /// Hands everything so far to the system; while a pager may be needed, only what does not fit the screen.
    mutating func flush() throws {
        guard !self.buffer.isEmpty else { return }
        if self.pager != nil {
            guard self.pager?.isNeeded(for: self.buffer) == true else { return }
            if let input = self.pager?.start() { self.descriptor = input }
        }
        // The buffer is empty afterwards even if writing fails: the same bytes are never written twice.
        defer { self.buffer.removeAll(keepingCapacity: true) }
        try self.buffer.withUnsafeBytes { try self.writeAll($0) }
    }

    /// Writes what is left and waits for the pager, if there is one.
    mutating func finish() throws {
        if let pager, !pager.isNeeded(for: self.buffer) { self.pager = nil }
        defer {
            self.pager?.finish()
            self.pager = nil
        }
        try self.flush()
    }

    /// The bytes that wait, taken out of the stream.
    mutating func takeBytes() -> [UInt8] {
        defer { self.buffer = [] }
        return self.buffer
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let count = Glibc.write(self.descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            if count >= 0 {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: Self.waitUntilWritable(self.descriptor)
            case EPIPE: throw OutputClosed()
            default: throw CommandError(.inputOutput, "cannot write to \(self.name): \(systemReason(errno))")
            }
        }
    }

    /// Standard output may be shared with a program that made it non-blocking.
    private static func waitUntilWritable(_ descriptor: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&request, 1, -1)
    }
}

/// The program that shows long answers page by page: `$LEAT_PAGER`, `$PAGER`, or `less -FRX`.
struct Pager {
    private let command: String
    private let terminal: Terminal
    private var child: pid_t?
    private var input: Int32 = -1

    /// `nil` when the answer does not go to a terminal, or the user wants no pager.
    init?(terminal: Terminal, environment: [String: String]) {
        guard terminal.isTerminal, environment["TERM"] != "dumb" else { return nil }
        let command = environment["LEAT_PAGER"] ?? environment["PAGER"] ?? "less -FRX"
        guard !command.isEmpty, command != "cat" else { return nil }
        self.command = command
        self.terminal = terminal
    }

    var isRunning: Bool { self.child != nil }

    /// Whether the first bytes of an answer fill more than the screen, long lines broken.
    func isNeeded(for bytes: [UInt8]) -> Bool {
        if self.isRunning || bytes.count >= OutputStream.bufferByteCount { return true }
        var rowCount = 0
        var columns = 0
        var isInSequence = false
        for byte in bytes {
            switch byte {
            case 0x0A:
                rowCount += max(1, (columns + self.terminal.width - 1) / self.terminal.width)
                columns = 0
            case 0x1B: isInSequence = true
            case UInt8(ascii: "m") where isInSequence: isInSequence = false
            // The second and later bytes of a character take no column of their own.
            default: if !isInSequence, byte & 0xC0 != 0x80 { columns += 1 }
            }
        }
        return rowCount >= self.terminal.height
    }

    /// Starts the pager; its input, or `nil` when it cannot start or runs already.
    mutating func start() -> Int32? {
        guard self.child == nil else { return nil }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        self.child = ChildProcess.start(["/bin/sh", "-c", "exec \(self.command)"], standardInput: ends[0])
        close(ends[0])
        guard self.child != nil else {
            close(ends[1])
            return nil
        }
        self.input = ends[1]
        return ends[1]
    }

    /// Says that nothing follows, and waits until the user is done.
    mutating func finish() {
        guard let child else { return }
        close(self.input)
        _ = ChildProcess.wait(child)
        self.child = nil
    }
}
