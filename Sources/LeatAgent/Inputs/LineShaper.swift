internal import LeatCore
internal import LeatParsing

/// Turns the lines of one file into events; holds the parts of lines that are not complete.
struct LineShaper {
    /// How lines become records.
    enum Form {
        /// The line as it is, under a key.
        case raw
        /// CRI and docker lines, whichever the first line is; others are raw.
        case container(cri: Bool, docker: Bool)
    }

    /// What a file's first line turned out to be.
    private enum Detected {
        case unknown, cri, docker, raw
    }

    /// What happened besides the events.
    struct Tally {
        var cutLines = 0
        var skippedLines = 0
        var invalidTexts = 0
    }

    private let form: Form
    private let key: String
    private let keyMember: [UInt8]
    private let byteCountMax: Int
    private var detected = Detected.unknown
    private var joiner: PartialJoiner?
    /// Per stream the source in which the unfinished line begins.
    private var pendingSources = [UInt64](repeating: 0, count: LogStream.allCases.count)

    /// The member that gets an event's offset, up to the number; `nil` without one.
    private let offsetMember: [UInt8]?
    private var eventOffset: UInt64 = 0

    var tally = Tally()

    init(form: Form, key: String, offsetKey: String?, byteCountMax: Int) {
        if let offsetKey {
            var member: [UInt8] = []
            member.append(",\"")
            Array(offsetKey.utf8).withUnsafeBytes { _ = member.appendEscaped($0) }
            member.append("\":")
            self.offsetMember = member
        } else {
            self.offsetMember = nil
        }
        self.form = form
        self.key = key
        self.byteCountMax = byteCountMax
        var member: [UInt8] = []
        member.append("\"")
        Array(key.utf8).withUnsafeBytes { _ = member.appendEscaped($0) }
        member.append("\":\"")
        self.keyMember = member
    }

    /// Unfinished lines: the bytes before the file's offset that must be read again after a restart.
    var pending: [PendingStart] {
        guard let joiner else { return [] }
        return LogStream.allCases.compactMap { stream in
            joiner.unfinishedOffset(of: stream).map {
                PendingStart(stream: stream.name, source: self.pendingSources[Int(stream.rawValue)], offset: $0)
            }
        }
    }

    /// Bytes of unfinished lines.
    var pendingByteCount: Int { self.joiner?.pendingByteCount ?? 0 }

    /// Takes a line without its newline, which begins at `offset` of `source`; appends the event that it completes.
    ///
    /// `only`, if there is one, names the streams whose lines count; others were delivered before a restart.
    mutating func add(
        _ line: UnsafeRawBufferPointer,
        offset: UInt64,
        source: UInt64,
        now: Int64,
        only: [PendingStart]?,
        to events: inout EventList,
        tail: [UInt8]
    ) {
        if case .unknown = self.detected { self.detect(line) }
        self.eventOffset = offset
        switch self.detected {
        case .cri:
            if let cri = CRILine(line) {
                if Self.isSkipped(cri.stream, offset: offset, only: only) { return }
                return self.addCRI(cri, line, offset: offset, source: source, to: &events, tail: tail)
            }
        case .docker:
            if let docker = DockerLine(line) {
                if Self.isSkipped(docker.stream, offset: offset, only: only) { return }
                return self.addDocker(docker, line, offset: offset, source: source, to: &events, tail: tail)
            }
        case .raw, .unknown: break
        }
        // A line that is not in the form was not part of a pending one.
        if only == nil { self.addRaw(line, isCut: false, now: now, to: &events, tail: tail) }
    }

    private static func isSkipped(_ stream: LogStream, offset: UInt64, only: [PendingStart]?) -> Bool {
        guard let only else { return false }
        return !only.contains { $0.stream == stream.name && $0.offset <= offset }
    }

    /// Appends a line as it is under the key.
    mutating func addRaw(
        _ line: UnsafeRawBufferPointer,
        isCut: Bool,
        now: Int64,
        to events: inout EventList,
        tail: [UInt8]
    ) {
        events.bytes.append(contentsOf: self.keyMember)
        let isText = events.bytes.appendEscaped(line)
        events.bytes.append(UInt8(ascii: "\""))
        self.finish(&events, time: now, isText: isText, isCut: isCut, tail: tail)
    }

    private mutating func detect(_ line: UnsafeRawBufferPointer) {
        guard case .container(let cri, let docker) = self.form else {
            self.detected = .raw
            return
        }
        if docker, DockerLine(line) != nil {
            self.detected = .docker
            self.joiner = self.joiner ?? PartialJoiner(.escaped, byteCountMax: self.byteCountMax)
        } else if cri, CRILine(line) != nil {
            self.detected = .cri
            self.joiner = self.joiner ?? PartialJoiner(.text, byteCountMax: self.byteCountMax)
        }
        // Neither: the next line may tell.
    }

    /// Hands out the unfinished lines of a file that nothing follows.
    mutating func finishAll(to events: inout EventList, tail: [UInt8]) {
        guard var joiner = self.joiner else { return }
        let isDocker = if case .docker = self.detected { true } else { false }
        for stream in LogStream.allCases {
            joiner.finish(stream) { whole, text in
                self.append(whole, text, stream: stream, isEscaped: isDocker, to: &events, tail: tail)
            }
        }
        self.joiner = joiner
    }

    /// A fresh shaper for the next file of the same name, with the unfinished lines of this one, which loses them.
    mutating func handOver() -> LineShaper {
        let successor = self
        self.joiner = nil
        self.detected = .unknown
        return successor
    }
}

// MARK: - Container lines

