internal import LeatCore
internal import LeatParsing

/// Bodies of the output `splunk`: objects of the HTTP event collector, one after the other.
struct SplunkForm: RequestForm {
    /// The record alone, instead of an object around it.
    var isRaw = false
    /// Whether the server finds the time in the event itself.
    var omitsTime = false
    /// Field that is the event.
    var eventKey: RecordTemplate?
    /// `host`, `source` and the like, with the fields or texts that give them; of one name the first that has a value.
    var metadata: [(name: String, template: RecordTemplate)] = []
    /// Further fields.
    var fields: [(name: String, value: FieldValue)] = []

    /// What a further field is.
    enum FieldValue {
        /// A field of the record, as it is.
        case path(FieldPath)
        /// The same text for all events, as JSON.
        case constant([UInt8])

        fileprivate func json(in record: UnsafeRawBufferPointer) -> [UInt8]? {
            switch self {
            case .path(let path): path.find(in: record).map { Array(record.slice($0)) }
            case .constant(let json): json
            }
        }
    }

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        chunk.forEachEvent(in: items) { event, record in self.append(event, record, to: &bytes) }
    }

    private func append(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var text: [UInt8] = []
        self.eventKey?.append(to: &text, tag: event.head.tag, members: record)
        if self.isRaw {
            if text.isEmpty { self.appendObject(record, to: &bytes) } else { bytes += text + [UInt8(ascii: "\n")] }
            return
        }
        var head: [UInt8] = []
        if !self.omitsTime { head += ",\"time\":\(DatedRecord.DateForm.double.text(event.time))".utf8 }
        self.appendMetadata(event.head.tag, record, to: &head)
        self.appendFields(record, to: &head)
        head.append(",\"event\":")
        bytes.append("{")
        // Every member stands behind a comma but the first.
        bytes += head.dropFirst()
        if text.isEmpty {
            self.appendObject(record, to: &bytes)
        } else {
            text.withUnsafeBytes { JSONWriter.append(string: $0, to: &bytes) }
        }
        bytes.append("}")
    }

    private func appendObject(_ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append("{")
        bytes.append(contentsOf: record)
        bytes.append("}")
    }

    private func appendMetadata(_ tag: [UInt8], _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var last = ""
        for (name, template) in self.metadata where name != last {
            var value: [UInt8] = []
            template.append(to: &value, tag: tag, members: record)
            if value.isEmpty { continue }
            bytes.appendMember(name, text: value, start: -1)
            last = name
        }
    }

    private func appendFields(_ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        guard !self.fields.isEmpty else { return }
        bytes.append(",\"fields\":{")
        let start = bytes.count
        for (name, value) in self.fields {
            guard let json = value.json(in: record) else { continue }
            if bytes.count > start { bytes.append(UInt8(ascii: ",")) }
            JSONWriter.append(string: name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes += json
        }
        bytes.append("}")
    }
}

extension SplunkForm {
    /// The options of an `[OUTPUT] splunk`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        self.isRaw = settings.flag("splunk_send_raw")
        self.omitsTime = settings.flag("auto_extract_timestamp")
        if let entry = settings.entries("event_key").last { self.eventKey = try Self.template(entry) }
        let keys = [
            ("host", "event_host"), ("source", "event_source"), ("sourcetype", "event_sourcetype_key"),
            ("sourcetype", "event_sourcetype"), ("index", "event_index_key"), ("index", "event_index"),
        ]
        for (name, key) in keys {
            guard let entry = settings.entries(key).last else { continue }
            self.metadata.append((name, try Self.template(entry)))
        }
        for entry in settings.entries("event_field") {
            let words = try FilterText.words(
                entry,
                2,
                "a name and a text or field, such as pod $kubernetes['pod_name']"
            )
            let isField = words[1].hasPrefix("$")
            let path = isField ? FieldValue.path(try FilterText.path(words[1], entry)) : nil
            self.fields.append((words[0], path ?? .constant(FilterText.json(words[1]))))
        }
    }

    private static func template(_ entry: Section.Entry) throws(Diagnostics) -> RecordTemplate {
        if let template = RecordTemplate(entry.value) { return template }
        throw Diagnostics(entry.valueMark.diagnostic("'\(entry.value)' leads to no field"))
    }
}
