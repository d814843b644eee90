internal import LeatCore
internal import LeatParsing

/// How the lines of a local file are written.
enum LineFormat: String, Hashable, Sendable, CaseIterable {
    /// One JSON object a line: documents of shippers, or the rows that `--json` writes.
    case json
    /// Elasticsearch's `_bulk`: an action line before each document.
    case bulk
    /// `TIME STREAM F MESSAGE`, as containerd and CRI-O write it.
    case cri
    /// Docker's `json-file`.
    case docker
    /// What `journalctl -o json` writes.
    case journal
    case logfmt
    /// Apache's and nginx's common and combined formats.
    case accessLog
    /// RFC 3164 and RFC 5424.
    case syslog
    /// Anything else; a time that begins the line counts.
    case plain

    /// Lines that are looked at.
    private static let sampleLineCount = 100
    /// Bytes that are looked at.
    private static let sampleByteCount = 1 << 20

    /// The format of most lines in the beginning of a file; plain unless four of five have one in common.
    static func detect(_ bytes: UnsafeRawBufferPointer) -> LineFormat {
        let sample = bytes.slice(0..<min(bytes.count, Self.sampleByteCount))
        var splitter = LineSplitter(sample)
        var counts: [LineFormat: Int] = [:]
        var lineCount = 0
        var isFirst = true
        var hasWholeLine = false
        while lineCount < Self.sampleLineCount, let range = splitter.nextOrRest() {
            let line = sample.slice(range).withoutCarriageReturn
            // A line that the sample cuts says nothing.
            if line.isEmpty || (range.upperBound == sample.count && sample.count < bytes.count && lineCount > 0) {
                continue
            }
            if isFirst, Self.isBulkAction(line) { return .bulk }
            isFirst = false
            counts[Self.format(of: line), default: 0] += 1
            if !hasWholeLine, DockerLine(line)?.isPartial == false { hasWholeLine = true }
            lineCount += 1
        }
        // Docker's lines are JSON too. A file of both is JSON, and so is one in which no line ends: shippers write such
        // objects, and nothing of them may be joined.
        if let docker = counts[.docker], docker < lineCount || !hasWholeLine {
            counts = [.json: docker + counts[.json, default: 0]]
        }
        guard let best = counts.max(by: { $0.value < $1.value }), best.value * 5 >= lineCount * 4 else {
            let json = counts[.json, default: 0]
            return json * 2 > lineCount ? .json : .plain
        }
        return best.key
    }

    private static func format(of line: UnsafeRawBufferPointer) -> LineFormat {
        if line[0] == UInt8(ascii: "{") || line[0] == 0x20 && line.trimmed.first == UInt8(ascii: "{") {
            if let docker = DockerLine(line), docker.isWrittenByDocker(line) { return .docker }
            guard Self.isObject(line) else { return .plain }
            return Self.isJournal(line) ? .journal : .json
        }
        if CRILine(line) != nil { return .cri }
        if SyslogLine(line, now: .max) != nil { return .syslog }
        if AccessLogLine(line) != nil { return .accessLog }
        return LogfmtLine.looksLike(line) ? .logfmt : .plain
    }

    private static func isObject(_ line: UnsafeRawBufferPointer) -> Bool {
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(line)
            while try scanner.next() != nil {}
            return true
        } catch {
            return false
        }
    }

    private static func isJournal(_ line: UnsafeRawBufferPointer) -> Bool {
        ["\"__REALTIME_TIMESTAMP\"", "\"MESSAGE\""].allSatisfy { key in
            ByteSearch.find(Needle(Array(key.utf8)), in: line) != nil
        }
    }

    /// Whether a line is an action of `_bulk`: one member, named for what is to be done, with an object.
    static func isBulkAction(_ line: UnsafeRawBufferPointer) -> Bool { BulkActionLine(line) != nil }
}

/// An action line of `_bulk`.
struct BulkActionLine {
    /// The index that is named, if one is.
    let index: [UInt8]?
    /// Whether a document follows.
    let hasDocument: Bool

    init?(_ line: UnsafeRawBufferPointer) {
        guard line.first == UInt8(ascii: "{"), line.count < 4_096 else { return nil }
        do throws(JSONError) {
            var scanner = try JSONObjectScanner(line)
            guard let member = try scanner.next(), member.kind == .object else { return nil }
            let key = scanner.key(of: member)
            guard ["create", "index", "update", "delete"].contains(where: { key.elementsEqual($0.utf8) }),
                try scanner.next() == nil
            else { return nil }
            self.hasDocument = !key.elementsEqual("delete".utf8)
            var inner = try JSONObjectScanner(line, at: member.value.lowerBound)
            var index: [UInt8]?
            while let meta = try inner.next() {
                if inner.key(of: meta).elementsEqual("_index".utf8) { index = inner.text(of: meta) }
            }
            self.index = index
        } catch {
            return nil
        }
    }
}

extension DockerLine {
    /// Whether the line has nothing that docker does not write: beside text, stream and time its labels only.
    func isWrittenByDocker(_ line: UnsafeRawBufferPointer) -> Bool {
        self.otherRanges.allSatisfy { line.slice($0).starts(with: "\"attrs\"".utf8) }
    }
}

extension UnsafeRawBufferPointer {
    /// The line without the carriage return of a DOS line end.
    var withoutCarriageReturn: UnsafeRawBufferPointer {
        self.last == 0x0D ? self.slice(0..<(self.count - 1)) : self
    }
}
