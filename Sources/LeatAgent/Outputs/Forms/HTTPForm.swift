internal import LeatCore
internal import LeatParsing

/// Bodies of the output `http`.
struct HTTPForm: RequestForm {
    /// What a body is made of.
    enum Body {
        case json(DatedRecord)
        /// `[[time, {}], record]` one after the other.
        case messagePack
        /// One GELF object a line.
        case gelf(GELFForm)
    }

    var body = Body.json(DatedRecord())
    /// Header that gets the route tag; then a request has events of one tag only.
    var tagHeader: String?
    /// A request per event, whose body and headers are fields of it.
    var single: SingleBody?

    var contentType: String {
        switch self.body {
        case .json(let form): form.framing == .lines ? "application/x-ndjson" : "application/json"
        case .messagePack: "application/msgpack"
        case .gelf: "application/json"
        }
    }

    var hasParts: Bool { self.tagHeader != nil || self.single != nil }
    var joinsEvents: Bool { self.single == nil }
    var hasFaults: Bool { self.single != nil }

    /// The tag, if it is wanted; then, behind a zero byte, the members of the event's headers.
    func part(of event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] {
        let tag = self.tagHeader == nil ? [] : event.head.tag
        guard let single else { return tag }
        return tag + [0] + single.headerMembers(record)
    }

    func headers(of part: [UInt8]) -> [(name: String, value: String)] {
        let end = self.single == nil ? part.count : part.lastIndex(of: 0) ?? part.count
        var headers: [(name: String, value: String)] = []
        if let tagHeader { headers.append((tagHeader, String(decoding: part[..<end], as: UTF8.self))) }
        if self.single != nil { headers += part[end...].dropFirst().withUnsafeBytes { SingleBody.headers($0) } }
        return headers
    }

    func fault(of record: UnsafeRawBufferPointer) -> [UInt8]? { self.single?.fault(of: record) }

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        if let single {
            // More than one event is here only when the keys were set while the batch waited.
            chunk.forEachEvent(in: items) { _, record in single.append(record, to: &bytes) }
            return
        }
        switch self.body {
        case .json(let form): form.append(chunk, items, to: &bytes)
        case .messagePack:
            chunk.forEachEvent(in: items) { event, record in
                MessagePackWriter.append(array: 2, to: &bytes)
                MessagePackWriter.append(array: 2, to: &bytes)
                MessagePackWriter.append(time: event.time, asInteger: false, to: &bytes)
                MessagePackWriter.append(map: 0, to: &bytes)
                MessagePackWriter.append(members: record, to: &bytes)
            }
        case .gelf(let form):
            chunk.forEachEvent(in: items) { event, record in
                form.append(time: event.time, record, to: &bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }
}

/// Records as GELF 1.1 (go2docs.graylog.org, "GELF payload specification").
struct GELFForm: Sendable {
    /// Member that is the time; `nil`: the event's time.
    var timeKey: String?
    var hostKey = "host"
    var messageKey = "short_message"
    var fullMessageKey: String?
    var levelKey = "level"

    func append(time: Int64, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append("{\"version\":\"1.1\"")
        var hasTime = false
        var hasMessage = false
        var hasHost = false
        var scanner = MemberScanner(record)
        while let member = scanner.next() {
            let name = String(decoding: JSONText.unescaped(record.slice(member.name)), as: UTF8.self)
            let value = record.slice(member.value)
            switch name {
            case self.messageKey:
                hasMessage = true
                self.append("short_message", text: value, to: &bytes)
            case self.hostKey:
                hasHost = true
                self.append("host", text: value, to: &bytes)
            case self.fullMessageKey: self.append("full_message", text: value, to: &bytes)
            case self.levelKey: self.append("level", value, to: &bytes)
            case self.timeKey:
                hasTime = true
                self.append("timestamp", value, to: &bytes)
            default: self.append(nested: "_" + name, value, to: &bytes)
            }
        }
        // Both are required.
        if !hasMessage {
            let message = FieldPath(name: "log").find(in: record) ?? FieldPath(name: "message").find(in: record)
            if let message {
                self.append("short_message", text: record.slice(message), to: &bytes)
            } else {
                bytes.append(",\"short_message\":\"-\"")
            }
        }
        if !hasHost { bytes.append(",\"host\":\"unknown\"") }
        if !hasTime { bytes += ",\"timestamp\":\(DatedRecord.DateForm.double.text(time))".utf8 }
        bytes.append("}")
    }

    private func append(_ name: String, _ value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: ","))
        JSONWriter.append(string: name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: value)
    }

    /// A value as a text whatever it is.
    private func append(_ name: String, text value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        if value.first == UInt8(ascii: "\"") { return self.append(name, value, to: &bytes) }
        bytes.append(UInt8(ascii: ","))
        JSONWriter.append(string: name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        JSONWriter.append(string: value, to: &bytes)
    }

    /// A further field: GELF has texts and numbers only, so that what is inside comes out, under a longer name.
    private func append(nested name: String, _ value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let contents = value.count >= 2 ? value.slice(1..<value.count - 1) : value
        switch value.first {
        case UInt8(ascii: "{"):
            var scanner = MemberScanner(contents)
            while let member = scanner.next() {
                let inner = String(decoding: JSONText.unescaped(contents.slice(member.name)), as: UTF8.self)
                self.append(nested: name + "_" + inner, contents.slice(member.value), to: &bytes)
            }
        case UInt8(ascii: "["):
            var scanner = MemberScanner(contents)
            var index = 0
            while let element = scanner.nextElement() {
                self.append(nested: "\(name)_\(index)", contents.slice(element), to: &bytes)
                index += 1
            }
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): self.append(name, text: value, to: &bytes)
        default: self.append(name, value, to: &bytes)
        }
    }
}
