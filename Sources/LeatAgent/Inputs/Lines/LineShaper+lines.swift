internal import LeatCore
internal import LeatParsing

// MARK: - Plain lines

extension LineShaper {
    mutating func addPlain(_ line: UnsafeRawBufferPointer, _ place: LinePlace, to events: inout EventList) {
        guard !self.events.isEmpty else {
            return self.appendPlain(line, isCut: false, place, to: &events)
        }
        if let parsed = self.parsedLines?.take(line, at: place) {
            parsed.text.withUnsafeBytes { text in
                self.addToEvent(text, nanoseconds: parsed.nanoseconds, .stdout, place, to: &events)
            }
            self.parsedLines?.forget(before: self.events[Int(LogStream.stdout.rawValue)].unfinishedOffset)
            return
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
            let end =
                self.templates.form.parsesFirstLineOnly ? line.firstIndex(ofByte: UInt8(ascii: "\n"), from: 0) : nil
            let first = line.slice(0..<(end ?? line.count))
            if case .parsed(let time) = parser.parse(first, now: now, into: &events.bytes, from: start) {
                if let end { Self.continueText(line.slice(end..<line.count), from: start, &events.bytes) }
                let nanoseconds = time?.nanoseconds ?? place.now
                return self.finish(&events, nanoseconds, place.offset, isText: true, isCut: isCut, place.recordTail)
            }
        }
        events.bytes.append(contentsOf: self.templates.rawOpening)
        let isText = events.bytes.appendEscaped(line)
        events.bytes.append(UInt8(ascii: "\""))
        self.finish(&events, place.now, place.offset, isText: isText, isCut: isCut, place.recordTail)
    }

