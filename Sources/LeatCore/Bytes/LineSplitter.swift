internal import CLeatKernels

/// Takes the lines out of bytes, one at a time, looking at 64 bytes per step.
///
/// Lines end with a newline, which is not part of them; a carriage return before it stays. What follows the last newline
/// is no line but `rest`: the caller keeps it for the next read, or takes it as a line at the end of its input.
public struct LineSplitter {
    private let bytes: UnsafeRawBufferPointer
    /// Where the next line starts.
    private var lineStart = 0
    /// Newlines not yet used among the 64 bytes from `maskStart`.
    private var mask: UInt64 = 0
    private var maskStart = 0
    /// First byte that no mask has covered.
    private var scanned = 0

    /// Lines of `bytes`, which must stay valid as long as the splitter is used.
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The range of the next line; `nil` when no newline is left.
    @inline(__always)
    public mutating func next() -> Range<Int>? {
        while self.mask == 0 {
            guard self.scanned < self.bytes.count, let base = self.bytes.baseAddress else { return nil }
            self.maskStart = self.scanned
            self.mask = leat_equal_mask(base, self.scanned, self.bytes.count, 0x0A)
            self.scanned += 64
        }
        let newline = self.maskStart &+ self.mask.trailingZeroBitCount
        self.mask &= self.mask &- 1
        let line = Range(uncheckedBounds: (self.lineStart, newline))
        self.lineStart = newline &+ 1
        return line
    }

    /// The range of the next line, the last one without a newline included; `nil` at the end.
    public mutating func nextOrRest() -> Range<Int>? {
        if let line = self.next() { return line }
        guard self.lineStart < self.bytes.count else { return nil }
        defer { self.lineStart = self.bytes.count }
        return self.rest
    }

    /// The bytes after the last line that `next` returned.
    public var rest: Range<Int> { self.lineStart..<self.bytes.count }
}
