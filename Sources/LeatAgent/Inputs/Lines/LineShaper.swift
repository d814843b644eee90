internal import LeatCore
internal import LeatParsing

/// Turns the lines of one file into events; holds the parts of events that are not complete.
struct LineShaper {
    /// What a file's first line turned out to be.
    enum Detected {
        case unknown, cri, docker, other
    }

    /// What happened besides the events.
    struct Tally {
        var cutLines = 0
        var skippedLines = 0
        var invalidTexts = 0
    }

    /// The stream of lines that no container wrote.
    static let plainStream = "line"
    /// Longer messages are escaped in pieces, since memory for the worst case would be six times their length.
    static let shortByteCountMax = 32 << 10
    static let timeOpening = Array("\"time\":\"".utf8)

    let templates: LineTemplates
    var detected = Detected.unknown
    var joiner: PartialJoiner?
    /// Per stream the joiner of lines into events; empty without rules.
    ///
    /// The first also serves plain lines.
    var events: [MultilineJoiner]
    /// Lines that were taken apart before they were judged.
    var parsedLines: ParsedLines?
    /// Per stream the sources in which the unfinished line, and the unfinished event, begin.
    var lineSources: [UInt64] = [0, 0]
    var eventSources: [UInt64] = [0, 0]
    /// Per stream how the times of unfinished lines and events are written.
    var writtenTimes = [WrittenTimes(), WrittenTimes()]

    /// Whether and how objects are merged while they are read; set for one read.
    var earlyMerge: EarlyMerge?

    /// Further members of docker's lines, each behind a comma: the labels of the container, the same in all its lines.
    var dockerExtras: [UInt8] = []

    var tally = Tally()
    /// Whether what is handed out now is the beginning of something longer.
    private(set) var isCutting = false

    init(_ templates: LineTemplates) {
        self.templates = templates
        let form = templates.form
        self.parsedLines = form.parsedLines.map { ParsedLines($0) }
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
        (self.joiner?.pendingByteCount ?? 0) + (self.parsedLines?.byteCount ?? 0)
            + self.events.reduce(0) { $0 + $1.pendingByteCount }
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
            if let docker = DockerLine(line), self.takeExtras(docker, line) {
                if Self.isSkipped(docker.stream.name, place, only) { return }
                return self.addDocker(docker, line, place, to: &events)
            }
        case .other, .unknown: break
        }
        if !Self.isSkipped(Self.plainStream, place, only) { self.addPlain(line, place, to: &events) }
    }

    static func isSkipped(_ stream: String, _ place: LinePlace, _ only: [PendingStart]?) -> Bool {
        guard let only else { return false }
        return !only.contains { $0.stream == stream && $0.offset <= place.offset }
    }

    mutating func detect(_ line: UnsafeRawBufferPointer) {
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

    /// Hands out everything unfinished: for a file that nothing follows, or, marked as cut, when too much is held.
    mutating func finishAll(now: UInt64, recordTail: [UInt8], isCut: Bool = false, to events: inout EventList) {
        self.isCutting = isCut
        defer { self.isCutting = false }
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
    mutating func withEvents(of stream: LogStream, _ body: (inout LineShaper, inout MultilineJoiner) -> Void) {
        let index = Int(stream.rawValue)
        var all: [MultilineJoiner] = []
        swap(&all, &self.events)
        body(&self, &all[index])
        swap(&all, &self.events)
    }
}
