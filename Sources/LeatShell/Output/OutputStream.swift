internal import Glibc

/// Buffered writing to a file descriptor, by default standard output.
///
/// One owner at a time. A reader that has gone becomes `OutputClosed`; any other failure an error that says so.
struct OutputStream: ~Copyable {
    /// Bytes that are gathered before they are written.
    static let bufferByteCount = 64 << 10

    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []

    /// A stream to an open descriptor that the caller keeps open; `name` is for messages.
    init(descriptor: Int32 = STDOUT_FILENO, name: String = "standard output") {
        self.descriptor = descriptor
        self.name = name
        self.buffer.reserveCapacity(Self.bufferByteCount + 4_096)
    }

    /// Whether bytes wait to be written.
    var hasPendingBytes: Bool { !self.buffer.isEmpty }

    /// Adds bytes.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        // Slow path: more than a buffer at once goes out directly.
        if bytes.count > Self.bufferByteCount {
            try self.flush()
            try self.writeAll(bytes)
            return
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
    mutating func flush() throws {
        guard !self.buffer.isEmpty else { return }
        // The buffer is empty afterwards even if writing fails: the same bytes are never written twice.
        defer { self.buffer.removeAll(keepingCapacity: true) }
        try self.buffer.withUnsafeBytes { try self.writeAll($0) }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(self.descriptor, rest.base.baseAddress.map { $0 + rest.startIndex }, rest.count)
            if count >= 0 {
                rest = rest.dropFirst(count)
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
