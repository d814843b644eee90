internal import LeatCore

/// Reads the next lines of a file into events; one reader and its buffer serve all files of an input.
struct TailReader: ~Copyable {
    /// Bytes that one read takes: large enough for speed, small enough that files take turns.
    static let readByteCount = 256 << 10

    /// What a read found.
    enum Outcome {
        /// Lines were taken and `rest` bytes without newline left; `reachedEnd` says that there was no more.
        case read(consumed: Int, rest: Int, reachedEnd: Bool)
        /// The bytes before the offset are not those that were read.
        case otherContent
    }

    private let options: TailOptions
    private var buffer: UnsafeMutableRawBufferPointer

    init(options: TailOptions) {
        self.options = options
        self.buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.readByteCount + ContentMarker.byteCountMax,
            alignment: 64
        )
    }

    deinit { self.buffer.deallocate() }

    /// Reads at the file's offset and appends the events of the whole lines found there.
    ///
    /// A line longer than the buffer is read again into a larger one, which is given back afterwards.
    mutating func read(_ file: TailFile, now: Moment, into events: inout EventList) throws(FileSystemError) -> Outcome {
        if let decoder = self.options.decoder, !file.isEncodingKnown { try Self.findEncoding(of: file, decoder) }
        let known = file.marker.byteCount
        let start = file.state.offset - UInt64(known)
        var window = self.buffer
        var larger: UnsafeMutableRawBufferPointer?
        defer { larger?.deallocate() }
        while true {
            let count = try file.file.read(at: start, into: window)
            if count < known { return .otherContent }
            let bytes = UnsafeRawBufferPointer(rebasing: window[..<count])
            if known > 0, Digest.xxh3(bytes.slice(0..<known)) != file.marker.digest { return .otherContent }
            let reachedEnd = count < window.count
            if file.mayBeginWithHole {
                let (hole, limit) = Self.holeByteCounts(bytes.slice(known..<count), file)
                file.mayBeginWithHole = hole == limit
                if hole > 0 {
                    Self.setMarker(file, bytes, end: known + hole)
                    return .read(consumed: hole, rest: 0, reachedEnd: reachedEnd && file.mayBeginWithHole)
                }
            }
            let consumed =
                if let decoder = self.options.decoder {
                    self.takeEncodedLines(bytes, from: known, file, &file.shaper, by: decoder, now: now, into: &events)
                } else {
                    self.takeLines(bytes, from: known, file, &file.shaper, now: now, into: &events)
                }
            if consumed > 0 || reachedEnd {
                Self.setMarker(file, bytes, end: known + consumed)
                return .read(consumed: consumed, rest: count - known - consumed, reachedEnd: reachedEnd)
            }
            if count - known > self.options.lineByteCountMax {
                let cut = self.cutLine(bytes.slice(known..<count), file, &file.shaper, now: now, into: &events)
                Self.setMarker(file, bytes, end: known + cut)
                return .read(consumed: cut, rest: 0, reachedEnd: false)
            }
            larger?.deallocate()
            let size = min(window.count * 4, self.options.lineByteCountMax + Self.readByteCount)
            let next = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
            larger = next
            window = next
        }
    }

    /// Number of zeros that `bytes` begin with, and the most that it could be; whole units, as a letter may begin with one.
    private static func holeByteCounts(_ bytes: UnsafeRawBufferPointer, _ file: TailFile) -> (hole: Int, limit: Int) {
        let count = bytes.firstIndex { $0 != 0 } ?? bytes.count
        if case .utf16 = file.encoding { return (count & ~1, bytes.count & ~1) }
        return (count, bytes.count)
    }

    /// Takes the whole lines of `bytes` from `start` on; the number of bytes taken.
    ///
    /// The file's shaper comes by itself, so that it is not looked up for each line.
    private func takeLines(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        now: Moment,
        into events: inout EventList
    ) -> Int {
        let part = bytes.slice(start..<bytes.count)
        var splitter = LineSplitter(part)
        let base = file.state.offset
        var place = Self.place(base, file, now)
        while let range = splitter.next() {
            let line = part.slice(range)
            place.offset = base + UInt64(range.lowerBound)
            self.take(line, line, at: place, file, &shaper, into: &events)
        }
        return splitter.rest.lowerBound
    }

    /// Takes a line whose bytes are `line`, and whose text is `text`.
    @inline(__always)
    func take(
        _ line: UnsafeRawBufferPointer,
        _ text: UnsafeRawBufferPointer,
        at place: LinePlace,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        into events: inout EventList
    ) {
        if file.isInsideCutLine {
            file.isInsideCutLine = false
            return
        }
        if file.replayed != nil, place.offset >= file.replayEnd { file.replayed = nil }
        let text = Self.withoutReturn(text)
        if text.isEmpty, self.options.skipsEmptyLines { return }
        if line.count > self.options.lineByteCountMax {
            _ = self.deliverCut(line, at: place, file, &shaper, into: &events)
            return
        }
        shaper.add(text, at: place, only: file.replayed, to: &events)
    }

    /// A line without the carriage return before its newline.
    private static func withoutReturn(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        line.last == UInt8(ascii: "\r") ? line.slice(0..<line.count - 1) : line
    }

    /// Takes the beginning of a line that is longer than allowed; its rest will be skipped.
    private func cutLine(
        _ bytes: UnsafeRawBufferPointer,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        now: Moment,
        into events: inout EventList
    ) -> Int {
        let place = Self.place(file.state.offset, file, now)
        if file.isInsideCutLine { return Self.wholeByteCount(bytes.count, at: place.offset, file) }
        let count = self.deliverCut(bytes, at: place, file, &shaper, into: &events)
        file.isInsideCutLine = true
        return count
    }

    /// Delivers the beginning of a line, or nothing when long lines are skipped; the number of bytes delivered.
    private func deliverCut(
        _ line: UnsafeRawBufferPointer,
        at place: LinePlace,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        into events: inout EventList
    ) -> Int {
        let limit = self.options.lineByteCountMax
        let count =
            self.options.decoder == nil
            ? ByteSearch.utf8Boundary(in: line, atMost: limit)
            : Self.wholeByteCount(min(limit, line.count), at: place.offset, file)
        if self.options.skipsLongLines {
            shaper.tally.skippedLines += 1
        } else if file.replayed == nil {
            let part = line.slice(0..<count)
            let text = self.options.decoder?.text(of: part, file.encoding, at: place.offset, isCut: true) ?? part
            shaper.appendPlain(text, isCut: true, place, to: &events)
        }
        return count
    }

    /// How many of `count` bytes at `offset` can be taken, so that no newline is cut in two.
    private static func wholeByteCount(_ count: Int, at offset: UInt64, _ file: TailFile) -> Int {
        if case .utf16 = file.encoding { return count - Int((offset + UInt64(count)) & 1) }
        return count
    }

    /// Delivers what follows the last newline of a file that will not grow any more.
    mutating func readRest(
        _ file: TailFile,
        now: Moment,
        into events: inout EventList
    ) throws(FileSystemError) -> Int {
        let count = Int(min(file.state.restByteCount, UInt64(self.options.lineByteCountMax)))
        let known = file.marker.byteCount
        let window = UnsafeMutableRawBufferPointer.allocate(byteCount: known + max(1, count), alignment: 64)
        defer { window.deallocate() }
        let target = UnsafeMutableRawBufferPointer(rebasing: window[..<(known + count)])
        let found = try file.file.read(at: file.state.offset - UInt64(known), into: target)
        guard found == known + count else { return 0 }
        let bytes = UnsafeRawBufferPointer(target)
        if !file.isInsideCutLine {
            let rest = bytes.slice(known..<found)
            file.shaper.add(
                self.options.decoder?.text(of: rest, file.encoding, at: file.state.offset) ?? rest,
                at: Self.place(file.state.offset, file, now),
                only: file.replayed,
                to: &events
            )
        }
        Self.setMarker(file, bytes, end: found)
        return count
    }

    static func place(_ offset: UInt64, _ file: TailFile, _ now: Moment) -> LinePlace {
        LinePlace(
            offset: offset,
            source: file.source,
            now: now.wall,
            monotonic: now.monotonic,
            recordTail: file.recordTail
        )
    }

    private static func setMarker(_ file: TailFile, _ bytes: UnsafeRawBufferPointer, end: Int) {
        let count = min(end, ContentMarker.byteCountMax)
        file.marker = ContentMarker(byteCount: count, digest: Digest.xxh3(bytes.slice((end - count)..<end)))
    }
}
