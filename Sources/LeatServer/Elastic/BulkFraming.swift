internal import Glibc
internal import LeatCore

/// Takes a bulk request apart into its lines, as the bytes arrive.
///
/// Decides only what line is what; see `elasticsearch-bulk.md` 1.4. Feed it the body piece by piece with `consume`, then
/// call `finish`. A line that lies in one piece is never copied.
struct BulkFraming {
    /// What the lines are.
    enum Event {
        /// An action line; answer whether a source line follows.
        case action(UnsafeRawBufferPointer, line: Int)
        /// The source line of the action before it.
        case source(UnsafeRawBufferPointer, line: Int)
    }

    private var tail: [UInt8] = []
    private var lineNumber = 0
    private var wantsSource = false
    private var byteCount = 0
    private var itemCount = 0

    /// Takes a piece of the body.
    ///
    /// - Parameters:
    ///   - bytes: The next bytes of the body, in use only during the call.
    ///   - handle: Called per line, with bytes that are valid during the call; returns whether a source line follows,
    ///     which counts for actions only.
    /// - Throws: What `handle` throws.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (Event) throws(RequestFault) -> Bool
    ) throws(RequestFault) {
        self.byteCount += bytes.count
        var start = 0
        while let end = Self.newline(in: bytes, from: start) {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            start = end + 1
            if self.tail.isEmpty {
                try self.line(piece, handle)
            } else {
                // Slow path: at most one line per piece was cut in two.
                self.tail.append(contentsOf: piece)
                let whole = self.tail
                self.tail.removeAll(keepingCapacity: true)
                try whole.withUnsafeBufferPointer { (line) throws(RequestFault) in
                    try self.line(UnsafeRawBufferPointer(line), handle)
                }
            }
        }
        if start < bytes.count { self.tail.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start...])) }
    }

    /// Checks that the request ended where it may.
    mutating func finish() throws(RequestFault) {
        guard self.byteCount > 0 else { throw .elastic(400, "parse_exception", "request body is required") }
        guard self.tail.isEmpty, !self.wantsSource else {
            throw .elastic(
                400,
                "illegal_argument_exception",
                "The bulk request must be terminated by a newline [\\n]"
            )
        }
        guard self.itemCount > 0 else {
            throw .elastic(400, "action_request_validation_exception", "Validation Failed: 1: no requests added;")
        }
    }

    private mutating func line(
        _ bytes: UnsafeRawBufferPointer,
        _ handle: (Event) throws(RequestFault) -> Bool
    ) throws(RequestFault) {
        self.lineNumber += 1
        var bytes = bytes
        if bytes.last == 0x0D { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        if self.wantsSource {
            self.wantsSource = false
            _ = try handle(.source(bytes, line: self.lineNumber))
        } else if !bytes.isEmpty {
            self.itemCount += 1
            self.wantsSource = try handle(.action(bytes, line: self.lineNumber))
        }
    }

    private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
