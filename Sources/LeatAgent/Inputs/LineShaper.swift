internal import LeatCore
internal import LeatParsing

/// When something happens, on both clocks.
struct Moment {
    /// Nanoseconds since 1970.
    let wall: Int64
    /// Nanoseconds of the clock that never goes back.
    let monotonic: UInt64

    init(_ time: any TimeSource) {
        self.wall = time.now().nanoseconds
        self.monotonic = time.monotonicNanoseconds()
    }
}

/// How the lines of an input become records; one for all its files.
struct LineForm {
    /// Names of the members that a container line becomes.
    struct ContainerNames: Hashable {
        /// The application's text.
        var text = "log"
        /// Whether the line was whole.
        var partial = "_p"
    }

    /// Key of a line that is in no other form.
    var key = "log"
    var readsCRI = false
    var readsDocker = false
    var names = ContainerNames()
    /// Rules by which lines are joined into events.
    var multiline: MultilineMachine?
    var multilineTimeoutNanoseconds = MultilineDefinition.defaultTimeoutNanoseconds
    /// Parser of lines that are not in a container's form.
    var parser: LineParser?
    var offsetKey: String?
    var lineByteCountMax = 4 << 20
}

/// What the lines of an input look like as JSON, made once.
final class LineTemplates {
    let form: LineForm
    /// `"log":"`, for lines in no form.
    fileprivate let rawOpening: [UInt8]
    /// `","stream":"stdout","_p":"F","log":"` and the like, per stream.
    fileprivate let criMiddles: [[UInt8]]
    /// `"log":"`, for container lines.
    fileprivate let textOpening: [UInt8]
    /// `,"offset":`; empty without `Offset_Key`.
    fileprivate let offsetOpening: [UInt8]

    init(_ form: LineForm) {
        self.form = form
        self.rawOpening = Self.opening(form.key)
        self.textOpening = Self.opening(form.names.text)
        let text = self.textOpening
        self.criMiddles = LogStream.allCases.map { stream in
            var bytes: [UInt8] = []
            bytes.append("\"")
            bytes.appendMember("stream", text: stream.name.utf8, start: 0)
            bytes.appendMember(form.names.partial, text: "F".utf8, start: 0)
            return bytes + [UInt8(ascii: ",")] + text
        }
        var offset: [UInt8] = []
        if let key = form.offsetKey { offset.appendMember(key, json: "", start: -1) }
        self.offsetOpening = offset
    }

    private static func opening(_ key: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendMember(key, json: "\"", start: 0)
        return bytes
    }
}

/// Turns the lines of one file into events; holds the parts of events that are not complete.
struct LineShaper {
    /// What a file's first line turned out to be.
    private enum Detected {
        case unknown, cri, docker, other
    }

    /// What happened besides the events.
    struct Tally {
        var cutLines = 0
        var skippedLines = 0
        var invalidTexts = 0
    }

    /// The stream of lines that no container wrote.
    private static let plainStream = "line"

    private let templates: LineTemplates
    private var detected = Detected.unknown
    private var joiner: PartialJoiner?
    /// Per stream the joiner of lines into events; empty without rules.
    ///
    /// The first also serves plain lines.
    private var events: [MultilineJoiner]
    /// Per stream the sources in which the unfinished line, and the unfinished event, begin.
    private var lineSources: [UInt64] = [0, 0]
    private var eventSources: [UInt64] = [0, 0]

    var tally = Tally()

    init(_ templates: LineTemplates) {
        self.templates = templates
        let form = templates.form
        self.events =
            form.multiline.map { machine in
                LogStream.allCases.map { _ in
                    MultilineJoiner(
                        machine,
                        byteCountMax: form.lineByteCountMax,
                        timeoutNanoseconds: form.multilineTimeoutNanoseconds
                    )
                }
            } ?? []
    }

    /// Unfinished events: where the bytes begin that must be read again after a restart.
    var pending: [PendingStart] {
        var result: [PendingStart] = []
        for stream in LogStream.allCases {
            let index = Int(stream.rawValue)
            var starts: [(source: UInt64, offset: UInt64)] = []
            // Of the two, the event began before the line.
            if !self.events.isEmpty, let offset = self.events[index].unfinishedOffset {
                starts.append((self.eventSources[index], offset))
            } else if let offset = self.joiner?.unfinishedOffset(of: stream) {
                starts.append((self.lineSources[index], offset))
            }
            for start in starts {
                let name = if case .other = self.detected { Self.plainStream } else { stream.name }
                result.append(PendingStart(stream: name, source: start.source, offset: start.offset))
            }
        }
        return result
    }

