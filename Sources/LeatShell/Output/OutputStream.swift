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

    /// Hands everything so far to the system.
    ///
    /// What fits the screen is shown there at once; once there is more, it leaves the screen and the pager has it all.
    mutating func flush() throws {
        guard !self.buffer.isEmpty else { return }
        if self.pager?.isNeeded(for: self.buffer) == true {
            if let (input, shown) = self.pager?.start() {
                self.descriptor = input
                self.buffer = shown + self.buffer
            } else {
                self.pager = nil
            }
        }
        self.pager?.noteShown(self.buffer)
        // The buffer is empty afterwards even if writing fails: the same bytes are never written twice.
        defer { self.buffer.removeAll(keepingCapacity: true) }
        try self.buffer.withUnsafeBytes { try self.writeAll($0) }
    }

    /// Writes what is left and waits for the pager, if there is one.
    mutating func finish() throws {
        defer {
            self.pager?.finish()
            self.pager = nil
        }
        try self.flush()
    }

    /// Leaves out what was not written yet; a pager is waited for, as it has the terminal.
    mutating func abandon() {
        self.buffer = []
        self.pager?.finish()
        self.pager = nil
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
