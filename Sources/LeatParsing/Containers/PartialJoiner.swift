/// Joins the parts into which container runtimes split long lines, per stream and without a timer.
///
/// One joiner serves one file and outlives its rotation. A line that is whole passes through uncopied; the parts of a
/// split one are kept until the last arrives, however long that takes. `unfinishedOffset` says from where the file must
/// be read again if the process ends before that.
public struct PartialJoiner: Sendable {
    /// What the parts' bytes are, so that a line that is too long is cut between characters.
    public enum Contents: Hashable, Sendable {
        /// The application's own bytes (CRI).
        case text
        /// The contents of JSON strings (docker); an escape is never cut.
        case escaped
    }

    /// A whole line.
    public typealias Line = JoinedLine

    private let contents: Contents
    private let byteCountMax: Int
    private var pending = [PendingLine](repeating: PendingLine(), count: LogStream.allCases.count)

    /// A joiner for lines of at most `byteCountMax` bytes.
    public init(_ contents: Contents, byteCountMax: Int) {
        self.contents = contents
        self.byteCountMax = byteCountMax
    }

    /// Takes one part; calls `body` with the line and its bytes when the part completes it.
    ///
    /// `offset` is where the part's line begins in the file. The bytes are valid only during the call.
    public mutating func add(
        _ part: UnsafeRawBufferPointer,
        stream: LogStream,
        isPartial: Bool,
        nanoseconds: Int64,
        offset: UInt64,
        body: (Line, UnsafeRawBufferPointer) -> Void
    ) {
        // Fast path: the line was not split.
        if !isPartial && !self.isUnfinished(stream) && self.fits(part) {
            body(Line(nanoseconds: nanoseconds, offset: offset, partCount: 1, isTruncated: false), part)
            return
        }
        self.append(part, stream: stream, nanoseconds: nanoseconds, offset: offset)
        if !isPartial { self.finish(stream, body: body) }
    }

    /// Hands out what there is of an unfinished line, for a file that will never grow again.
    public mutating func finish(_ stream: LogStream, body: (Line, UnsafeRawBufferPointer) -> Void) {
        let index = Int(stream.rawValue)
        guard let line = self.pending[index].line else { return }
        self.pending[index].bytes.withUnsafeBytes { body(line, $0) }
        self.pending[index].reset()
    }

    /// Where the first part of an unfinished line of the stream begins; `nil` when there is none.
    public func unfinishedOffset(of stream: LogStream) -> UInt64? {
        self.pending[Int(stream.rawValue)].line?.offset
    }

    /// Bytes that wait for their last part, all streams together.
    public var pendingByteCount: Int { self.pending.reduce(0) { $0 + $1.bytes.count } }

    private func isUnfinished(_ stream: LogStream) -> Bool { self.pending[Int(stream.rawValue)].line != nil }

    private func fits(_ part: UnsafeRawBufferPointer) -> Bool { part.count <= self.byteCountMax }

    private mutating func append(_ part: UnsafeRawBufferPointer, stream: LogStream, nanoseconds: Int64, offset: UInt64)
    {
        let index = Int(stream.rawValue)
        let old = self.pending[index].line
        let room = old?.isTruncated == true ? 0 : self.byteCountMax - self.pending[index].bytes.count
        let kept = part.count <= room ? part.count : self.contents.boundary(in: part, before: room)
        self.pending[index].bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: part[..<kept]))
        self.pending[index].line = Line(
            nanoseconds: old?.nanoseconds ?? nanoseconds,
            offset: old?.offset ?? offset,
            partCount: (old?.partCount ?? 0) + 1,
            isTruncated: old?.isTruncated == true || kept < part.count
        )
    }
}

extension PartialJoiner.Contents {
    /// The last place at or before `limit` where `part` can be cut without cutting a character or an escape.
    func boundary(in part: UnsafeRawBufferPointer, before limit: Int) -> Int {
        switch self {
        case .text:
            var end = limit
            while end > 0, limit - end < 3, part[end] & 0xC0 == 0x80 { end -= 1 }
            return end
        case .escaped:
            var end = 0
            while true {
                let next = end + Self.characterByteCount(part, at: end)
                if next > limit { return end }
                end = next
            }
        }
    }

    /// Length of the character or escape at `index`; a pair of surrogate escapes is one character.
    private static func characterByteCount(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let first = bytes[index]
        guard first == UInt8(ascii: "\\") else {
            return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        }
        guard index + 5 < bytes.count, bytes[index + 1] == UInt8(ascii: "u") else { return 2 }
        let isHighSurrogate =
            bytes[index + 2] | 0x20 == UInt8(ascii: "d") && [0x38, 0x39, 0x61, 0x62].contains(bytes[index + 3] | 0x20)
        return isHighSurrogate ? 12 : 6
    }
}

/// The parts of one stream's unfinished line.
private struct PendingLine: Sendable {
    /// `nil` when no line is unfinished.
    var line: PartialJoiner.Line?
    var bytes: [UInt8] = []

    /// Forgets the line; a large buffer is given back, so that idle files hold no memory.
    mutating func reset() {
        self.line = nil
        self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= 32_768)
    }
}