    /// Appends text to the last member of the open event, if that is a text.
    private static func continueText(_ text: UnsafeRawBufferPointer, from start: Int, _ bytes: inout [UInt8]) {
        guard bytes.count > start, bytes.last == UInt8(ascii: "\"") else { return }
        bytes.removeLast()
        _ = bytes.appendEscaped(text)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds the marks and the members of the file, and completes the event.
    mutating func finish(
        _ events: inout EventList,
        _ nanoseconds: Int64,
        _ offset: UInt64,
        isText: Bool,
        isCut: Bool,
        _ recordTail: [UInt8]
    ) {
        if isCut || self.isCutting {
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
    mutating func addCRI(
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
            if let earlyMerge, self.mergeCRI(cri, line, message, earlyMerge, to: &events) { return }
            let isText = self.appendCRI(cri.timeText(in: line), cri.stream, message, to: &events.bytes)
            self.finish(&events, cri.nanoseconds, place.offset, isText: isText, isCut: false, place.recordTail)
            return
        }
        let time = WrittenTime(nanoseconds: cri.nanoseconds, offset: place.offset, text: Array(cri.timeText(in: line)))
        self.join(message, cri.stream, cri.isPartial, time, place, isEscaped: false, to: &events)
    }

    /// Fast path: the members of the object that the line is; `false`, and nothing appended, when it is none.
    private func mergeCRI(
        _ cri: CRILine,
        _ line: UnsafeRawBufferPointer,
        _ message: UnsafeRawBufferPointer,
        _ merge: EarlyMerge,
        to events: inout EventList
    ) -> Bool {
        guard let inside = merge.members(of: message, partialName: self.templates.partialName) else { return false }
        let time = cri.timeText(in: line)
        let opening = self.templates.criOpenings[Int(cri.stream.rawValue)]
        events.bytes.append(upTo: 16 + time.count + opening.count + inside.count) { target in
            target.append(Self.timeOpening).append(time).append(opening).append(message.slice(inside)) - target
        }
        events.endEvent(time: cri.nanoseconds)
        events.noteMerged()
        return true
    }

    func appendCRI(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) -> Bool {
        if message.count <= Self.shortByteCountMax, self.appendShortCRI(time, stream, message, to: &bytes) {
            return true
        }
        bytes.append("\"time\":\"")
        bytes.append(contentsOf: time)
        bytes.append(contentsOf: self.templates.criMiddles[Int(stream.rawValue)])
        let isText = bytes.appendEscaped(message)
        bytes.append(UInt8(ascii: "\""))
        return isText
    }

    /// Fast path: all of a short line in one go; `false`, and nothing appended, when it is not UTF-8.
    private func appendShortCRI(
        _ time: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ message: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) -> Bool {
        let middle = self.templates.criMiddles[Int(stream.rawValue)]
        let room = 16 + time.count + middle.count + JSONWriter.escapedByteCountMax(of: message.count)
        var isText = false
        bytes.append(upTo: room) { target in
            let contents = target.append(Self.timeOpening).append(time).append(middle)
            guard let count = JSONWriter.write(escaped: message, to: contents) else { return 0 }
            isText = true
            return (contents + count).append(UInt8(ascii: "\"")) - target
        }
        return isText
    }

    mutating func addDocker(
        _ docker: DockerLine,
        _ line: UnsafeRawBufferPointer,
        _ place: LinePlace,
        to events: inout EventList
    ) {
        let message = docker.escapedMessage(in: line)
        let isPartial = docker.isPartial && self.templates.form.joinsDocker
        if !isPartial, self.events.isEmpty, message.count <= self.templates.form.lineByteCountMax,
            self.joiner?.unfinishedOffset(of: docker.stream) == nil
        {
            let isText = self.appendDocker(docker.timeText(in: line), docker.stream, message, true, to: &events.bytes)
            self.finish(&events, docker.nanoseconds, place.offset, isText: isText, isCut: false, place.recordTail)
            return
        }
        let text = Array(docker.timeText(in: line))
        let time = WrittenTime(nanoseconds: docker.nanoseconds, offset: place.offset, text: text)
        self.join(message, docker.stream, isPartial, time, place, isEscaped: true, to: &events)
    }

    func appendDocker(
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
        bytes.append(contentsOf: self.dockerExtras)
        return isText
    }

    /// Notes the further members of a docker line; `false`, and the line is none, when they are no JSON.
    mutating func takeExtras(_ docker: DockerLine, _ line: UnsafeRawBufferPointer) -> Bool {
        if !self.dockerExtras.isEmpty { self.dockerExtras.removeAll(keepingCapacity: true) }
        for range in docker.otherRanges {
            let object = [UInt8(ascii: "{")] + line.slice(range) + [UInt8(ascii: "}")]
            do throws(JSONError) {
                let compact = try ByteSlice(object).withUnsafeBytes { bytes throws(JSONError) in
                    try JSONCompact.compacted(bytes)
                }
                self.dockerExtras.append(UInt8(ascii: ","))
                self.dockerExtras += compact.dropFirst().dropLast()
            } catch {
                return false
            }
        }
        return true
    }

    /// Slow path: a part of a split line, or a line that may be part of an event.
    mutating func join(
        _ part: UnsafeRawBufferPointer,
        _ stream: LogStream,
        _ isPartial: Bool,
        _ time: WrittenTime,
        _ place: LinePlace,
        isEscaped: Bool,
        to events: inout EventList
    ) {
        guard var joiner = self.joiner else { return }
        let index = Int(stream.rawValue)
        self.writtenTimes[index].current = time
        // Two owners would copy the pending bytes at each part.
        self.joiner = nil
        if joiner.unfinishedOffset(of: stream) == nil { self.lineSources[index] = place.source }
        joiner.add(
            part,
            stream: stream,
            isPartial: isPartial,
            nanoseconds: time.nanoseconds,
            offset: place.offset
        ) { line, text in
            self.takeWhole(line, text, stream, place, isEscaped: isEscaped, to: &events)
        }
        self.writtenTimes[index].keep(
            line: joiner.unfinishedOffset(of: stream),
            event: self.events.isEmpty ? nil : self.events[index].unfinishedOffset
        )
        self.joiner = joiner
    }

    /// A whole line: an event, or a part of one.
    mutating func takeWhole(
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
    mutating func addToEvent(
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
    mutating func append(
        _ joined: JoinedLine,
        _ text: UnsafeRawBufferPointer,
        _ stream: LogStream,
        recordTail: [UInt8],
        isEscaped: Bool = false,
        to events: inout EventList
    ) {
        let isText: Bool
        switch self.detected {
        case .cri:
            let time = self.writtenTimes[Int(stream.rawValue)].text(of: joined)
            isText = time.withUnsafeBytes { self.appendCRI($0, stream, text, to: &events.bytes) }
        case .docker:
            let time = self.writtenTimes[Int(stream.rawValue)].text(of: joined)
            isText = time.withUnsafeBytes { self.appendDocker($0, stream, text, isEscaped, to: &events.bytes) }
        case .other, .unknown:
            let place = LinePlace(
                offset: joined.offset,
                source: 0,
                now: joined.nanoseconds,
                monotonic: 0,
                recordTail: recordTail
            )
            if let isText = self.parsedLines?.append(text, offset: joined.offset, to: &events.bytes) {
                let (time, offset) = (joined.nanoseconds, joined.offset)
                return self.finish(&events, time, offset, isText: isText, isCut: joined.isTruncated, recordTail)
            }
            return self.appendPlain(text, isCut: joined.isTruncated, place, to: &events)
        }
        self.finish(&events, joined.nanoseconds, joined.offset, isText: isText, isCut: joined.isTruncated, recordTail)
    }
}
