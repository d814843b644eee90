internal import LeatCore
internal import LeatParsing

/// How the bulk outputs turn events into the lines of a request, by Fluent Bit's options.
struct BulkFormat {
    var index = "fluent-bit"
    /// The index made of the record and its tag, in place of `index`.
    var indexTemplate: RecordTemplate?
    /// `nil` with `Suppress_Type_Name On`.
    var type: String? = "_doc"
    var action = "create"
    /// Whether an update makes the document when there is none.
    var isUpsert = false
    /// `nil`: the index is the same for all events.
    var logstash: Logstash?
    var timeKey = "@timestamp"
    /// The form of the time without fraction and zone; `nil` for the default, which has a fast path.
    var timeFormat: TimeFormat?
    var hasNanoseconds = false
    var tagKey: String?
    /// Field whose value is the id, as a path of names.
    var idPath: [String]?
    var generatesID = false
    var replacesDots = false
    /// Whether the index's date is that of the chunk, which a resend has too, instead of the event's.
    var datesByChunk = false

    /// `Logstash_Format On`: one index per day.
    struct Logstash {
        var prefix = "logstash"
        var separator = "-"
        var dateFormat: TimeFormat
        /// Field whose value is the prefix, as a path of names.
        var prefixPath: [String] = []
    }

    /// The index of all events of a chunk; `nil` when they have different ones.
    fileprivate func fixedIndex(chunkTime: Int64) -> [UInt8]? {
        guard let logstash else { return self.indexTemplate == nil ? Array(self.index.utf8) : nil }
        guard self.datesByChunk, logstash.prefixPath.isEmpty else { return nil }
        var index = Array((logstash.prefix + logstash.separator).utf8)
        logstash.dateFormat.append(Timestamp(nanoseconds: chunkTime), to: &index)
        return index
    }

    /// Events that the server could not take, by their number in the batch: an update must name its document.
    func unsendable(in chunk: LoadedChunk, items: [Range<Int>]) -> [(item: Int, reason: [UInt8])] {
        guard self.action == "update", let idPath else { return [] }
        var result: [(item: Int, reason: [UInt8])] = []
        var item = 0
        chunk.forEachEvent(in: items) { _, record in
            if RecordKeys.text(at: idPath, in: record)?.isEmpty ?? true {
                let field = idPath.joined(separator: ".")
                let reason = "an update needs an id, and the field '\(field)' has no text or number"
                result.append((item, OutputQueue.reasonText("missing_id", reason)))
            }
            item += 1
        }
        return result
    }

    /// The `_bulk` body of some events of a chunk.
    func body(of chunk: LoadedChunk, items: [Range<Int>]) -> [UInt8] {
        var writer = BulkWriter(format: self, chunk: chunk)
        writer.reserve(for: items, of: chunk)
        if writer.isPlain {
            chunk.forEachEventInParts(in: items) { writer.addPlain($0.time, $1, tail: $2) }
        } else {
            chunk.forEachEvent(in: items) { writer.addSpecial($0, $1) }
        }
        return writer.body
    }
}

/// Writes the lines of one request.
private struct BulkWriter {
    private let format: BulkFormat
    private(set) var body: [UInt8] = []
    private var time = RecordTimeText()
    /// The action line while it is the same for all events.
    private let fixedAction: [UInt8]?
    /// `{"@timestamp":"`.
    private let opening: [UInt8]
    /// Action line and opening together, when all events begin alike and nothing is put between time and record.
    private let fixedPrefix: [UInt8]?
    /// The name of the time member with its quotes: a record that has it keeps its own.
    private let timeName: [UInt8]
    private let timeNeedle: Needle
    private var indexSecond: Int64 = .min
    private var dateText: [UInt8] = []
    private var tagMember: (tag: [UInt8], bytes: [UInt8])?
    private let chunkNumber: UInt64
    private let chunkTime: Int64

    init(format: BulkFormat, chunk: LoadedChunk) {
        self.format = format
        self.chunkNumber = chunk.number
        self.chunkTime = chunk.createdAtNanoseconds
        var opening: [UInt8] = []
        opening.append(UInt8(ascii: "{"))
        opening.appendMember(format.timeKey, json: "\"", start: 1)
        self.opening = opening
        self.timeName = Array(opening.dropFirst().dropLast(2))
        self.timeNeedle = Needle(self.timeName)
        let hasID = format.idPath != nil || format.generatesID
        let index = hasID ? nil : format.fixedIndex(chunkTime: chunk.createdAtNanoseconds)
        let action = index.map { Self.action(format, index: $0, id: nil) }
        self.fixedAction = action
        let isPlain =
            format.timeFormat == nil && format.tagKey == nil && format.action != "update" && !format.replacesDots
        self.fixedPrefix = isPlain ? action.map { $0 + opening } : nil
    }