    /// Bytes of unfinished events.
    var pendingByteCount: Int {
        (self.joiner?.pendingByteCount ?? 0) + self.events.reduce(0) { $0 + $1.pendingByteCount }
    }

    /// When an unfinished event must be handed out, on the clock that never goes back.
    var deadline: UInt64? { self.events.compactMap(\.deadline).min() }

    /// Takes a line without its newline, which begins at `offset` of `source`; appends the events that it completes.
    ///
    /// `only`, if there is one, names the streams whose lines count; others were delivered before a restart.
    mutating func add(
        _ line: UnsafeRawBufferPointer,
        at place: LinePlace,
        only: [PendingStart]?,
        to events: inout EventList
    ) {
        if case .unknown = self.detected { self.detect(line) }
        switch self.detected {
        case .cri:
            if let cri = CRILine(line) {
                if Self.isSkipped(cri.stream.name, place, only) { return }
                return self.addCRI(cri, line, place, to: &events)
            }
        case .docker:
            if let docker = DockerLine(line) {
                if Self.isSkipped(docker.stream.name, place, only) { return }
                return self.addDocker(docker, line, place, to: &events)
            }
        case .other, .unknown: break
        }
        if !Self.isSkipped(Self.plainStream, place, only) { self.addPlain(line, place, to: &events) }
    }

    private static func isSkipped(_ stream: String, _ place: LinePlace, _ only: [PendingStart]?) -> Bool {
        guard let only else { return false }
        return !only.contains { $0.stream == stream && $0.offset <= place.offset }
    }

    private mutating func detect(_ line: UnsafeRawBufferPointer) {
        let form = self.templates.form
        if form.readsDocker, DockerLine(line) != nil {
            self.detected = .docker
            self.joiner = self.joiner ?? PartialJoiner(.escaped, byteCountMax: form.lineByteCountMax)
        } else if form.readsCRI, CRILine(line) != nil {
            self.detected = .cri
            self.joiner = self.joiner ?? PartialJoiner(.text, byteCountMax: form.lineByteCountMax)
        } else if !form.readsCRI, !form.readsDocker {
            self.detected = .other
        }
        // Else the next line may tell.
    }

    /// Hands out events whose next line did not come in time.
    mutating func flushIfDue(now: UInt64, recordTail: [UInt8], to events: inout EventList) {
        for stream in LogStream.allCases where !self.events.isEmpty {
            self.withEvents(of: stream) { shaper, joiner in
                joiner.flushIfDue(now: now) { joined, text in
                    shaper.append(joined, text, stream, recordTail: recordTail, to: &events)
                }
            }
        }
    }

    /// Hands out everything unfinished, for a file that nothing follows.
    mutating func finishAll(now: UInt64, recordTail: [UInt8], to events: inout EventList) {
        if var joiner = self.joiner {
            let isEscaped = if case .docker = self.detected { true } else { false }
            self.joiner = nil
            for stream in LogStream.allCases {
                joiner.finish(stream) { line, text in
                    let place = LinePlace(
                        offset: line.offset,
                        source: self.lineSources[Int(stream.rawValue)],
                        now: line.nanoseconds,
                        monotonic: now,
                        recordTail: recordTail
                    )
                    self.takeWhole(line, text, stream, place, isEscaped: isEscaped, to: &events)
                }
            }
            self.joiner = joiner
        }
        for stream in LogStream.allCases where !self.events.isEmpty {
            self.withEvents(of: stream) { shaper, joiner in
                joiner.finish(now: now) { joined, text in
                    shaper.append(joined, text, stream, recordTail: recordTail, to: &events)
                }
            }
        }
    }

    /// The shaper for the next file of the same name, with the unfinished events of this one, which loses them.
    mutating func handOver() -> LineShaper {
        let successor = self
        self = LineShaper(self.templates)
        return successor
    }

    /// Calls `body` with a stream's joiner, which nothing else holds meanwhile: two owners would copy its bytes.
    private mutating func withEvents(of stream: LogStream, _ body: (inout LineShaper, inout MultilineJoiner) -> Void) {
        let index = Int(stream.rawValue)
        var all: [MultilineJoiner] = []
        swap(&all, &self.events)
        body(&self, &all[index])
        swap(&all, &self.events)
    }
}

