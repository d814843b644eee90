/// A line as the container runtime interface writes it, taken apart by position:
/// `2026-03-14T09:26:53.591793158Z stdout F the application's own line`.
///
/// Format: kubernetes `design-proposals-archive/node/kubelet-cri-logging.md`. The third part is a list of tags, divided
/// by `:`, whose first is `F` (the line is whole, or its last part) or `P` (more parts follow).
public struct CRILine: Sendable {
    /// Time of the line, nanoseconds since 1970 UTC.
    public let nanoseconds: Int64
    public let stream: LogStream
    /// Whether the application's line goes on in the next CRI line of the same stream.
    public let isPartial: Bool
    /// Length of the time's text, which begins the line, in bytes.
    public let timeByteCount: Int
    /// Where the application's bytes begin; they reach to the line's end.
    public let messageStart: Int

    /// Takes a line without its newline apart; `nil` when it does not have the form.
    public init?(_ line: UnsafeRawBufferPointer) {
        guard let time = ContainerTime.read(line) else { return nil }
        // ` stdout F`, then a space, a colon or the end.
        let start = time.byteCount
        guard line.count >= start + 9, line[start] == UInt8(ascii: " ") else { return nil }
        switch line.loadUnaligned(fromByteOffset: start + 1, as: UInt64.self).littleEndian {
        case 0x4620_7475_6F64_7473: (self.stream, self.isPartial) = (.stdout, false)
        case 0x4620_7272_6564_7473: (self.stream, self.isPartial) = (.stderr, false)
        case 0x5020_7475_6F64_7473: (self.stream, self.isPartial) = (.stdout, true)
        case 0x5020_7272_6564_7473: (self.stream, self.isPartial) = (.stderr, true)
        default: return nil
        }
        guard let messageStart = Self.messageStart(line, after: start + 9) else { return nil }
        self.nanoseconds = time.nanoseconds
        self.timeByteCount = start
        self.messageStart = messageStart
    }

    /// Skips further tags (`:…`) and the space before the message.
    private static func messageStart(_ line: UnsafeRawBufferPointer, after tag: Int) -> Int? {
        if tag == line.count { return tag }
        if line[tag] == UInt8(ascii: " ") { return tag + 1 }
        guard line[tag] == UInt8(ascii: ":") else { return nil }
        let space = line[tag...].firstIndex(of: UInt8(ascii: " "))
        return space.map { $0 + 1 } ?? line.count
    }

    /// The application's bytes in the line that this was made from.
    @inlinable
    public func message(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: line[self.messageStart...])
    }

    /// The time as it was written.
    @inlinable
    public func timeText(in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: line[..<self.timeByteCount])
    }
}
