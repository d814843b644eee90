internal import LeatCore
internal import LeatParsing

/// Reads the lines of one block into rows.
///
/// A line that does not have the format of its file becomes a row of text.
struct LineReader: ~Copyable {
    /// Bytes to which the parts of a split line are joined; the server's limit for an event.
    private static let joinedByteCountMax = 8 << 20

    private let format: LineFormat
    private let rows: LocalRows
    private var documents = DocumentRows()
    private var joiner: PartialJoiner
    /// `_bulk`: the index of the document that follows.
    private var bulkIndex: [UInt8]?
    /// Plain text: the time of the last line that had one, which the lines below belong to.
    private var lastTime: Int64?
    /// Docker: the labels of the line that is read, as an object; empty without any.
    private var labels: [UInt8] = []
    /// Lines that were passed over since the last that was read; the last time may be in one of them.
    private var passedOver = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ format: LineFormat, arrival: Int64) {
        self.format = format
        self.rows = LocalRows(arrival: arrival)
        self.joiner = PartialJoiner(format == .docker ? .escaped : .text, byteCountMax: Self.joinedByteCountMax)
    }

    /// The rows of a block's lines, or of those of them that have the needle.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        having needle: Needle? = nil
    ) -> (batch: Batch, badTimeCount: Int) {
        if let needle {
            self.addLines(of: bytes, having: needle)
        } else {
            var splitter = LineSplitter(bytes)
            while let range = splitter.nextOrRest() { self.add(wholeLine: bytes.slice(range)) }
        }
        var joiner = self.joiner
        for stream in LogStream.allCases {
            joiner.finish(stream) { line, bytes in self.addContainerLine(line, stream, bytes) }
        }
        return (self.rows.finish(), self.rows.badTimeCount)
    }

    private mutating func addLines(of bytes: UnsafeRawBufferPointer, having needle: Needle) {
        var start = 0
        while let found = ByteSearch.find(needle, in: bytes, from: start) {
            let lineStart = bytes.slice(start..<found).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            let lineEnd = bytes.slice(found..<bytes.count).firstIndex(ofByte: 0x0A) ?? bytes.count - found
            self.passedOver = bytes.slice(start..<(start + lineStart))
            self.add(wholeLine: bytes.slice((start + lineStart)..<(found + lineEnd)))
            start = min(found + lineEnd + 1, bytes.count)
        }
    }

    private mutating func add(wholeLine: UnsafeRawBufferPointer) {
        let line = wholeLine.withoutCarriageReturn
        if !line.isEmpty { self.add(line) }
    }

    private mutating func add(_ line: UnsafeRawBufferPointer) {
        switch self.format {
        case .json, .journal:
            if !self.documents.add(line, to: self.rows) { self.rows.addPlain(line) }
        case .bulk: self.addBulk(line)
        case .cri: self.addCRI(line)
        case .docker: self.addDocker(line)
        case .logfmt: self.addLogfmt(line)
        case .accessLog: self.addAccessLog(line)
        case .syslog: self.addSyslog(line)
        case .plain: self.addPlain(line)
        }
    }

    private mutating func addBulk(_ line: UnsafeRawBufferPointer) {
        if let action = BulkActionLine(line), self.bulkIndex == nil {
            self.bulkIndex = action.hasDocument ? action.index ?? [] : nil
            return
        }
        if let index = self.bulkIndex, !index.isEmpty {
            index.withUnsafeBytes { self.rows.set("#index", $0.withoutDate) }
        }
        self.bulkIndex = nil
        if !self.documents.add(line, to: self.rows) { self.rows.addPlain(line) }
    }

    private mutating func addCRI(_ line: UnsafeRawBufferPointer) {
        guard let parsed = CRILine(line) else {
            self.rows.addPlain(line)
            return
        }
        self.join(parsed.message(in: line), parsed.stream, parsed.isPartial, parsed.nanoseconds)
    }

    private mutating func addDocker(_ line: UnsafeRawBufferPointer) {
        guard let parsed = DockerLine(line), parsed.isWrittenByDocker(line) else {
            if !self.documents.add(line, to: self.rows) { self.rows.addPlain(line) }
            return
        }
        self.labels.removeAll(keepingCapacity: true)
        for (number, range) in parsed.otherRanges.enumerated() {
            self.labels.append(number == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            self.labels.append(contentsOf: line.slice(range))
        }
        if !self.labels.isEmpty { self.labels.append(UInt8(ascii: "}")) }
        self.join(parsed.escapedMessage(in: line), parsed.stream, parsed.isPartial, parsed.nanoseconds)
    }

    private mutating func join(_ part: UnsafeRawBufferPointer, _ stream: LogStream, _ isPartial: Bool, _ time: Int64) {
        // The joiner calls back at most once, with bytes of `part` or its own; it is not touched meanwhile.
        var joiner = self.joiner
        joiner.add(part, stream: stream, isPartial: isPartial, nanoseconds: time, offset: 0) { line, bytes in
            self.addContainerLine(line, stream, bytes)
        }
        self.joiner = joiner
    }

    private mutating func addContainerLine(
        _ line: PartialJoiner.Line,
        _ stream: LogStream,
        _ bytes: UnsafeRawBufferPointer
    ) {
        self.rows.set("stream", UnsafeRawBufferPointer(stream.staticName))
        if self.format == .docker {
            self.setEscapedMessage(bytes)
            if !self.labels.isEmpty {
                _ = self.labels.withUnsafeBytes { self.documents.addFields($0, to: self.rows) }
            }
        } else {
            self.setMessage(bytes.withoutCarriageReturn)
        }
        self.rows.endRow(timestamp: line.nanoseconds, text: .log)
    }

    /// The contents of a JSON string.
    private mutating func setEscapedMessage(_ bytes: UnsafeRawBufferPointer) {
        // Fast path: nothing is escaped.
        if bytes.firstIndex(ofByte: UInt8(ascii: "\\")) == nil {
            self.setMessage(bytes)
            return
        }
        var object = Array("{\"m\":\"".utf8)
        object.append(contentsOf: bytes)
        object.append(contentsOf: "\"}".utf8)
        let text = object.withUnsafeBytes { object -> [UInt8]? in
            do throws(JSONError) {
                var scanner = try JSONObjectScanner(object)
                return try scanner.next().map { scanner.text(of: $0) }
            } catch {
                return nil
            }
        }
        if let text { text.withUnsafeBytes { self.setMessage($0) } } else { self.setMessage(bytes) }
    }

    /// The application's text, and its fields when it is a JSON object.
    private mutating func setMessage(_ message: UnsafeRawBufferPointer) {
        self.rows.set("log", message)
        if message.first == UInt8(ascii: "{") { _ = self.documents.addFields(message, to: self.rows) }
    }

    private mutating func addLogfmt(_ line: UnsafeRawBufferPointer) {
        var time: Int64?
        LogfmtLine.forEachPair(line) { key, value, _, _ in
            let name = line.slice(key)
            let value = line.slice(value)
            if time == nil, name.isEqual(to: "time") || name.isEqual(to: "ts") || name.isEqual(to: "timestamp") {
                time = TimestampParser.parse(value)?.nanoseconds
            }
            self.rows.set(name, value)
        }
        self.rows.addPlain(line, timestamp: time)
    }

    private mutating func addAccessLog(_ line: UnsafeRawBufferPointer) {
        guard let parsed = AccessLogLine(line) else {
            self.rows.addPlain(line)
            return
        }
        for field in parsed.fields { self.rows.set(field.name, line.slice(field.range)) }
        self.rows.addPlain(line, timestamp: parsed.nanoseconds)
    }

    private mutating func addSyslog(_ line: UnsafeRawBufferPointer) {
        guard let parsed = SyslogLine(line, now: self.rows.arrival) else {
            self.rows.addPlain(line, timestamp: self.timeBefore())
            return
        }
        for field in parsed.fields { self.rows.set(field.name, line.slice(field.range)) }
        self.lastTime = parsed.nanoseconds
        self.rows.addPlain(line, timestamp: parsed.nanoseconds)
    }

    private mutating func addPlain(_ line: UnsafeRawBufferPointer) {
        if let time = self.plainTime(line) {
            self.lastTime = time
            self.rows.addPlain(line, timestamp: time)
        } else {
            self.rows.addPlain(line, timestamp: self.timeBefore())
        }
    }

    private func plainTime(_ line: UnsafeRawBufferPointer) -> Int64? {
        LineTime.iso(line.slice((line.first == UInt8(ascii: "[") ? 1 : 0)..<line.count))?.nanoseconds
            ?? LineTime.klog(line, now: self.rows.arrival)
    }

    /// The time of the last line above that has one.
    private mutating func timeBefore() -> Int64? {
        var rest = self.passedOver
        self.passedOver = UnsafeRawBufferPointer(start: nil, count: 0)
        while !rest.isEmpty {
            let end = rest.last == 0x0A ? rest.count - 1 : rest.count
            let start = rest.slice(0..<end).lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            let line = rest.slice(start..<end).withoutCarriageReturn
            let time =
                self.format == .syslog
                ? SyslogLine(line, now: self.rows.arrival)?.nanoseconds : self.plainTime(line)
            if let time {
                self.lastTime = time
                break
            }
            rest = rest.slice(0..<start)
        }
        return self.lastTime
    }
}

extension LogStream {
    /// The name as bytes that always live.
    fileprivate var staticName: UnsafeRawBufferPointer {
        let name: StaticString = self == .stdout ? "stdout" : "stderr"
        return UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    }
}

extension UnsafeRawBufferPointer {
    /// The name of an index without a date at its end: `logs-2026.11.20` is `logs`.
    var withoutDate: UnsafeRawBufferPointer {
        let digits = Array("-0000.00.00".utf8)
        guard self.count > digits.count else { return self }
        let tail = self.slice((self.count - digits.count)..<self.count)
        for (byte, form) in zip(tail, digits) {
            let isDigit = byte &- UInt8(ascii: "0") <= 9
            let fits =
                form == UInt8(ascii: "0")
                ? isDigit : byte == form || form == UInt8(ascii: ".") && byte == UInt8(ascii: "-")
            if !fits { return self }
        }
        return self.slice(0..<(self.count - digits.count))
    }
}