/// Where and when a line was read, and what is appended to its record.
struct LinePlace {
    /// Where the line begins in its source.
    let offset: UInt64
    let source: UInt64
    /// Nanoseconds since 1970.
    let now: Int64
    /// Nanoseconds of the clock that never goes back.
    let monotonic: UInt64
    /// Members of the file, each behind a comma.
    let recordTail: [UInt8]
}

// MARK: - Plain lines

extension LineShaper {
    private mutating func addPlain(_ line: UnsafeRawBufferPointer, _ place: LinePlace, to events: inout EventList) {
        guard !self.events.isEmpty else {
            return self.appendPlain(line, isCut: false, place, to: &events)
        }
        self.addToEvent(line, nanoseconds: place.now, .stdout, place, to: &events)
    }

    /// Appends a line as it is, or as the parser takes it apart.
    mutating func appendPlain(
        _ line: UnsafeRawBufferPointer,
        isCut: Bool,
        _ place: LinePlace,
        to events: inout EventList
    ) {
        if let parser = self.templates.form.parser {
            let start = events.openStart
            let now = Timestamp(nanoseconds: place.now)
            if case .parsed(let time) = parser.parse(line, now: now, into: &events.bytes, from: start) {
                let nanoseconds = time?.nanoseconds ?? place.now
                return self.finish(&events, nanoseconds, place.offset, isText: true, isCut: isCut, place.recordTail)
            }
        }
        events.bytes.append(contentsOf: self.templates.rawOpening)
        let isText = events.bytes.appendEscaped(line)
        events.bytes.append(UInt8(ascii: "\""))
        self.finish(&events, place.now, place.offset, isText: isText, isCut: isCut, place.recordTail)
    }

    /// Adds the marks and the members of the file, and completes the event.
    private mutating func finish(
        _ events: inout EventList,
        _ nanoseconds: Int64,
        _ offset: UInt64,
        isText: Bool,
        isCut: Bool,
        _ recordTail: [UInt8]
    ) {
        if isCut {
            events.bytes.append(",\"_truncated\":true")
            self.tally.cutLines += 1
        }
        if !isText {
            events.bytes.append(",\"_invalid_utf8\":true")
            self.tally.invalidTexts += 1
        }
        if !self.templates.offsetOpening.isEmpty {
            events.bytes.append(contentsOf: self.templates.offsetOpening)
            events.bytes.append(contentsOf: String(offset).utf8)
        }
        events.bytes.append(contentsOf: recordTail)
        events.endEvent(time: nanoseconds)
    }
}

// MARK: - Container lines

extension LineShaper {
    private mutating func addCRI(
        _ cri: CRILine,
        _ line: UnsafeRawBufferPointer,
        _ place: LinePlace,
        to events: inout EventList
    ) {
        let message = cri.message(in: line)
        // Fast path: a whole line, and nothing before it waits.
        if !cri.isPartial, self.events.isEmpty, message.count <= self.templates.form.lineByteCountMax,
            self.joiner?.unfinishedOffset(of: cri.stream) == nil
        {
            let isText = self.appendCRI(cri.timeText(in: line), cri.stream, message, to: &events.bytes)
            self.finish(&events, cri.nanoseconds, place.offset, isText: isText, isCut: false, place.recordTail)
            return
        }
        self.join(message, cri.stream, cri.isPartial, cri.nanoseconds, place, isEscaped: false, to: &events)
    }

    private func appendCRI(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) -> Bool {
        bytes.append("\"time\":\"")
        bytes.append(contentsOf: time)
        bytes.append(contentsOf: self.templates.criMiddles[Int(stream.rawValue)])
        let isText = bytes.appendEscaped(message)
        bytes.append(UInt8(ascii: "\""))
        return isText
    }

    private mutating func addDocker(
        _ docker: DockerLine,
        _ line: UnsafeRawBufferPointer,
        _ place: LinePlace,
        to events: inout EventList
    ) {
        let message = docker.escapedMessage(in: line)
        if !docker.isPartial, self.events.isEmpty, message.count <= self.templates.form.lineByteCountMax,
            self.joiner?.unfinishedOffset(of: docker.stream) == nil
        {
            let isText = self.appendDocker(docker.timeText(in: line), docker.stream, message, true, to: &events.bytes)
            self.finish(&events, docker.nanoseconds, place.offset, isText: isText, isCut: false, place.recordTail)
            return
        }
        self.join(message, docker.stream, docker.isPartial, docker.nanoseconds, place, isEscaped: true, to: &events)
    }