    /// Makes room for the lines of some events at once.
    mutating func reserve(for items: [Range<Int>], of chunk: LoadedChunk) {
        let count = items.reduce(0) { $0 + $1.count }
        let overhead = (self.fixedPrefix?.count ?? 160) + 40
        self.body.reserveCapacity(chunk.recordByteCount(of: items) + count * overhead)
    }

    /// `{"create":{"_index":"…","_type":"_doc","_id":"…"}}` and a newline.
    private static func action(_ format: BulkFormat, index: [UInt8], id: [UInt8]?) -> [UInt8] {
        var line: [UInt8] = []
        line.append("{\"")
        line.append(contentsOf: format.action.utf8)
        line.append("\":{")
        let start = line.count
        if !index.isEmpty { line.appendMember("_index", text: index, start: start) }
        if let type = format.type { line.appendMember("_type", text: type.utf8, start: start) }
        if let id { line.appendMember("_id", text: id, start: start) }
        line.append("}}\n")
        return line
    }

    /// Whether `addPlain` serves all events.
    var isPlain: Bool { self.fixedPrefix != nil }

    /// Fast path: `PREFIX TIME",MEMBERS,TAIL}`, written in one go.
    mutating func addPlain(_ time: Int64, _ members: UnsafeRawBufferPointer, tail: UnsafeRawBufferPointer) {
        guard let prefix = self.fixedPrefix else { preconditionFailure("events do not begin alike") }
        if self.hasOwnTime(members) { return self.addWithOwnTime(members, tail: tail) }
        let digitCount = self.format.hasNanoseconds ? 9 : 3
        let count = prefix.count + RecordTimeText.byteCountMax + members.count + tail.count + 5
        // Taken out, since the closure changes the text of the time meanwhile.
        var body: [UInt8] = []
        swap(&body, &self.body)
        body.append(upTo: count) { target in
            var end = target.append(prefix)
            end = self.time.write(nanoseconds: time, digitCount: digitCount, to: end)
            end = end.append(UInt8(ascii: "\""))
            if !members.isEmpty { end = end.append(UInt8(ascii: ",")).append(members) }
            if !tail.isEmpty { end = end.append(UInt8(ascii: ",")).append(tail) }
            end = end.append(UInt8(ascii: "}")).append(UInt8(ascii: "\n"))
            return end - target
        }
        swap(&body, &self.body)
    }

    /// Whether a record has a member of the time's name: two of one name are no document.
    private func hasOwnTime(_ members: UnsafeRawBufferPointer) -> Bool {
        guard ByteSearch.find(self.timeNeedle, in: members) != nil else { return false }
        // The text may also be part of a value.
        var scanner = MemberScanner(members)
        let name = self.timeName[1..<(self.timeName.count - 1)]
        while let member = scanner.next() {
            if members.slice(member.name).elementsEqual(name) { return true }
        }
        return false
    }

    /// Slow path: the record's own time goes out in place of the event's.
    private mutating func addWithOwnTime(_ members: UnsafeRawBufferPointer, tail: UnsafeRawBufferPointer) {
        self.body.append(contentsOf: self.fixedAction ?? [])
        self.body.append(UInt8(ascii: "{"))
        self.body.append(contentsOf: members)
        if !tail.isEmpty {
            self.body.append(UInt8(ascii: ","))
            self.body.append(contentsOf: tail)
        }
        self.body.append("}\n")
    }

    /// Slow path: index, id or fields depend on the event.
    mutating func addSpecial(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer) {
        if let fixedAction {
            self.body.append(contentsOf: fixedAction)
        } else {
            let id = self.id(event, record)
            self.body.append(
                contentsOf: Self.action(
                    self.format,
                    index: self.index(event, record),
                    id: id
                )
            )
        }
        let isUpdate = self.format.action == "update"
        if isUpdate { self.body.append("{\"doc\":") }
        let start = self.body.count + 1
        if self.hasOwnTime(record) {
            self.body.append(UInt8(ascii: "{"))
        } else {
            self.body.append(contentsOf: self.opening)
            self.appendTime(event.time)
            self.body.append(UInt8(ascii: "\""))
        }
        if let key = self.format.tagKey { self.appendTag(key, event.head.tag, isFirst: self.body.count == start) }
        if !record.isEmpty {
            if self.body.count > start { self.body.append(UInt8(ascii: ",")) }
            if self.format.replacesDots {
                RecordKeys.appendReplacingDots(record, to: &self.body)
            } else {
                self.body.append(contentsOf: record)
            }
        }
        self.body.append(!isUpdate ? "}\n" : self.format.isUpsert ? "},\"doc_as_upsert\":true}\n" : "}}\n")
    }

