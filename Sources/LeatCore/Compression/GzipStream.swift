internal import CZlib

/// Expands gzip or zlib data that comes in pieces, such as a file too large to hold at once.
public final class GzipStream {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isAtMemberEnd = false

    public init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // 15 bits of window, plus 32: gzip and zlib headers are told apart by themselves.
        let code = inflateInit2_(self.stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib cannot start: \(code)")
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Whether the data so far ends where a member ends.
    public var isComplete: Bool { self.isAtMemberEnd }

    /// Expands one piece and hands the results to `body`, which returns whether to go on; they are valid only during
    /// the call.
    public func expand(
        _ piece: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionError) {
        guard !piece.isEmpty else { return }
        self.stream.pointee.next_in = UnsafeMutablePointer(
            mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        self.stream.pointee.avail_in = UInt32(piece.count)
        var output = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            if self.isAtMemberEnd {
                guard self.stream.pointee.avail_in > 0 else { return }
                inflateReset(self.stream)
                self.isAtMemberEnd = false
            }
            var code = Z_OK
            let isWanted = output.withUnsafeMutableBytes { buffer in
                self.stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                self.stream.pointee.avail_out = UInt32(buffer.count)
                code = inflate(self.stream, Z_NO_FLUSH)
                let count = buffer.count - Int(self.stream.pointee.avail_out)
                return count == 0 || body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            if code == Z_STREAM_END { self.isAtMemberEnd = true }
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .damaged(format: "gzip") }
            if !isWanted || (code != Z_STREAM_END && self.stream.pointee.avail_out > 0) { return }
        }
    }
}