    private func appendDocker(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        _ isEscaped: Bool,
        to bytes: inout [UInt8]
    ) -> Bool {
        bytes.append(contentsOf: self.templates.textOpening)
        let isText = isEscaped ? bytes.appendContents(message) : bytes.appendEscaped(message)
        bytes.append(
            stream == .stdout ? "\",\"stream\":\"stdout\",\"time\":\"" : "\",\"stream\":\"stderr\",\"time\":\""
        )
        bytes.append(contentsOf: time)
        bytes.append(UInt8(ascii: "\""))
        return isText
    }

    /// Slow path: a part of a split line, or a line that may be part of an event.
    private mutating func join(
        _ part: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ isPartial: Bool,
        _ nanoseconds: Int64,
        _ place: LinePlace,
        isEscaped: Bool,
        to events: inout EventList
    ) {
        guard var joiner = self.joiner else { return }
        // Two owners would copy the pending bytes at each part.
        self.joiner = nil
        if joiner.unfinishedOffset(of: stream) == nil { self.lineSources[Int(stream.rawValue)] = place.source }
        joiner.add(
            part,
            stream: stream,
            isPartial: isPartial,
            nanoseconds: nanoseconds,
            offset: place.offset
        ) { line, text in
            self.takeWhole(line, text, stream, place, isEscaped: isEscaped, to: &events)
        }
        self.joiner = joiner
    }

    /// A whole line: an event, or a part of one.
    private mutating func takeWhole(
        _ line: JoinedLine,
        _ text: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ place: LinePlace,
        isEscaped: Bool,
        to events: inout EventList
    ) {
        guard !self.events.isEmpty else {
            return self.append(line, text, stream, recordTail: place.recordTail, isEscaped: isEscaped, to: &events)
        }
        let whole = LinePlace(
            offset: line.offset,
            source: self.lineSources[Int(stream.rawValue)],
            now: place.now,
            monotonic: place.monotonic,
            recordTail: place.recordTail
        )
        if isEscaped {
            let plain = JSONText.unescaped(text)
            plain.withUnsafeBytes { self.addToEvent($0, nanoseconds: line.nanoseconds, stream, whole, to: &events) }
        } else {
            self.addToEvent(text, nanoseconds: line.nanoseconds, stream, whole, to: &events)
        }
    }

    /// Hands a line to the joiner of events.
    private mutating func addToEvent(
        _ text: UnsafeRawBufferPointer,
        nanoseconds: Int64,
        _ stream: LogStream,
        _ place: LinePlace,
        to events: inout EventList
    ) {
        let index = Int(stream.rawValue)
        self.withEvents(of: stream) { shaper, joiner in
            let before = joiner.unfinishedOffset
            joiner.add(text, nanoseconds: nanoseconds, offset: place.offset, now: place.monotonic) { joined, text in
                shaper.append(joined, text, stream, recordTail: place.recordTail, to: &events)
            }
            // An event that began with this line, or with one given back of the same file.
            if joiner.unfinishedOffset != before || before == nil { shaper.eventSources[index] = place.source }
        }
    }

    /// Appends an event made of several lines or parts.
    private mutating func append(
        _ joined: JoinedLine,
        _ text: UnsafeRawBufferPointer,
        _ stream: LogStream,
        recordTail: [UInt8],
        isEscaped: Bool = false,
        to events: inout EventList
    ) {
        var time: [UInt8] = []
        let isText: Bool
        switch self.detected {
        case .cri:
            TimestampWriter.append(Timestamp(nanoseconds: joined.nanoseconds), precision: .nanoseconds, to: &time)
            isText = time.withUnsafeBytes { self.appendCRI($0, stream, text, to: &events.bytes) }
        case .docker:
            TimestampWriter.append(Timestamp(nanoseconds: joined.nanoseconds), precision: .nanoseconds, to: &time)
            isText = time.withUnsafeBytes { self.appendDocker($0, stream, text, isEscaped, to: &events.bytes) }
        case .other, .unknown:
            let place = LinePlace(
                offset: joined.offset,
                source: 0,
                now: joined.nanoseconds,
                monotonic: 0,
                recordTail: recordTail
            )
            return self.appendPlain(text, isCut: joined.isTruncated, place, to: &events)
        }
        self.finish(&events, joined.nanoseconds, joined.offset, isText: isText, isCut: joined.isTruncated, recordTail)
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
