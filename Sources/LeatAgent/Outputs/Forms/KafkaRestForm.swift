internal import LeatCore
internal import LeatParsing

/// Bodies of the output `kafka-rest`: records for Confluent's REST proxy of Kafka, version 2 of its API.
///
///     {"records":[{"partition":0,"key":"k","value":{"@timestamp":"2026-11-20T09:08:07.123456789Z","log":"…"}}]}
struct KafkaRestForm: RequestForm {
    var topic = "fluent-bit"
    /// What stands before `/topics`.
    var pathPrefix = ""
    /// `nil`: the proxy chooses.
    var partition: Int?
    /// The text that is the key of all records.
    var messageKey: String?
    var timeKey = "@timestamp"
    /// The form of the time without fraction and zone.
    var timeFormat: TimeFormat
    /// Field that gets the route tag; `nil` for none.
    var tagKey: String?
    /// Whether the body is announced as Avro's instead of JSON's.
    var isAvro = false

    /// Where the records go.
    var path: String { "\(self.pathPrefix)/topics/\(self.topic)" }

    var contentType: String { "application/vnd.kafka.\(self.isAvro ? "avro" : "json").v2+json" }

    /// About 60 bytes per record.
    var answerByteCountMax: Int { 16 << 20 }

    func append(_ chunk: LoadedChunk, _ items: [Range<Int>], to bytes: inout [UInt8]) {
        bytes.append("{\"records\":[")
        var isFirst = true
        chunk.forEachEvent(in: items) { event, record in
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(UInt8(ascii: "{"))
            let start = bytes.count
            if let partition { bytes.appendMember("partition", json: String(partition), start: start) }
            if let messageKey { bytes.appendMember("key", text: messageKey.utf8, start: start) }
            bytes.appendMember("value", json: "{", start: start)
            self.appendValue(event, record, to: &bytes)
            bytes.append("}}")
        }
        bytes.append("]}")
    }

    private func appendValue(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var time: [UInt8] = []
        self.timeFormat.append(Timestamp(nanoseconds: event.time), to: &time)
        RecordTimeText.appendFraction(nanoseconds: event.time, digitCount: 9, to: &time)
        time.append(UInt8(ascii: "Z"))
        let start = bytes.count
        bytes.appendMember(self.timeKey, text: time, start: start)
        if let tagKey { bytes.appendMember(tagKey, text: event.head.tag, start: start) }
        if !record.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: record)
        RepeatedMembers.remove(in: &bytes, from: start)
    }

    /// The proxy answers 200 also when Kafka did not take a record: `{"offsets":[{"error_code":2,"error":"…"},…]}`, where 1
    /// is an error that stays, 2 one that passes.
    func result(of answer: UnsafeRawBufferPointer) -> DeliveryResult? {
        let text = answer.trimmed
        guard text.count > 2, let range = FieldPath(name: "offsets").find(in: text.slice(1..<text.count - 1)) else {
            return nil
        }
        let offsets = text.slice(1..<text.count - 1).slice(range)
        guard offsets.count >= 2, offsets[0] == UInt8(ascii: "[") else { return nil }
        let contents = offsets.slice(1..<offsets.count - 1)
        var again: [Int] = []
        var rejected: [(item: Int, reason: [UInt8])] = []
        var scanner = MemberScanner(contents)
        var item = 0
        while let element = scanner.nextElement() {
            let entry = contents.slice(element)
            defer { item += 1 }
            guard entry.count > 2, let code = FieldPath(name: "error_code").find(in: entry.slice(1..<entry.count - 1))
            else { continue }
            switch entry.slice(1..<entry.count - 1).slice(code).first {
            case UInt8(ascii: "n"): continue
            case UInt8(ascii: "1"): rejected.append((item, Array(entry)))
            default: again.append(item)
            }
        }
        return again.isEmpty && rejected.isEmpty ? .delivered : .partly(again: again, rejected: rejected)
    }
}

extension KafkaRestForm {
    /// The options of an `[OUTPUT] kafka-rest`.
    init(_ plugin: PluginConfiguration) throws(Diagnostics) {
        let settings = plugin.settings
        let format = settings.text("time_key_format") ?? "%Y-%m-%dT%H:%M:%S"
        do throws(TimePatternError) {
            self.timeFormat = try TimeFormat(format)
        } catch {
            let mark = settings.entries("time_key_format").last?.valueMark ?? plugin.mark
            throw Diagnostics(mark.diagnostic(error.message))
        }
        self.topic = settings.text("topic") ?? self.topic
        self.pathPrefix = settings.text("url_path") ?? ""
        while self.pathPrefix.hasSuffix("/") { self.pathPrefix.removeLast() }
        if !self.pathPrefix.isEmpty, !self.pathPrefix.hasPrefix("/") { self.pathPrefix = "/" + self.pathPrefix }
        self.partition = settings.integer("partition").flatMap { $0 >= 0 ? $0 : nil }
        self.messageKey = settings.text("message_key")
        self.timeKey = settings.text("time_key") ?? self.timeKey
        self.tagKey = settings.flag("include_tag_key") ? settings.text("tag_key") : nil
        self.isAvro = settings.flag("avro_http_header")
    }
}