extension LineShaper {
    private mutating func addCRI(
        _ cri: CRILine,
        _ line: UnsafeRawBufferPointer,
        offset: UInt64,
        source: UInt64,
        to events: inout EventList,
        tail: [UInt8]
    ) {
        let message = cri.message(in: line)
        // Fast path: a whole line, and nothing before it waits.
        if !cri.isPartial, message.count <= self.byteCountMax, self.joiner?.unfinishedOffset(of: cri.stream) == nil {
            let isText = Self.appendCRI(
                cri.timeText(in: line),
                cri.stream,
                message,
                to: &events.bytes,
                key: self.keyMember
            )
            self.finish(&events, time: cri.nanoseconds, isText: isText, isCut: false, tail: tail)
            return
        }
        self.join(message, cri.stream, cri.isPartial, cri.nanoseconds, offset, source, &events, tail, isEscaped: false)
    }

    private static func appendCRI(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        to bytes: inout [UInt8],
        key: [UInt8]
    ) -> Bool {
        bytes.append("\"time\":\"")
        bytes.append(contentsOf: time)
        bytes.append(
            stream == .stdout ? "\",\"stream\":\"stdout\",\"_p\":\"F\"," : "\",\"stream\":\"stderr\",\"_p\":\"F\","
        )
        bytes.append(contentsOf: key)
        let isText = bytes.appendEscaped(message)
        bytes.append(UInt8(ascii: "\""))
        return isText
    }

    private mutating func addDocker(
        _ docker: DockerLine,
        _ line: UnsafeRawBufferPointer,
        offset: UInt64,
        source: UInt64,
        to events: inout EventList,
        tail: [UInt8]
    ) {
        let message = docker.escapedMessage(in: line)
        if !docker.isPartial, message.count <= self.byteCountMax,
            self.joiner?.unfinishedOffset(of: docker.stream) == nil
        {
            let isText = Self.appendDocker(
                docker.timeText(in: line),
                docker.stream,
                message,
                to: &events.bytes,
                key: self.keyMember
            )
            self.finish(&events, time: docker.nanoseconds, isText: isText, isCut: false, tail: tail)
            return
        }
        let nanoseconds = docker.nanoseconds
        self.join(message, docker.stream, docker.isPartial, nanoseconds, offset, source, &events, tail, isEscaped: true)
    }

    private static func appendDocker(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        to bytes: inout [UInt8],
        key: [UInt8]
    ) -> Bool {
        bytes.append(contentsOf: key)
        let isText = bytes.appendContents(message)
        bytes.append(
            stream == .stdout ? "\",\"stream\":\"stdout\",\"time\":\"" : "\",\"stream\":\"stderr\",\"time\":\""
        )
        bytes.append(contentsOf: time)
        bytes.append(UInt8(ascii: "\""))
        return isText
    }

    /// Slow path: a part of a split line.
    private mutating func join(
        _ part: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ isPartial: Bool,
        _ nanoseconds: Int64,
        _ offset: UInt64,
        _ source: UInt64,
        _ events: inout EventList,
        _ tail: [UInt8],
        isEscaped: Bool
    ) {
        guard var joiner = self.joiner else { return }
        // Two owners would copy the pending bytes at each part.
        self.joiner = nil
        let wasPending = joiner.unfinishedOffset(of: stream) != nil
        joiner.add(part, stream: stream, isPartial: isPartial, nanoseconds: nanoseconds, offset: offset) {
            whole,
            text in
            self.append(whole, text, stream: stream, isEscaped: isEscaped, to: &events, tail: tail)
        }
        if !wasPending { self.pendingSources[Int(stream.rawValue)] = source }
        self.joiner = joiner
    }

    private mutating func append(
        _ whole: PartialJoiner.Line,
        _ text: UnsafeRawBufferPointer,
        stream: LogStream,
        isEscaped: Bool,
        to events: inout EventList,
        tail: [UInt8]
    ) {
        self.eventOffset = whole.offset
        var time: [UInt8] = []
        var writer = TimeText()
        writer.append(nanoseconds: whole.nanoseconds, digitCount: 9, to: &time)
        let isText = time.withUnsafeBytes { time in
            isEscaped
                ? Self.appendDocker(time, stream, text, to: &events.bytes, key: self.keyMember)
                : Self.appendCRI(time, stream, text, to: &events.bytes, key: self.keyMember)
        }
        self.finish(&events, time: whole.nanoseconds, isText: isText, isCut: whole.isTruncated, tail: tail)
    }

    /// Adds the marks and the members of the file, and completes the event.
    private mutating func finish(_ events: inout EventList, time: Int64, isText: Bool, isCut: Bool, tail: [UInt8]) {
        if isCut {
            events.bytes.append(",\"_truncated\":true")
            self.tally.cutLines += 1
        }
        if !isText {
            events.bytes.append(",\"_invalid_utf8\":true")
            self.tally.invalidTexts += 1
        }
        if let offsetMember {
            events.bytes.append(contentsOf: offsetMember)
            events.bytes.append(contentsOf: String(self.eventOffset).utf8)
        }
        events.bytes.append(contentsOf: tail)
        events.endEvent(time: time)
    }
}

extension [UInt8] {
    /// Appends what is already the contents of a JSON string; only bytes that are no UTF-8 are replaced.
    mutating func appendContents(_ text: UnsafeRawBufferPointer) -> Bool {
        guard var bad = ByteSearch.firstInvalidUTF8(in: text) else {
            self.append(contentsOf: text)
            return true
        }
        var rest = text
        while true {
            self.append(contentsOf: rest.slice(0..<bad))
            self.append("\u{FFFD}")
            rest = rest.slice((bad + 1)..<rest.count)
            guard let next = ByteSearch.firstInvalidUTF8(in: rest) else { break }
            bad = next
        }
        self.append(contentsOf: rest)
        return false
    }
}