    private mutating func appendTime(_ time: Int64) {
        let digitCount = self.format.hasNanoseconds ? 9 : 3
        guard let format = self.format.timeFormat else {
            return self.time.append(nanoseconds: time, digitCount: digitCount, to: &self.body)
        }
        format.append(Timestamp(nanoseconds: time), to: &self.body)
        var fraction: [UInt8] = []
        RecordTimeText.appendFraction(nanoseconds: time, digitCount: digitCount, to: &fraction)
        self.body.append(contentsOf: fraction)
        self.body.append(UInt8(ascii: "Z"))
    }

    private mutating func appendTag(_ key: String, _ tag: [UInt8], isFirst: Bool) {
        if self.tagMember?.tag != tag {
            var bytes: [UInt8] = []
            bytes.appendMember(key, text: tag, start: -1)
            self.tagMember = (tag, bytes)
        }
        // The member begins with a comma.
        self.body.append(contentsOf: self.tagMember?.bytes.dropFirst(isFirst ? 1 : 0) ?? [])
    }

    private mutating func index(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8] {
        guard let logstash = self.format.logstash else {
            var index: [UInt8] = []
            self.format.indexTemplate?.append(to: &index, tag: event.head.tag, members: record)
            return index.isEmpty ? Array(self.format.index.utf8) : index
        }
        let time = self.format.datesByChunk ? self.chunkTime : event.time
        let second = Timestamp(nanoseconds: time).seconds
        if second != self.indexSecond {
            self.indexSecond = second
            self.dateText.removeAll()
            logstash.dateFormat.append(Timestamp(nanoseconds: time), to: &self.dateText)
        }
        var prefix = Array(logstash.prefix.utf8)
        if !logstash.prefixPath.isEmpty, let value = RecordKeys.text(at: logstash.prefixPath, in: record) {
            prefix = value
        }
        return prefix + Array(logstash.separator.utf8) + self.dateText
    }

    /// The document's id: of a field, or made so that a resend has the same and equal lines have different ones.
    private func id(_ event: ChunkEvent, _ record: UnsafeRawBufferPointer) -> [UInt8]? {
        if let path = self.format.idPath { return RecordKeys.text(at: path, in: record) }
        guard self.format.generatesID else { return nil }
        var bytes: [UInt8] = []
        bytes.appendInteger(self.chunkTime)
        bytes.appendInteger(self.chunkNumber)
        bytes.appendInteger(event.number)
        bytes.appendInteger(event.time)
        bytes.append(contentsOf: record)
        return Array(bytes.withUnsafeBytes { Digest.xxh128($0) }.description.utf8)
    }
}

/// Looking into records without taking them apart altogether.
enum RecordKeys {
    /// The text of a member, by names from the outside in; `nil` when it is missing or no scalar.
    static func text(at path: [String], in record: UnsafeRawBufferPointer) -> [UInt8]? {
        var object: [UInt8] = [UInt8(ascii: "{")]
        object.append(contentsOf: record)
        object.append(UInt8(ascii: "}"))
        let value: JSONValue
        do {
            value = try object.withUnsafeBytes { try JSONValue($0) }
        } catch {
            return nil
        }
        var current = value
        for name in path {
            guard case .object(let members) = current, let found = members.first(where: { $0.key == name }) else {
                return nil
            }
            current = found.value
        }
        switch current {
        case .string(let text): return Array(text.utf8)
        case .number(let text): return Array(text.utf8)
        default: return nil
        }
    }

    /// Appends a record with the dots in its names, at any depth, replaced by `_`.
    static func appendReplacingDots(_ record: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: record)
        var stringStart: Int?
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\"), stringStart != nil {
                index += 1
            } else if byte == UInt8(ascii: "\"") {
                if let begin = stringStart {
                    stringStart = nil
                    if Self.isName(bytes, after: index) {
                        for place in begin..<index where bytes[place] == UInt8(ascii: ".") {
                            bytes[place] = UInt8(ascii: "_")
                        }
                    }
                } else {
                    stringStart = index + 1
                }
            }
            index += 1
        }
    }

    /// Whether a string that ends at `quote` is a name: a colon follows.
    private static func isName(_ bytes: [UInt8], after quote: Int) -> Bool {
        var index = quote + 1
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        return index < bytes.count && bytes[index] == UInt8(ascii: ":")
    }
}
