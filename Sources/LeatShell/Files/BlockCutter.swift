internal import LeatCore
internal import LeatParsing

/// Cuts a file into blocks of whole lines.
struct BlockCutter {
    /// Bytes after which a block ends; small enough that a worker's rows stay near, large enough that starting is cheap.
    static let byteCountTarget = 4 << 20

    let format: LineFormat
    let arrival: Int64
    let notes: FileNotes

    /// The blocks of a file, first lines first.
    func blocks(of file: ByteSlice) -> [FileBlock] {
        let bytes = file.unsafeBytes
        var result: [FileBlock] = []
        var start = 0
        while start < bytes.count {
            let cut = self.cut(bytes, from: start)
            let lines = file[start..<cut.end]
            result.append(
                FileBlock(
                    bytes: lines,
                    format: self.format,
                    arrival: self.arrival,
                    rowCount: cut.lineCount,
                    hasJoins: self.hasJoins(lines.unsafeBytes),
                    notes: self.notes
                )
            )
            start = cut.end
        }
        return result
    }

    /// Where the block that begins at `start` ends, behind a newline, and its number of lines.
    private func cut(_ bytes: UnsafeRawBufferPointer, from start: Int) -> (end: Int, lineCount: Int) {
        // Fast path: lines in which nothing has to be followed are only counted.
        let unread = Self.byteCountTarget - (self.isFollowed ? Self.lookBack : 0)
        var end = Self.lineEnd(bytes, from: min(start + unread, bytes.count))
        var lineCount = Self.lineCount(bytes.slice(start..<end))
        if lineCount >= Batch.rowCountMax { return Self.cut(bytes, from: start, lines: Batch.rowCountMax) }
        guard self.isFollowed else { return (end, lineCount) }
        var splitter = LineSplitter(bytes.slice(end..<bytes.count))
        let followed = end
        var openStreams: Set<LogStream> = []
        while lineCount < Batch.rowCountMax, let range = splitter.nextOrRest() {
            // Near the end of the block: no cut within a line that was split into parts.
            self.follow(bytes.slice((followed + range.lowerBound)..<(followed + range.upperBound)), &openStreams)
            end = min(followed + range.upperBound + 1, bytes.count)
            lineCount += 1
            if end - start >= Self.byteCountTarget, openStreams.isEmpty { break }
        }
        return (end, lineCount)
    }

    /// Whether lines may belong to others.
    private var isFollowed: Bool { self.format == .cri || self.format == .docker || self.format == .bulk }

    /// Behind the line in which `position` is.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from position: Int) -> Int {
        bytes.slice(position..<bytes.count).firstIndex(ofByte: 0x0A).map { position + $0 + 1 } ?? bytes.count
    }

    /// Lines, the last one without a newline included.
    private static func lineCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        ByteSearch.count(0x0A, in: bytes) + (bytes.last == 0x0A || bytes.isEmpty ? 0 : 1)
    }

    /// So many lines, which are short.
    private static func cut(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        lines lineCount: Int
    ) -> (end: Int, lineCount: Int) {
        var splitter = LineSplitter(bytes.slice(start..<bytes.count))
        var end = start
        for _ in 0..<lineCount {
            guard let range = splitter.nextOrRest() else { break }
            end = min(start + range.upperBound + 1, bytes.count)
        }
        return (end, lineCount)
    }

    /// Bytes before the target in which parts are followed; longer lines are cut at worst.
    private static let lookBack = 1 << 20

    private func follow(_ line: UnsafeRawBufferPointer, _ open: inout Set<LogStream>) {
        switch self.format {
        case .cri:
            if let parsed = CRILine(line) { Self.note(parsed.isPartial, parsed.stream, &open) }
        case .docker:
            if let parsed = DockerLine(line) { Self.note(parsed.isPartial, parsed.stream, &open) }
        case .bulk:
            // The action and its document stay together.
            Self.note(BulkActionLine(line)?.hasDocument ?? false, .stdout, &open)
        case .json, .journal, .logfmt, .accessLog, .syslog, .plain: break
        }
    }

    private static func note(_ isOpen: Bool, _ stream: LogStream, _ open: inout Set<LogStream>) {
        if isOpen { open.insert(stream) } else { open.remove(stream) }
    }

    private func hasJoins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch self.format {
        case .docker: true
        case .cri:
            ByteSearch.find(Needle(Array("stdout P".utf8)), in: bytes) != nil
                || ByteSearch.find(Needle(Array("stderr P".utf8)), in: bytes) != nil
        case .json, .bulk, .journal, .logfmt, .accessLog, .syslog, .plain: false
        }
    }
}
