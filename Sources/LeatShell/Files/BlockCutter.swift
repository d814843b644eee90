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
        var splitter = LineSplitter(bytes.slice(start..<bytes.count))
        var end = 0
        var lineCount = 0
        var openStreams: Set<LogStream> = []
        while let line = splitter.nextOrRest() {
            end = min(line.upperBound + 1, bytes.count - start)
            lineCount += 1
            guard lineCount < Batch.rowCountMax else { break }
            guard end >= Self.byteCountTarget - Self.lookBack else { continue }
            // Near the end of the block: no cut within a line that was split into parts.
            self.follow(bytes.slice((start + line.lowerBound)..<(start + line.upperBound)), &openStreams)
            if end >= Self.byteCountTarget, openStreams.isEmpty { break }
        }
        return (start + end, lineCount)
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
        case .json, .logfmt, .accessLog, .syslog, .plain: break
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
        case .json, .bulk, .logfmt, .accessLog, .syslog, .plain: false
        }
    }
}
