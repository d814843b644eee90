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
                let hole = Self.zeroCount(bytes.slice(known..<count))
                file.mayBeginWithHole = hole == count - known
                if hole > 0 {
                    Self.setMarker(file, bytes, end: known + hole)
                    return .read(consumed: hole, rest: 0, reachedEnd: reachedEnd && file.mayBeginWithHole)
                }
            }
            let consumed = self.takeLines(bytes, from: known, file, &file.shaper, now: now, into: &events)
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

    /// Number of zeros that `bytes` begin with.
    private static func zeroCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        bytes.firstIndex { $0 != 0 } ?? bytes.count
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
            if file.isInsideCutLine {
                file.isInsideCutLine = false
                continue
            }
            let offset = base + UInt64(range.lowerBound)
            if file.replayed != nil, offset >= file.replayEnd { file.replayed = nil }
            let line = Self.withoutReturn(part.slice(range))
            if line.isEmpty, self.options.skipsEmptyLines { continue }
            if range.count > self.options.lineByteCountMax {
                _ = self.deliverCut(part.slice(range), file, &shaper, now: now, into: &events)
                continue
            }
            place.offset = offset
            shaper.add(line, at: place, only: file.replayed, to: &events)
        }
        return splitter.rest.lowerBound
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
        if file.isInsideCutLine { return bytes.count }
        let count = self.deliverCut(bytes, file, &shaper, now: now, into: &events)
        file.isInsideCutLine = true
        return count
    }

    /// Delivers the beginning of a line, or nothing when long lines are skipped; the number of bytes delivered.
    private func deliverCut(
        _ line: UnsafeRawBufferPointer,
        _ file: TailFile,
        _ shaper: inout LineShaper,
        now: Moment,
        into events: inout EventList
    ) -> Int {
        let count = ByteSearch.utf8Boundary(in: line, atMost: self.options.lineByteCountMax)
        if self.options.skipsLongLines {
            shaper.tally.skippedLines += 1
        } else if file.replayed == nil {
            let place = Self.place(file.state.offset, file, now)
            shaper.appendPlain(line.slice(0..<count), isCut: true, place, to: &events)
        }
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
            file.shaper.add(
                bytes.slice(known..<found),
                at: Self.place(file.state.offset, file, now),
                only: file.replayed,
                to: &events
            )
        }
        Self.setMarker(file, bytes, end: found)
        return count
    }

    private static func place(_ offset: UInt64, _ file: TailFile, _ now: Moment) -> LinePlace {
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
